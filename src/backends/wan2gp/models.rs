//! The models that a server offers, and what they are evidence of.

use serde::{Deserialize, Serialize};

use crate::{
    backends::wan2gp::{tool, wire::Wire},
    model::{Capability, Evidence, Fault, fault::clean},
};

/// `wangp_list_models` gives ten at most (12.60).
const PAGE: usize = 10;
/// Pages that are read: WanGP 12.60 has about 200 models.
const PAGES: usize = 100;

/// What a model makes, and which capability that is.
const EVIDENCE: [(&str, Capability); 3] = [
    ("video", Capability::VideoGenerate),
    ("image", Capability::ImageGenerate),
    ("audio", Capability::AudioGenerate),
];

/// A model, in the server's words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Model {
    /// What `model_type` of a generation takes.
    pub model_type: String,
    /// The name that people see.
    #[serde(default)]
    pub name: String,
    /// The family that it belongs to.
    #[serde(default)]
    pub family: Option<String>,
    /// What it is made for: `video`, `image`, `audio`.
    #[serde(default)]
    pub main_output: Vec<String>,
    /// What it takes: `text`, `image` and so on.
    #[serde(default)]
    pub inputs: Vec<String>,
}

#[derive(Serialize)]
struct Asked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    main_output: Option<&'a str>,
    limit: usize,
    offset: usize,
}

/// What the server can make: asked a kind at a time, one model each, so that a session is ready soon.
pub(super) async fn capabilities(wire: &Wire) -> Result<Vec<Capability>, Fault> {
    let mut found = Vec::new();
    for (output, capability) in EVIDENCE {
        if !page(wire, Asked { main_output: Some(output), limit: 1, offset: 0 }).await?.is_empty() {
            found.push(capability);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// All models, a page at a time.
pub(super) async fn all(wire: &Wire) -> Result<Vec<Model>, Fault> {
    let mut models = Vec::new();
    for turn in 0..PAGES {
        let page = page(wire, Asked { main_output: None, limit: PAGE, offset: turn * PAGE }).await?;
        let whole = page.len() >= PAGE;
        models.extend(page);
        if !whole {
            break;
        }
    }
    Ok(models)
}

async fn page(wire: &Wire, asked: Asked<'_>) -> Result<Vec<Model>, Fault> {
    let result = wire.call("wangp_list_models", asked).await?;
    let mut models: Vec<Model> = tool::list(&result).map_err(|trouble| wire.trouble(trouble))?;
    for model in &mut models {
        model.model_type = clean(&model.model_type, 120);
        model.name = clean(&model.name, 120);
    }
    Ok(models)
}

/// What shows each of these capabilities: the models, where they are listed already.
pub(super) fn shown(capabilities: &[Capability], models: &[Model]) -> Vec<Evidence> {
    let shown = |capability: &Capability| {
        let output = EVIDENCE.into_iter().find(|(_, can)| can == capability).map(|(output, _)| output);
        let fit = models.iter().filter(|m| m.main_output.iter().any(|o| Some(o.as_str()) == output));
        Evidence { models: fit.map(|m| m.model_type.clone()).collect(), ..Evidence::of(*capability) }
    };
    capabilities.iter().map(shown).collect()
}

/// What models are evidence of.
pub(super) fn evidence(models: &[Model]) -> Vec<Capability> {
    let makes = |output: &str| models.iter().any(|m| m.main_output.iter().any(|o| o == output));
    let mut found: Vec<_> = EVIDENCE.into_iter().filter(|(o, _)| makes(o)).map(|(_, c)| c).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_can_do_follows_from_what_its_models_make() {
        let model = |output: &str| -> Model {
            serde_json::from_str(&format!(r#"{{"model_type":"m","main_output":["{output}"],"new":1}}"#))
                .unwrap()
        };
        assert_eq!(evidence(&[]), []);
        let models = [model("audio"), model("video"), model("video"), model("mesh")];
        assert_eq!(evidence(&models), [Capability::VideoGenerate, Capability::AudioGenerate]);
    }
}
