//! The top level of a request's body: checked, completed and written without touching what stands below it.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    backends::litellm::open::Extra,
    model::{Code, Fault},
};

/// With these a caller could send the server's own provider keys to an address of his choice (CVE-2024-6587 in LiteLLM
/// before 1.44.8), or use the server as a relay.
const FORBIDDEN: [&str; 3] = ["api_base", "base_url", "api_key"];

/// The top level of a request's body; the order of the fields is kept.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Fields(Extra);

impl Fields {
    /// Reads a body that a caller gave.
    pub(super) fn parse(body: &RawValue) -> Result<Self, Fault> {
        let fields: Extra = serde_json::from_str(body.get())
            .map_err(|e| Fault::new(Code::BadRequest, format!("the request is no JSON object: {e}")))?;
        let fields = Self(fields);
        fields.check()?;
        Ok(fields)
    }

    /// Reads a body that has to say something by this name.
    pub(super) fn parse_with(body: &RawValue, name: &str) -> Result<Self, Fault> {
        let fields = Self::parse(body)?;
        match fields.has(name) {
            true => Ok(fields),
            false => Err(Fault::new(Code::BadRequest, format!("the request has no `{name}`"))),
        }
    }

    /// With a field that a caller chose.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> Result<Self, Fault> {
        check_name(name)?;
        self.set(name, value)?;
        Ok(self)
    }

    /// With a plain one of ours.
    pub(super) fn plain(mut self, name: &str, value: &impl Serialize) -> Self {
        self.set(name, value).expect("a text or a number can be written");
        self
    }

    /// Refuses what no request may carry.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.0.keys().try_for_each(|name| check_name(name))
    }

    pub(super) fn set(&mut self, name: &str, value: &impl Serialize) -> Result<(), Fault> {
        let value = to_raw_value(value)
            .map_err(|e| Fault::new(Code::BadRequest, format!("`{name}` cannot be written as JSON: {e}")))?;
        self.0.insert(name.to_owned(), value);
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.shift_remove(name);
    }

    /// Whether a field is there and says something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|v| v.get() != "null")
    }

    /// A field as a text, where it is one.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// Every field with its name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    pub(super) fn to_bytes(&self) -> bytes::Bytes {
        serde_json::to_vec(&self.0).expect("names and raw JSON can be written").into()
    }
}

/// Refuses a field that no request may carry.
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    if !FORBIDDEN.contains(&name) {
        return Ok(());
    }
    Err(Fault::new(Code::BadRequest, format!("a request carries no `{name}`"))
        .with_fix("Set the address and the key of a backend in the configuration (`url`, `api_key`)."))
}
