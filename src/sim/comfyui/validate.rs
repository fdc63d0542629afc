//! Checking a graph before it is queued, with the complaints that the real server has.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::sim::comfyui::{
    Version,
    disk::Files,
    literal::{self, text},
    nodes::{self, Input, Role},
    prompt::{class_of, inputs_of},
};

/// A graph that may be queued, at least in part.
#[derive(Debug)]
pub(super) struct Valid {
    pub(super) outputs: Vec<String>,
    /// Complaints about branches that are left out.
    pub(super) node_errors: Map<String, Value>,
}

/// Why a graph is not queued.
#[derive(Debug)]
pub(super) enum Invalid {
    /// 400, with this `error` and `node_errors`.
    Refused { error: Value, node_errors: Map<String, Value> },
    /// 500: the check itself raised an exception.
    Crashed,
}

/// An exception of the check at one output.
#[derive(Debug)]
struct Raised {
    kind: &'static str,
    text: String,
}

/// What is known of the nodes so far: their complaints; one upstream of a bad one has none of its own.
type Checked = HashMap<String, (Soundness, Vec<Value>)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Soundness {
    Sound,
    Unsound,
}

/// One check of one graph.
struct Check<'a> {
    version: Version,
    graph: &'a Map<String, Value>,
    files: &'a Files,
    checked: Checked,
    /// The nodes on the way from the output to the one that is checked.
    way: Vec<String>,
}

/// Checks a graph.
pub(super) fn validate(version: Version, graph: &Value, files: &Files) -> Result<Valid, Invalid> {
    let graph = graph.as_object().ok_or(Invalid::Crashed)?;
    let outputs = classes(version, graph)?;
    if outputs.is_empty() {
        return Err(refuse("prompt_no_outputs", "Prompt has no outputs", "", json!({})));
    }
    let mut check = Check { version, graph, files, checked: Checked::new(), way: Vec::new() };
    let (mut good, mut lines, mut node_errors) = (Vec::new(), Vec::new(), Map::new());
    for output in outputs {
        let own = match check.node(&output) {
            Ok(Soundness::Sound) => {
                good.push(output);
                continue;
            }
            Ok(Soundness::Unsound) => check.checked[&output].1.clone(),
            Err(raised) => {
                let complaints = vec![raised.complaint()];
                check.checked.insert(output.clone(), (Soundness::Unsound, complaints.clone()));
                complaints
            }
        };
        lines.extend(own.iter().map(line));
        check.collect(&output, &mut node_errors);
    }
    if good.is_empty() {
        let error = json!({"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation",
            "details": lines.join("\n"), "extra_info": {}});
        return Err(Invalid::Refused { error, node_errors });
    }
    Ok(Valid { outputs: good, node_errors })
}

/// Every node has a class that is known; the output nodes are returned.
fn classes(version: Version, graph: &Map<String, Value>) -> Result<Vec<String>, Invalid> {
    let mut outputs = Vec::new();
    for (id, node) in graph {
        let node = node.as_object().ok_or(Invalid::Crashed)?;
        let Some(name) = node.get("class_type") else { return Err(no_class(version, id)) };
        let name = name.as_str().unwrap_or_default();
        match nodes::class(name) {
            None => return Err(unknown_class(version, id, name)),
            Some(class) if class.role == Role::Output => outputs.push(id.clone()),
            Some(_) => {}
        }
    }
    Ok(outputs)
}

fn no_class(version: Version, id: &str) -> Invalid {
    let details = format!("Node ID '#{id}'");
    match version {
        Version::V0_3_64 => refuse(
            "invalid_prompt",
            "Cannot execute because a node is missing the class_type property.",
            &details,
            json!({}),
        ),
        Version::V0_24_0 => refuse(
            "missing_node_type",
            &format!(
                "Node 'ID #{id}' has no class_type. The workflow may be corrupted or a custom node is missing."
            ),
            &details,
            json!({"node_id": id, "class_type": null, "node_title": null}),
        ),
    }
}

fn unknown_class(version: Version, id: &str, name: &str) -> Invalid {
    let details = format!("Node ID '#{id}'");
    match version {
        Version::V0_3_64 => refuse(
            "invalid_prompt",
            &format!("Cannot execute because node {name} does not exist."),
            &details,
            json!({}),
        ),
        Version::V0_24_0 => refuse(
            "missing_node_type",
            &format!("Node '{name}' not found. The custom node may not be installed."),
            &details,
            json!({"node_id": id, "class_type": name, "node_title": name}),
        ),
    }
}

pub(super) fn refuse(kind: &str, message: &str, details: &str, extra: Value) -> Invalid {
    let error = json!({"type": kind, "message": message, "details": details, "extra_info": extra});
    Invalid::Refused { error, node_errors: Map::new() }
}

impl Check<'_> {
    /// Checks a node and all before it.
    fn node(&mut self, id: &str) -> Result<Soundness, Raised> {
        if let Some((soundness, _)) = self.checked.get(id) {
            return Ok(*soundness);
        }
        if let Some(from) = self.way.iter().position(|node| node == id) {
            let circle = self.way.split_off(from);
            self.circle(&circle);
            self.way.extend(circle);
            return Ok(Soundness::Unsound);
        }
        let class = nodes::class(class_of(self.graph, id)).ok_or_else(|| Raised::key(id))?;
        let inputs = inputs_of(self.graph, id).ok_or_else(|| Raised::key("inputs"))?;
        let (mut errors, mut soundness) = (Vec::new(), Soundness::Sound);
        for input in class.inputs {
            let Some(value) = inputs.get(input.name) else {
                errors.push(json!({"type": "required_input_missing", "message": "Required input is missing",
                    "details": input.name, "extra_info": {"input_name": input.name}}));
                continue;
            };
            match value {
                Value::Array(link) => match self.linked(id, input, link)? {
                    Link::Good => {}
                    Link::Upstream => soundness = Soundness::Unsound,
                    Link::Bad(complaint) => errors.push(complaint),
                },
                value => errors.extend(literal::check(self.files, input, value)),
            }
        }
        if !errors.is_empty() {
            soundness = Soundness::Unsound;
        }
        // A circle through this node was found on the way.
        let (known, earlier) = self.checked.remove(id).unwrap_or((Soundness::Sound, Vec::new()));
        if known == Soundness::Unsound {
            soundness = known;
        }
        self.checked.insert(id.to_owned(), (soundness, [earlier, errors].concat()));
        Ok(soundness)
    }

    /// 0.24.0 names the nodes of a circle; 0.3.64 finds the graph invalid and says nothing of the reason.
    fn circle(&mut self, nodes: &[String]) {
        let named = nodes.iter().chain(nodes.first()).map(|n| format!("{n} ({})", class_of(self.graph, n)));
        let path = named.collect::<Vec<_>>().join(" -> ");
        for node in nodes {
            let complaint = json!({"type": "dependency_cycle", "message": "Dependency cycle detected",
                "details": path, "extra_info": {"node_id": node, "cycle_nodes": nodes}});
            let complaints = if self.version == Version::V0_24_0 { vec![complaint] } else { Vec::new() };
            self.checked.insert(node.clone(), (Soundness::Unsound, complaints));
        }
    }

    fn linked(&mut self, id: &str, input: &Input, link: &[Value]) -> Result<Link, Raised> {
        let [node, slot] = link else {
            let message = "Bad linked input, must be a length-2 list of [node_id, slot_index]";
            return Ok(Link::Bad(literal::complain(
                self.files,
                input,
                "bad_linked_input",
                message,
                input.name,
                &json!(link),
            )));
        };
        let Some(node) = node.as_str().filter(|n| self.graph.contains_key(*n)) else {
            return Err(Raised::key(node.as_str().unwrap_or_default()));
        };
        let outputs = nodes::class(class_of(self.graph, node)).map_or(&[][..], |c| c.outputs);
        let slot = slot.as_u64().unwrap_or(u64::MAX) as usize;
        let Some(given) = outputs.get(slot) else {
            return Err(Raised { kind: "IndexError", text: "tuple index out of range".to_owned() });
        };
        if *given != input.kind_name() {
            let details =
                format!("{}, received_type({given}) mismatch input_type({})", input.name, input.kind_name());
            return Ok(Link::Bad(json!({"type": "return_type_mismatch",
                "message": "Return type mismatch between linked nodes", "details": details,
                "extra_info": {"input_name": input.name, "input_config": input.declaration(self.files),
                    "received_type": given, "linked_node": link}})));
        }
        self.way.push(id.to_owned());
        let before = self.node(node);
        self.way.pop();
        Ok(match before {
            Ok(Soundness::Sound) => Link::Good,
            Ok(Soundness::Unsound) => Link::Upstream,
            Err(raised) => {
                let complaint = raised.inner(input, self.files, link);
                self.checked.insert(node.to_owned(), (Soundness::Unsound, vec![complaint]));
                Link::Upstream
            }
        })
    }

    /// Puts every complaint known so far under its node, for this output.
    fn collect(&self, output: &str, node_errors: &mut Map<String, Value>) {
        for (id, (_, complaints)) in self.checked.iter().filter(|(_, (_, c))| !c.is_empty()) {
            let entry = node_errors.entry(id.clone()).or_insert_with(|| {
                json!({"errors": complaints, "dependent_outputs": [], "class_type": class_of(self.graph, id)})
            });
            if let Some(list) = entry["dependent_outputs"].as_array_mut() {
                list.push(json!(output));
            }
        }
    }
}

enum Link {
    Good,
    /// The complaint is with a node before.
    Upstream,
    Bad(Value),
}

impl Raised {
    fn key(key: &str) -> Self {
        Self { kind: "KeyError", text: format!("'{key}'") }
    }

    /// As the node before complains: the exception was met on the way from an input.
    fn inner(&self, input: &Input, files: &Files, link: &[Value]) -> Value {
        json!({"type": "exception_during_inner_validation", "message": "Exception when validating inner node",
            "details": self.text, "extra_info": {"input_name": input.name,
                "input_config": input.declaration(files), "exception_message": self.text,
                "exception_type": self.kind, "linked_node": link,
                "traceback": ["  File \"execution.py\", line 1, in validate_inputs\n"]}})
    }

    fn complaint(&self) -> Value {
        json!({"type": "exception_during_validation", "message": "Exception when validating node",
            "details": self.text, "extra_info": {"exception_type": self.kind,
                "traceback": ["  File \"execution.py\", line 1, in validate_inputs\n"]}})
    }
}

fn line(complaint: &Value) -> String {
    format!("{}: {}", text(&complaint["message"]), text(&complaint["details"]))
}
