//! The table of fields as a document, for a form to be built from.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::config::{
    duration::show_duration,
    schema::{FieldDoc, FieldType},
    size::show_size,
};

impl FieldType {
    /// The type's name in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Group | Self::Pair => "group",
            Self::Entries => "map",
            Self::Flag => "flag",
            Self::Count(..) => "count",
            Self::Span(..) => "duration",
            Self::Size(_) => "size",
            Self::Text => "text",
            Self::Texts => "texts",
            Self::Url => "url",
            Self::Proxy => "proxy",
            Self::Hook => "webhook",
            Self::Secret => "secret",
            Self::Header => "header",
            Self::File => "path",
            Self::Socket => "socket",
            Self::Pin => "sha256",
            Self::Id => "id",
            Self::Ids => "ids",
            Self::Ports => "ports",
            Self::Hosts => "hosts",
            Self::Kind | Self::Capability | Self::Adopt => "choice",
        }
    }

    /// The least and the greatest value, as they would be written.
    pub fn range(self) -> (Option<String>, Option<String>) {
        match self {
            Self::Count(low, high) => (Some(low.to_string()), Some(high.to_string())),
            Self::Span(low, high) => (Some(show_duration(low)), Some(show_duration(high))),
            Self::Size(low) => (Some(show_size(low)), None),
            _ => (None, None),
        }
    }
}

impl Serialize for FieldDoc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (least, greatest) = self.kind.range();
        let mut field = serializer.serialize_struct("FieldDoc", 9)?;
        field.serialize_field("path", self.path)?;
        field.serialize_field("type", self.kind.name())?;
        field.serialize_field("default", self.default)?;
        field.serialize_field("sentence", self.sentence)?;
        field.serialize_field("expected", &self.kind.expected())?;
        field.serialize_field("secret", &self.kind.is_secret())?;
        field.serialize_field("choices", &self.kind.choices())?;
        field.serialize_field("min", &least)?;
        field.serialize_field("max", &greatest)?;
        field.end()
    }
}
