//! What `/info` says of a function's parameters: their names and defaults.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The document at `/info`.
#[derive(Debug, Default, Deserialize)]
pub struct Signatures {
    /// By name, with the slash.
    #[serde(default)]
    named_endpoints: HashMap<String, Signature>,
}

/// The parameters of one function, without its states.
#[derive(Debug, Default, Deserialize)]
pub struct Signature {
    /// In the order of the call.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
}

/// One parameter.
#[derive(Debug, Clone, Deserialize)]
pub struct Parameter {
    /// Its name in the app's code.
    #[serde(default)]
    pub parameter_name: Option<String>,
    /// What stands above it on the page.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether it may be left out.
    #[serde(default)]
    pub parameter_has_default: bool,
    /// What it is then.
    #[serde(default)]
    pub parameter_default: Option<Box<RawValue>>,
}

impl Signatures {
    /// The signature of a function, by its name without the slash. Functions that the app hides have none.
    pub fn of(&self, name: &str) -> Option<&Signature> {
        self.named_endpoints.get(&format!("/{name}"))
    }
}

impl Parameter {
    /// Its name, else its label.
    pub fn name(&self) -> &str {
        self.parameter_name.as_deref().or(self.label.as_deref()).unwrap_or("?")
    }
}
