//! Whether a server could run a workflow: a pure comparison, before anything is sent.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use crate::{
    backends::comfyui::{
        Workflow,
        catalogue::{Catalogue, is_model},
    },
    model::fault::clean,
};

/// Names that a sentence lists of each sort.
const SHOWN: usize = 5;

/// What a server lacks to run a workflow; nothing lacks where both lists are empty.
///
/// It speaks of what is there, not of what fits: wrong links and values stay ComfyUI's to judge.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// Nodes whose class the server does not have.
    pub nodes: Vec<MissingNode>,
    /// Model files that the server does not offer where the workflow wants them.
    pub models: Vec<MissingModel>,
}

/// A node whose class the server does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MissingNode {
    /// Its id in the workflow.
    pub node: String,
    /// Its class, like `KSampler`.
    pub class: String,
}

/// A model file that is not offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MissingModel {
    /// The id of the node that wants it.
    pub node: String,
    /// The node's class, like `CheckpointLoaderSimple`.
    pub class: String,
    /// The input, like `ckpt_name`.
    pub input: String,
    /// The file as the workflow names it.
    pub name: String,
}

impl Missing {
    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.models.is_empty()
    }
}

impl fmt::Display for Missing {
    /// `lacks node X, models a, b`, each name once; nothing where nothing lacks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: BTreeSet<_> = self.nodes.iter().map(|missing| missing.class.as_str()).collect();
        let models: BTreeSet<_> = self.models.iter().map(|missing| missing.name.as_str()).collect();
        let parts: Vec<_> =
            [listed("node", &nodes), listed("model", &models)].into_iter().flatten().collect();
        if parts.is_empty() { Ok(()) } else { write!(f, "lacks {}", parts.join(", ")) }
    }
}

fn listed(noun: &str, names: &BTreeSet<&str>) -> Option<String> {
    let ending = match names.len() {
        0 => return None,
        1 => "",
        _ => "s",
    };
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| clean(name, 120)).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Some(format!("{noun}{ending} {}{more}", shown.join(", ")))
}

/// Compares a workflow with what a server has. An input whose choices the server does not tell is left to it.
pub fn preflight(workflow: &Workflow, catalogue: &Catalogue) -> Missing {
    let mut missing = Missing::default();
    for (node, class) in workflow.classes() {
        if !catalogue.has(class) {
            missing.nodes.push(MissingNode { node: node.to_owned(), class: class.to_owned() });
            continue;
        }
        for (input, name) in workflow.texts_of(node) {
            let Some(offer) = catalogue.offer(class, input).filter(|_| is_model(&name)) else { continue };
            if !offer.contains(name.as_str()) {
                let (node, class, input) = (node.to_owned(), class.to_owned(), input.to_owned());
                missing.models.push(MissingModel { node, class, input, name });
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = r#"{
        "CheckpointLoaderSimple": { "input": { "required": { "ckpt_name": [["sd.safetensors", "xl.safetensors"]] } } },
        "LoraLoader": { "input": { "required": { "model": ["MODEL"], "lora_name": ["COMBO", { "options": [] }] } } },
        "KSampler": { "input": { "required": { "sampler_name": [["euler"]] } } },
        "LoadImage": { "input": { "required": { "image": [["there.png"], { "image_upload": true }] } } },
        "Note": { "input": { "required": { "text": ["STRING"] } } }
    }"#;

    fn missing(workflow: &str) -> Missing {
        preflight(&Workflow::parse(workflow).unwrap(), &Catalogue::parse(SERVER.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_there_lacks_nothing_and_what_is_not_ours_to_judge_is_left() {
        let all = missing(
            r#"{
            "1": { "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": "xl.safetensors" } },
            "2": { "class_type": "KSampler", "inputs": { "model": ["1", 0], "sampler_name": "of-a-pack" } },
            "3": { "class_type": "LoadImage", "inputs": { "image": "uploaded.png" } },
            "4": { "class_type": "Note", "inputs": { "text": "take a.safetensors" } },
            "5": { "inputs": {} }
        }"#,
        );
        assert!(all.is_empty(), "{all:?}");
        assert_eq!(all.to_string(), "");
    }

    #[test]
    fn every_node_and_model_that_lacks_is_named_with_its_place() {
        let all = missing(
            r#"{
            "1": { "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": "flux.safetensors" } },
            "2": { "class_type": "LoraLoader", "inputs": { "model": ["1", 0], "lora_name": "sub/l.safetensors" } },
            "7": { "class_type": "FaceDetailer", "inputs": { "model": "any.pt" } },
            "8": { "class_type": "FaceDetailer", "inputs": {} }
        }"#,
        );
        assert_eq!(
            serde_json::to_string(&all).unwrap(),
            r#"{"nodes":[{"node":"7","class":"FaceDetailer"},{"node":"8","class":"FaceDetailer"}],"models":[{"node":"1","class":"CheckpointLoaderSimple","input":"ckpt_name","name":"flux.safetensors"},{"node":"2","class":"LoraLoader","input":"lora_name","name":"sub/l.safetensors"}]}"#
        );
        assert_eq!(all.to_string(), "lacks node FaceDetailer, models flux.safetensors, sub/l.safetensors");
        let many: Vec<_> = (0..8).map(|n| format!(r#""{n}":{{"class_type":"N{n}"}}"#)).collect();
        let all = missing(&format!("{{{}}}", many.join(",")));
        assert_eq!(all.to_string(), "lacks nodes N0, N1, N2, N3, N4 and 3 more");
    }
}
