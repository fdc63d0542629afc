//! What arrives on ComfyUI's WebSocket, as types. No byte sequence makes this panic.
//!
//! Text frames are `{"type","data"}`. Binary frames begin with a big-endian `u32`: 1 is a preview (format, image),
//! 4 a preview with its job and node, 3 a line of text of a node. Recorded from 0.3.64 and 0.24.0.

use std::borrow::Cow;

use bytes::{Buf, Bytes};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::backends::comfyui::history::Failure;

/// One message of the server.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the protocol's")]
pub enum Frame {
    /// Jobs running and pending; the first frame on a socket also says which id the socket has.
    Status { remaining: u32, sid: Option<String> },
    /// The server's answer to our feature flags.
    Features,
    /// A job begins.
    Start { prompt: String },
    /// Nodes of a job that are not run again.
    Cached { prompt: String, nodes: Vec<String> },
    /// All nodes of a job that have begun, each with how far it is.
    State { prompt: String, nodes: Vec<NodeState> },
    /// A node begins; without a node the job is over. On a reconnect it names no job.
    Executing { prompt: Option<String>, node: Option<String> },
    /// A step of a node.
    Progress { prompt: Option<String>, node: Option<String>, value: f64, max: f64 },
    /// A node has left outputs.
    Executed { prompt: String, node: String, output: Option<Box<RawValue>> },
    /// A job ended well.
    Success { prompt: String },
    /// A job failed.
    Error { prompt: String, failure: Box<Failure> },
    /// A job was interrupted.
    Interrupted { prompt: String },
    /// A picture of work in progress; the older form names no job.
    Preview { prompt: Option<String>, node: Option<String>, image: Bytes },
    /// A line of text of a node; it names no job.
    Text { node: String, text: String },
    /// A type that this library does not know.
    Unknown(String),
}

/// How far one node is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the fields are the protocol's")]
pub struct NodeState {
    #[serde(default)]
    pub node_id: String,
    #[serde(default)]
    pub value: f64,
    #[serde(default)]
    pub max: f64,
    #[serde(default)]
    pub state: String,
}

/// Why a message is none: for a count and a log line, never for the end of a session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Malformed {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl Frame {
    /// The job that it belongs to, where it says.
    pub fn prompt(&self) -> Option<&str> {
        match self {
            Self::Start { prompt }
            | Self::Cached { prompt, .. }
            | Self::State { prompt, .. }
            | Self::Executed { prompt, .. }
            | Self::Success { prompt }
            | Self::Error { prompt, .. }
            | Self::Interrupted { prompt } => Some(prompt),
            Self::Executing { prompt, .. } | Self::Progress { prompt, .. } | Self::Preview { prompt, .. } => {
                prompt.as_deref()
            }
            Self::Status { .. } | Self::Features | Self::Text { .. } | Self::Unknown(_) => None,
        }
    }

    /// Reads a text frame.
    ///
    /// # Errors
    /// It is no JSON object with a `type`, or a known type has other fields than it should.
    pub fn from_text(text: &str) -> Result<Self, Malformed> {
        let envelope: Envelope<'_> =
            serde_json::from_str(text).map_err(|e| Malformed::new(format!("not a message: {e}")))?;
        let data = envelope.data.map_or("null", RawValue::get);
        read(&envelope.kind, data).map_err(|e| Malformed::new(format!("`{}`: {e}", envelope.kind)))
    }

    /// Reads a binary frame; a preview's image is a slice of it.
    ///
    /// # Errors
    /// It is shorter than its own lengths say, or its text is no text.
    pub fn from_binary(mut bytes: Bytes) -> Result<Self, Malformed> {
        match take_u32(&mut bytes)? {
            1 => {
                take_u32(&mut bytes)?;
                Ok(Self::Preview { prompt: None, node: None, image: bytes })
            }
            3 => {
                let node = take_text(&mut bytes)?;
                Ok(Self::Text { node, text: String::from_utf8_lossy(&bytes).into_owned() })
            }
            4 => {
                let of: PreviewOf = serde_json::from_str(&take_text(&mut bytes)?)
                    .map_err(|e| Malformed::new(format!("a preview's description: {e}")))?;
                Ok(Self::Preview { prompt: of.prompt_id, node: of.node_id, image: bytes })
            }
            other => Ok(Self::Unknown(format!("binary {other}"))),
        }
    }
}

fn read(kind: &str, data: &str) -> Result<Frame, serde_json::Error> {
    Ok(match kind {
        "status" => {
            let d: StatusData = serde_json::from_str(data)?;
            Frame::Status { remaining: d.status.exec_info.queue_remaining, sid: d.sid }
        }
        "feature_flags" => Frame::Features,
        "execution_start" => Frame::Start { prompt: serde_json::from_str::<OfPrompt>(data)?.prompt_id },
        "execution_success" => Frame::Success { prompt: serde_json::from_str::<OfPrompt>(data)?.prompt_id },
        "execution_interrupted" => {
            Frame::Interrupted { prompt: serde_json::from_str::<OfPrompt>(data)?.prompt_id }
        }
        "execution_cached" => {
            let d: CachedData = serde_json::from_str(data)?;
            Frame::Cached { prompt: d.prompt_id, nodes: d.nodes }
        }
        "progress_state" => {
            let d: StateData = serde_json::from_str(data)?;
            Frame::State { prompt: d.prompt_id, nodes: d.nodes.into_values().collect() }
        }
        "executing" => {
            let d: NodeData = serde_json::from_str(data)?;
            Frame::Executing { prompt: d.prompt_id, node: d.node }
        }
        "progress" => {
            let d: NodeData = serde_json::from_str(data)?;
            Frame::Progress { prompt: d.prompt_id, node: d.node, value: d.value, max: d.max }
        }
        "executed" => {
            let d: ExecutedData = serde_json::from_str(data)?;
            Frame::Executed { prompt: d.prompt_id, node: d.node, output: d.output }
        }
        "execution_error" => Frame::Error {
            prompt: serde_json::from_str::<OfPrompt>(data)?.prompt_id,
            failure: Box::new(serde_json::from_str(data)?),
        },
        other => Frame::Unknown(other.chars().take(64).collect()),
    })
}

fn take_u32(bytes: &mut Bytes) -> Result<u32, Malformed> {
    if bytes.len() < 4 {
        return Err(Malformed::new("a binary frame ends in its head"));
    }
    Ok(bytes.get_u32())
}

fn take_text(bytes: &mut Bytes) -> Result<String, Malformed> {
    let length = take_u32(bytes)? as usize;
    if length > bytes.len() {
        return Err(Malformed::new("a binary frame is shorter than it says"));
    }
    String::from_utf8(bytes.split_to(length).into()).map_err(|_| Malformed::new("a name is no UTF-8"))
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct StatusData {
    status: StatusBody,
    #[serde(default)]
    sid: Option<String>,
}

#[derive(Deserialize)]
struct StatusBody {
    exec_info: ExecInfo,
}

/// How much the server has to do: in `status` frames and in the answer to GET /prompt.
#[derive(Debug, Deserialize)]
pub(super) struct ExecInfo {
    pub(super) queue_remaining: u32,
}

#[derive(Deserialize)]
struct OfPrompt {
    prompt_id: String,
}

#[derive(Deserialize)]
struct CachedData {
    prompt_id: String,
    #[serde(default)]
    nodes: Vec<String>,
}

#[derive(Deserialize)]
struct StateData {
    prompt_id: String,
    #[serde(default)]
    nodes: indexmap::IndexMap<String, NodeState>,
}

#[derive(Deserialize)]
struct NodeData {
    #[serde(default)]
    prompt_id: Option<String>,
    #[serde(default)]
    node: Option<String>,
    #[serde(default)]
    value: f64,
    #[serde(default)]
    max: f64,
}

#[derive(Deserialize)]
struct ExecutedData {
    prompt_id: String,
    node: String,
    #[serde(default)]
    output: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct PreviewOf {
    #[serde(default)]
    prompt_id: Option<String>,
    #[serde(default)]
    node_id: Option<String>,
}

#[cfg(test)]
mod tests;
