//! A workflow in the API's format: nodes by id, each with a class and inputs.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::model::{Code, Fault};

/// How many names an error lists.
const SHOWN: usize = 20;

/// A workflow in the API's format.
///
/// What this library does not know of a node is kept and sent as it came, numbers digit by digit.
#[derive(Debug, Clone)]
pub struct Workflow {
    nodes: IndexMap<String, Node>,
}

/// One node.
#[derive(Debug, Clone)]
struct Node {
    class: Option<String>,
    inputs: IndexMap<String, Box<RawValue>>,
    /// All fields; `inputs` stands for its place only.
    fields: IndexMap<String, Box<RawValue>>,
}

/// What the editor's own file has at its top.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EditorFile {
    nodes: Option<Vec<serde::de::IgnoredAny>>,
    links: Option<Vec<serde::de::IgnoredAny>>,
}

impl Workflow {
    /// Reads a workflow.
    ///
    /// # Errors
    /// [`Code::EditorWorkflow`] for a file that the editor saved, [`Code::BadRequest`] for what is no workflow at
    /// all. Wrong nodes and inputs are ComfyUI's to judge.
    pub fn parse(json: &str) -> Result<Self, Fault> {
        let bad = |why: String| Fault::new(Code::BadRequest, format!("the workflow is not readable: {why}"));
        if let Ok(EditorFile { nodes: Some(nodes), links: Some(_) }) = serde_json::from_str(json) {
            let what =
                format!("the workflow is in the editor's format ({} nodes and their layout)", nodes.len());
            return Err(Fault::new(Code::EditorWorkflow, what));
        }
        let raw: IndexMap<String, IndexMap<String, Box<RawValue>>> = serde_json::from_str(json)
            .map_err(|e| bad(format!("it should be an object of nodes, each an object: {e}")))?;
        if raw.is_empty() {
            return Err(bad("it has no nodes".to_owned()));
        }
        let nodes = raw.into_iter().map(|(id, fields)| Node::read(fields).map(|node| (id, node)));
        Ok(Self { nodes: nodes.collect::<Result<_, String>>().map_err(bad)? })
    }

    /// Sets one input: `NODE.INPUT=VALUE`, where VALUE is JSON, or else taken as a text.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for another form, for an unknown node and for an input that the node does not have; the
    /// message lists what there is.
    pub fn set(&mut self, assignment: &str) -> Result<(), Fault> {
        let bad = |why: String| {
            Fault::new(Code::BadRequest, why).with_fix("Write NODE.INPUT=VALUE, like 3.seed=42.")
        };
        let (place, value) = assignment
            .split_once('=')
            .ok_or_else(|| bad(format!("`{assignment}` sets nothing: it has no `=`")))?;
        let (id, input) =
            place.split_once('.').ok_or_else(|| bad(format!("`{place}` names no input: it has no `.`")))?;
        let listed = self.nodes.iter().map(|(id, node)| match &node.class {
            Some(class) => format!("{id} ({class})"),
            None => id.clone(),
        });
        let listed = list(listed);
        let node = self
            .nodes
            .get_mut(id)
            .ok_or_else(|| bad(format!("the workflow has no node `{id}`; it has {listed}")))?;
        let Some(slot) = node.inputs.get_mut(input) else {
            let have = list(node.inputs.keys().cloned());
            let class = node.class.as_deref().unwrap_or("without a class");
            return Err(bad(format!("node {id} ({class}) has no input `{input}`; it has {have}")));
        };
        *slot = to_json(value);
        Ok(())
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has no nodes; a parsed one always has.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The class of a node.
    pub fn class_of(&self, node: &str) -> Option<&str> {
        self.nodes.get(node)?.class.as_deref()
    }

    /// Ids and classes of the nodes that have one.
    pub fn classes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().filter_map(|(id, node)| Some((id.as_str(), node.class.as_deref()?)))
    }

    /// The inputs of a node that are texts; links, numbers and all else are left out.
    pub(super) fn texts_of(&self, node: &str) -> impl Iterator<Item = (&str, String)> {
        let inputs = self.nodes.get(node).map(|node| &node.inputs);
        inputs
            .into_iter()
            .flatten()
            .filter_map(|(name, raw)| Some((name.as_str(), serde_json::from_str(raw.get()).ok()?)))
    }

    /// As JSON, the form in which it is sent.
    pub fn to_raw(&self) -> Box<RawValue> {
        serde_json::value::to_raw_value(self).expect("names and checked JSON make JSON")
    }
}

impl Node {
    fn read(fields: IndexMap<String, Box<RawValue>>) -> Result<Self, String> {
        let class = fields.get("class_type").and_then(|c| serde_json::from_str(c.get()).ok());
        let inputs = match fields.get("inputs") {
            Some(inputs) => {
                serde_json::from_str(inputs.get()).map_err(|e| format!("a node's inputs: {e}"))?
            }
            None => IndexMap::new(),
        };
        Ok(Self { class, inputs, fields })
    }
}

impl Serialize for Workflow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.nodes)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            match name.as_str() {
                "inputs" => map.serialize_entry(name, &self.inputs)?,
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

fn to_json(value: &str) -> Box<RawValue> {
    match RawValue::from_string(value.trim().to_owned()) {
        Ok(json) => json,
        Err(_) => serde_json::value::to_raw_value(value).expect("a text is JSON"),
    }
}

fn list(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let shown = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests;
