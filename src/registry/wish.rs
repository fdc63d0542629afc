//! What is asked of the registry.

use super::{entry::Entry, version::Version};
use crate::model::{Capability, Code, Fault};

/// Who can do this: the backends that have a capability, best first (ready, then by free slots).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it is asked with `query`"]
pub struct Capable {
    capability: String,
    at_least: Option<String>,
    model: Option<String>,
}

/// What the functions of a backend take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it is asked with `query`"]
pub struct Functions(pub String);

impl Functions {
    /// Of the backend with this id.
    pub fn of(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

impl Capable {
    /// Of this capability, like `image.generate` or [`Capability::ImageGenerate`]. A name that is none is an error of
    /// the query.
    pub fn of(capability: impl AsRef<str>) -> Self {
        Self { capability: capability.as_ref().to_owned(), at_least: None, model: None }
    }

    /// Of this version or a later one. A backend that tells no version has none.
    pub fn at_least(mut self, version: impl Into<String>) -> Self {
        self.at_least = Some(version.into());
        self
    }

    /// With this model, by its whole name or, where it stands in a folder, by its file's name; letter case does not
    /// count.
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// The same, checked.
    pub(crate) fn check(&self) -> Result<Checked<'_>, Fault> {
        let capability = self.capability.parse::<Capability>();
        let capability = capability.map_err(|e| Fault::new(Code::BadRequest, e.to_string()))?;
        let bad = |text: &str| {
            let text: String = text.chars().take(40).collect();
            Fault::new(Code::BadRequest, format!("`{text}` is no version"))
                .with_fix("Write numbers, like 0.24 or 1.83.7.")
        };
        let at_least = self.at_least.as_deref();
        let at_least = at_least.map(|text| Version::parse(text).ok_or_else(|| bad(text))).transpose()?;
        Ok(Checked { capability, at_least, model: self.model.as_deref() })
    }
}

/// A wish that makes sense.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked<'a> {
    pub(crate) capability: Capability,
    at_least: Option<Version>,
    model: Option<&'a str>,
}

impl Checked<'_> {
    /// Whether a backend fits.
    pub(crate) fn fits(&self, entry: &Entry) -> bool {
        let new_enough = |least: Version| {
            entry.version.as_deref().and_then(Version::parse).is_some_and(|version| version >= least)
        };
        entry.capabilities.contains(&self.capability)
            && self.at_least.is_none_or(new_enough)
            && self.model.is_none_or(|name| self.has(entry, name))
    }

    /// Models that are known to be for the capability decide; where that is not known, all that the backend offers.
    fn has(&self, entry: &Entry, name: &str) -> bool {
        let evidence = entry.evidence.iter().find(|evidence| evidence.capability == self.capability);
        match evidence.filter(|evidence| !evidence.models.is_empty()) {
            Some(evidence) => evidence.models.iter().any(|model| is_named(model, name)),
            None => entry.models.iter().any(|model| is_named(model, name)),
        }
    }
}

fn is_named(model: &str, name: &str) -> bool {
    let file = model.rsplit(['/', '\\']).next().unwrap_or(model);
    model.eq_ignore_ascii_case(name) || file.eq_ignore_ascii_case(name)
}
