//! A prompt: the graph as it was sent, and its place in the queue.

use serde_json::{Map, Value, json};

/// One prompt in the queue.
#[derive(Debug, Clone)]
pub(super) struct Prompt {
    pub(super) number: Value,
    pub(super) id: String,
    pub(super) graph: Map<String, Value>,
    pub(super) extra: Map<String, Value>,
    /// The output nodes that were found valid.
    pub(super) outputs: Vec<String>,
}

impl Prompt {
    /// As `/queue` and `/history` show it.
    pub(super) fn ticket(&self) -> Value {
        json!([self.number, self.id, self.graph, self.extra, self.outputs])
    }

    pub(super) fn order(&self) -> f64 {
        self.number.as_f64().unwrap_or(0.0)
    }

    pub(super) fn client(&self) -> Option<&str> {
        self.extra.get("client_id")?.as_str()
    }
}

/// The class of a node of a graph.
pub(super) fn class_of<'a>(graph: &'a Map<String, Value>, node: &str) -> &'a str {
    graph.get(node).and_then(|n| n.get("class_type")?.as_str()).unwrap_or_default()
}

/// The inputs of a node of a graph.
pub(super) fn inputs_of<'a>(graph: &'a Map<String, Value>, node: &str) -> Option<&'a Map<String, Value>> {
    graph.get(node)?.get("inputs")?.as_object()
}

/// The node and the output that an input is linked to.
pub(super) fn link(value: &Value) -> Option<(&str, usize)> {
    match value.as_array()?.as_slice() {
        [Value::String(node), slot] => Some((node, usize::try_from(slot.as_u64()?).ok()?)),
        _ => None,
    }
}
