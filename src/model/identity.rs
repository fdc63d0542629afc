//! What a backend said of itself: who it is, what it can do, and what shows that it can.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use crate::model::Capability;

/// Names that many readers share and nobody changes.
pub type Names = Arc<[String]>;

/// What a backend said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// Its version, where it tells one.
    pub version: Option<String>,
    /// Its title (a Gradio app's name), where it has one.
    pub title: Option<String>,
    /// Changes at each start of the server, where the kind has such a thing (Gradio's `app_id`).
    pub boot: Option<String>,
    /// What it can do, by evidence. What was written by a later version and is not known here is left out.
    #[serde(deserialize_with = "known")]
    pub capabilities: Vec<Capability>,
    /// Models that it offers by name.
    pub models: Names,
    /// Functions that it offers by name.
    pub functions: Names,
    /// Classes of nodes that it has, where it works with such.
    pub nodes: Names,
    /// What shows that it can do each of its capabilities.
    #[serde(deserialize_with = "known")]
    pub evidence: Vec<Evidence>,
    /// What its functions take.
    pub signatures: Vec<Signature>,
    /// How much of it was looked at.
    pub depth: Depth,
}

/// The items that are known here.
fn known<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Item<T> {
        Known(T),
        Other(IgnoredAny),
    }
    let items = Vec::<Item<T>>::deserialize(from)?;
    let known = |item| if let Item::Known(item) = item { Some(item) } else { None };
    Ok(items.into_iter().filter_map(known).collect())
}

/// How much of a backend was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Everything that it tells.
    #[default]
    Whole,
    /// What a dial has time for; a whole look follows.
    Sketch,
}

/// What shows that a backend can do something. What is not of its kind is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// What it can do.
    pub capability: Capability,
    /// The classes of nodes that do it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// The models that can be chosen for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The functions that do it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// Another sign, in words: its title, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<String>,
}

/// What a function takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Signature {
    /// Its name, as it is called.
    pub name: String,
    /// The labels of the values that a caller gives, in order; `None` where the app shows none.
    pub inputs: Vec<Option<String>>,
}

impl Evidence {
    /// Nothing yet of this capability.
    pub fn of(capability: Capability) -> Self {
        Self { capability, nodes: Vec::new(), models: Vec::new(), functions: Vec::new(), sign: None }
    }

    /// In a few words: the first of each sort, and how many more.
    pub fn summary(&self) -> String {
        let parts = [("node", &self.nodes), ("model", &self.models), ("function", &self.functions)];
        let named = parts.into_iter().filter_map(|(sort, names)| {
            let first = names.first()?;
            let more = names.len() - 1;
            Some(if more == 0 {
                format!("{sort} {first}")
            } else {
                format!("{sort} {first} and {more} more")
            })
        });
        named.chain(self.sign.clone()).collect::<Vec<_>>().join(", ")
    }
}

impl Identity {
    /// What shows that it can do this, where that is known.
    pub fn evidence_for(&self, capability: Capability) -> Option<&Evidence> {
        self.evidence.iter().find(|evidence| evidence.capability == capability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_told_in_a_few_words() {
        let mut evidence = Evidence::of(Capability::ImageGenerate);
        assert_eq!(evidence.summary(), "");
        evidence.nodes = vec!["KSampler".into()];
        evidence.models = vec!["a.safetensors".into(), "b.safetensors".into()];
        assert_eq!(evidence.summary(), "node KSampler, model a.safetensors and 1 more");
        evidence.sign = Some("its title".into());
        assert!(evidence.summary().ends_with(", its title"));
    }
}
