//! What `/history/{id}` says of an ended job: the authority on how it ended and what it left.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    backends::{Finished, RemoteFile, comfyui::queue::Ticket},
    model::{Code, Fault},
};

/// Said of a job whose outputs are those of an earlier one.
pub const FROM_CACHE: &str =
    "served from ComfyUI's cache: nothing in the workflow changed, so nothing was run";

/// The most files that are taken from one job.
const FILES_CAP: usize = 10_000;

/// The answer to `/history/{id}`: empty for an unknown id (200 `{}` in 0.3.64 and 0.24.0).
pub(super) type History = IndexMap<String, Entry>;

/// One ended job.
#[derive(Debug, Deserialize)]
pub struct Entry {
    #[serde(default)]
    prompt: Option<Ticket>,
    #[serde(default)]
    outputs: Option<Box<RawValue>>,
    #[serde(default)]
    status: Option<Status>,
}

/// How a job ended.
#[derive(Debug)]
pub enum Verdict {
    /// Well.
    Done(Finished),
    /// With an error.
    Failed(Fault),
    /// Somebody interrupted it.
    Interrupted,
}

/// Why a job failed, as the server tells it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the fields are the protocol's")]
pub struct Failure {
    pub node_id: Option<String>,
    pub node_type: Option<String>,
    pub exception_type: Option<String>,
    pub exception_message: Option<String>,
    pub traceback: Vec<String>,
}

/// A file as the server names it, and as [`RemoteFile::locator`] carries it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FileName {
    pub(super) filename: String,
    #[serde(default)]
    pub(super) subfolder: String,
    #[serde(default = "output", rename = "type")]
    pub(super) folder: String,
    /// Video nodes name their media type here.
    #[serde(default, skip_serializing)]
    format: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    status_str: Option<String>,
    #[serde(default)]
    messages: Vec<(String, Box<RawValue>)>,
}

#[derive(Default, Deserialize)]
struct CachedNodes {
    #[serde(default)]
    nodes: HashSet<String>,
}

impl Entry {
    /// How it ended. An interrupted job also says `status_str: "error"`: only its messages tell the two apart.
    pub fn verdict(self) -> Verdict {
        let message = |kind: &str| {
            let messages = self.status.iter().flat_map(|s| &s.messages);
            messages.rev().find(|(k, _)| k == kind).map(|(_, data)| data.get())
        };
        if message("execution_interrupted").is_some() {
            return Verdict::Interrupted;
        }
        let failed = message("execution_error").map(|d| serde_json::from_str(d).unwrap_or_default());
        let says_error = self.status.as_ref().is_some_and(|s| s.status_str.as_deref() == Some("error"));
        if let Some(failure) = failed.or_else(|| says_error.then(Failure::default)) {
            return Verdict::Failed(failure.fault());
        }
        let cached: CachedNodes =
            message("execution_cached").and_then(|d| serde_json::from_str(d).ok()).unwrap_or_default();
        let wanted = self.prompt.as_ref().map_or(&[][..], |t| &t.wanted);
        let fully_cached = !wanted.is_empty() && wanted.iter().all(|node| cached.nodes.contains(node));
        let notes = if fully_cached { vec![FROM_CACHE.to_owned()] } else { Vec::new() };
        let files = self.outputs.as_deref().map(files).unwrap_or_default();
        Verdict::Done(Finished { files, result: self.outputs.map(Into::into), notes })
    }
}

impl Failure {
    /// The fault that a caller sees.
    pub fn fault(&self) -> Fault {
        let said = self.exception_message.as_deref().unwrap_or("ComfyUI gives no reason").trim();
        let kind = self.exception_type.as_deref().unwrap_or_default();
        let place = match (&self.node_type, &self.node_id) {
            (Some(class), Some(id)) => format!("{class} (node {id})"),
            (None, Some(id)) => format!("node {id}"),
            (Some(class), None) => class.clone(),
            (None, None) => "the workflow".to_owned(),
        };
        let code = if is_out_of_memory(kind, said) { Code::OutOfMemory } else { Code::ExecutionFailed };
        let trace: String = self.traceback.concat();
        Fault::new(code, format!("{place} failed: {said}")).with_detail(format!("{kind}: {said}\n{trace}"))
    }
}

fn is_out_of_memory(kind: &str, said: &str) -> bool {
    // torch.OutOfMemoryError, torch.cuda.OutOfMemoryError; ROCm and DirectML only say it in the message.
    let said = said.to_ascii_lowercase();
    kind.ends_with("OutOfMemoryError")
        || kind == "MemoryError"
        || said.contains("out of memory")
        || said.starts_with("allocation on device")
}

/// Every file under any key of any node: images, gifs, audio, video, 3d, and what custom nodes invent.
fn files(outputs: &RawValue) -> Vec<RemoteFile> {
    let nodes: IndexMap<String, &RawValue> = serde_json::from_str(outputs.get()).unwrap_or_default();
    nodes.iter().flat_map(|(node, output)| files_of(node, output)).take(FILES_CAP).collect()
}

/// The files in one node's output.
pub(super) fn files_of(node: &str, output: &RawValue) -> Vec<RemoteFile> {
    let keys: IndexMap<String, &RawValue> = serde_json::from_str(output.get()).unwrap_or_default();
    let mut found = Vec::new();
    for (key, list) in keys {
        let list: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
        for (index, item) in list.into_iter().enumerate() {
            // Beside files a key may hold flags (`animated: [true]`) or texts.
            let Ok(file) = serde_json::from_str::<FileName>(item.get()) else { continue };
            found.push(file.into_remote(format!("{node}/{key}/{index}")));
        }
    }
    found
}

impl FileName {
    fn into_remote(self, slot: String) -> RemoteFile {
        let format = self.format.as_ref().and_then(|f| serde_json::from_str::<String>(f.get()).ok());
        RemoteFile {
            claimed_type: format.filter(|f| f.contains('/')),
            slot,
            locator: serde_json::to_string(&self).expect("a struct of strings is JSON"),
            name: self.filename,
        }
    }
}

fn output() -> String {
    "output".to_owned()
}

#[cfg(test)]
mod tests;
