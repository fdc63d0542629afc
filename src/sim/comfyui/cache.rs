//! What need not be run again: results of the last prompt, by class, inputs and everything before.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::sim::comfyui::prompt::{class_of, inputs_of, link};

/// What a node produced.
#[derive(Debug, Clone, Default)]
pub(super) struct Product {
    pub(super) image: Picture,
    /// What the node shows: its files.
    pub(super) shown: Option<Value>,
}

/// A picture of one colour.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) color: u32,
    pub(super) count: u32,
}

/// The results that are kept, by signature.
#[derive(Debug, Default)]
pub(super) struct Cache(HashMap<String, Product>);

impl Cache {
    /// Forgets what this graph has no use for, and names the nodes whose results are here.
    pub(super) fn enter(&mut self, graph: &Map<String, Value>) -> HashSet<String> {
        let signatures: HashMap<String, String> =
            graph.keys().map(|node| (signature(graph, node).to_string(), node.clone())).collect();
        self.0.retain(|signature, _| signatures.contains_key(signature));
        graph.keys().filter(|node| self.get(graph, node).is_some()).cloned().collect()
    }

    pub(super) fn get(&self, graph: &Map<String, Value>, node: &str) -> Option<&Product> {
        self.0.get(&signature(graph, node).to_string())
    }

    pub(super) fn put(&mut self, graph: &Map<String, Value>, node: &str, product: Product) {
        self.0.insert(signature(graph, node).to_string(), product);
    }
}

/// A node's class and inputs, with the signatures of the nodes that it is linked to in place of their names.
fn signature(graph: &Map<String, Value>, node: &str) -> Value {
    let inputs = inputs_of(graph, node).into_iter().flatten();
    let inputs: Map<String, Value> = inputs
        .map(|(name, value)| match link(value) {
            Some((before, slot)) => (name.clone(), json!([signature(graph, before), slot])),
            None => (name.clone(), value.clone()),
        })
        .collect();
    json!([class_of(graph, node), inputs])
}
