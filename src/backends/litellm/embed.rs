//! What is asked of a server that makes embeddings.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    backends::litellm::{fields::Fields, offer::Mode, request::Addressed},
    model::Fault,
};

/// Embeddings to be made.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct EmbedRequest {
    fields: Fields,
}

impl EmbedRequest {
    /// Embeddings of a text, or of a list of texts.
    ///
    /// # Errors
    /// [`crate::model::Code::BadRequest`]: it cannot be written as JSON.
    pub fn new(input: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self { fields: Fields::default().with("input", input)? })
    }

    /// Embeddings from the body that a caller gave, for `/v1/embeddings`.
    ///
    /// # Errors
    /// [`crate::model::Code::BadRequest`]: it is no object, has no `input`, or carries a field that no request may.
    pub fn from_json(body: &RawValue) -> Result<Self, Fault> {
        Ok(Self { fields: Fields::parse_with(body, "input")? })
    }

    /// The model to ask. Without one the first embedding model of the backend is asked.
    pub fn model(self, name: impl AsRef<str>) -> Self {
        Self { fields: self.fields.plain("model", &name.as_ref()) }
    }

    /// Any other field.
    ///
    /// # Errors
    /// [`crate::model::Code::BadRequest`]: it cannot be written as JSON, or no request may carry it.
    pub fn set(self, name: &str, value: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self { fields: self.fields.with(name, value)? })
    }

    pub(super) fn body(&self) -> bytes::Bytes {
        self.fields.to_bytes()
    }
}

impl Addressed for EmbedRequest {
    const MODE: Mode = Mode::Embed;

    fn fields(&self) -> &Fields {
        &self.fields
    }

    fn with_model(self, name: &str) -> Self {
        self.model(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_an_input_or_with_what_leaks_a_key_is_refused() {
        let read = |text: &str| EmbedRequest::from_json(&RawValue::from_string(text.to_owned()).unwrap());
        assert!(read(r#"{"input":null}"#).is_err() && read("{}").is_err() && read("[]").is_err());
        for name in ["api_base", "base_url", "api_key"] {
            assert!(read(&format!(r#"{{"input":"x","{name}":1}}"#)).is_err(), "{name}");
            assert!(EmbedRequest::new(&"x").unwrap().set(name, &"x").is_err(), "{name}");
        }
        let request = read(r#"{"input":["a"],"odd":1.50}"#).unwrap().model("m");
        assert_eq!(&request.body()[..], br#"{"input":["a"],"odd":1.50,"model":"m"}"#);
    }
}
