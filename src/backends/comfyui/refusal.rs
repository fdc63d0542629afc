//! What the answer to POST /prompt means.

use http::StatusCode;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    backends::comfyui::catalogue::is_model,
    model::{Code, Fault},
};

/// How many nodes a one-line message names; the detail names all.
const NAMED: usize = 2;

/// What the answer to POST /prompt means.
#[derive(Debug)]
pub enum Answer {
    /// It is in the queue. The notes name the outputs that ComfyUI leaves out because their branch is invalid.
    Accepted {
        /// Its place in the server's count of prompts, which begins at 0 at each start.
        number: f64,
        /// What a person should know.
        notes: Vec<String>,
    },
    /// It is not in the queue.
    Refused(Fault),
    /// Something between us and the server answered: nobody can say whether the prompt arrived.
    Doubtful(Fault),
}

#[derive(Deserialize)]
struct Accepted {
    number: f64,
    #[serde(default)]
    node_errors: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Refused {
    error: Box<RawValue>,
    #[serde(default)]
    node_errors: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Complaint {
    r#type: String,
    message: String,
    details: String,
    extra_info: Extra,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Extra {
    exception_type: Option<String>,
    /// The class of a node that is missing (0.24.0).
    class_type: Option<String>,
    /// What stood in place of one of a list; of any type.
    received_value: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeComplaint {
    errors: Vec<Complaint>,
    class_type: String,
}

/// Judges an answer by its status and the beginning of its body.
pub fn judge(status: StatusCode, body: &str) -> Answer {
    match status.as_u16() {
        200 => accepted(body),
        400 => Answer::Refused(invalid(body)),
        // ComfyUI answers 500 with a plain text when its own check of the workflow raises an exception: then nothing
        // was queued, and the same workflow fails again.
        500 => Answer::Refused(
            Fault::new(Code::InvalidWorkflow, "ComfyUI failed while it checked the workflow (HTTP 500)")
                .with_fix("Check that every node is an object with `class_type` and `inputs`; ComfyUI's log has the trace.")
                .with_detail(body),
        ),
        401 => Answer::Refused(Fault::new(Code::AuthRequired, "the server wants a key for prompts (HTTP 401)")),
        403 => Answer::Refused(Fault::new(Code::Forbidden, "the server forbids the prompt (HTTP 403)")),
        413 => Answer::Refused(Fault::new(Code::BadRequest, "the workflow is too large for the server (HTTP 413)")),
        429 => Answer::Refused(Fault::new(Code::RateLimited, "the server limits the rate (HTTP 429)")),
        404 | 405 => {
            Answer::Refused(Fault::new(Code::Protocol, format!("the server takes no prompts ({status})")))
        }
        502..=504 => Answer::Doubtful(
            Fault::new(Code::ProxyInTheWay, format!("a proxy answered in place of ComfyUI ({status})"))
                .with_detail(body),
        ),
        _ if status.is_client_error() => Answer::Refused(
            Fault::new(Code::BadRequest, format!("the server refuses the prompt ({status})")).with_detail(body),
        ),
        _ => Answer::Doubtful(
            Fault::new(Code::Protocol, format!("an answer that ComfyUI does not give ({status})")).with_detail(body),
        ),
    }
}

fn accepted(body: &str) -> Answer {
    match serde_json::from_str::<Accepted>(body) {
        Ok(a) => {
            let notes = complaints(a.node_errors.as_deref());
            let notes = notes.iter().map(|n| format!("left out by ComfyUI: {n}")).collect();
            Answer::Accepted { number: a.number, notes }
        }
        Err(e) => Answer::Doubtful(
            Fault::new(Code::Protocol, format!("the answer to the prompt is not ComfyUI's: {e}"))
                .with_detail(body),
        ),
    }
}

fn invalid(body: &str) -> Fault {
    let Ok(refused) = serde_json::from_str::<Refused>(body) else {
        return Fault::new(Code::BadRequest, "the server refuses the prompt (HTTP 400)").with_detail(body);
    };
    let text = refused.error.get();
    let overall = serde_json::from_str::<Complaint>(text).unwrap_or_else(|_| Complaint {
        message: serde_json::from_str(text).unwrap_or_else(|_| text.to_owned()),
        ..Complaint::default()
    });
    let nodes = complaints(refused.node_errors.as_deref());
    if nodes.is_empty() {
        let line = overall.line();
        let code = if overall.misses_a_node() { Code::MissingNode } else { Code::InvalidWorkflow };
        return Fault::new(code, &line).with_detail(format!("{}: {line}", overall.r#type));
    }
    let more = nodes.len().saturating_sub(NAMED);
    let mut line = nodes[..nodes.len().min(NAMED)].join("; ");
    if more > 0 {
        line = format!("{line}; and {more} more");
    }
    let code = if misses_models(refused.node_errors.as_deref()) {
        Code::MissingModel
    } else {
        Code::InvalidWorkflow
    };
    Fault::new(code, line).with_detail(nodes.join("\n"))
}

fn by_node(node_errors: Option<&RawValue>) -> IndexMap<String, NodeComplaint> {
    let json = node_errors.map_or("{}", RawValue::get);
    // An empty `node_errors` is `{}` in these versions, and was a list in older ones.
    serde_json::from_str(json).unwrap_or_default()
}

/// Whether nothing is wrong but files of models that the server does not have.
fn misses_models(node_errors: Option<&RawValue>) -> bool {
    let nodes = by_node(node_errors);
    let mut all = nodes.values().flat_map(|node| &node.errors).peekable();
    all.peek().is_some() && all.all(Complaint::misses_a_model)
}

/// One line for each complaint, by node.
fn complaints(node_errors: Option<&RawValue>) -> Vec<String> {
    let nodes = by_node(node_errors);
    let lines = nodes.iter().flat_map(|(id, node)| {
        node.errors.iter().map(move |e| format!("node {id} ({}): {}", node.class_type, e.line()))
    });
    lines.collect()
}

impl Complaint {
    /// 0.24.0 has a type for it, and uses it for a node without a class, too; 0.3.64 has a sentence.
    fn misses_a_node(&self) -> bool {
        match self.r#type.as_str() {
            "missing_node_type" => self.extra_info.class_type.is_some(),
            _ => {
                self.message.starts_with("Cannot execute because node ")
                    && self.message.ends_with(" does not exist.")
            }
        }
    }

    fn misses_a_model(&self) -> bool {
        let value = self.extra_info.received_value.as_deref().map_or("", RawValue::get);
        let name: Option<String> = serde_json::from_str(value).ok();
        self.r#type == "value_not_in_list" && name.is_some_and(|name| is_model(&name))
    }

    fn line(&self) -> String {
        // A link to a node that is not there is a Python exception to ComfyUI: its text alone (`'99'`) says nothing.
        let missing = self.extra_info.exception_type.as_deref() == Some("KeyError");
        match (self.message.trim(), self.details.trim()) {
            (_, node) if missing => format!("it is linked to node {node}, which is not in the workflow"),
            (message, "") => message.to_owned(),
            (message, details) if message == details => message.to_owned(),
            (message, details) => format!("{message}: {details}"),
        }
    }
}

#[cfg(test)]
mod tests;
