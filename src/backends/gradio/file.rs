//! Files as Gradio writes them in arguments and results.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::backends::RemoteFile;

/// The most files that one result may name.
const COUNT: usize = 4_096;
/// The deepest place in a result where a file is looked for.
const DEPTH: usize = 64;

/// A file at the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileData {
    /// Where it is on the app's machine: what stands for the file in a call.
    pub path: String,
    /// The name that it had before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_name: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The media type that its sender claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What makes Gradio take it for a file.
    #[serde(default)]
    pub meta: Meta,
}

/// The mark of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    #[serde(rename = "_type", default = "mark")]
    sort: String,
}

impl Default for Meta {
    fn default() -> Self {
        Self { sort: mark() }
    }
}

fn mark() -> String {
    "gradio.FileData".to_owned()
}

impl FileData {
    /// A file that the app has at this path.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), orig_name: None, size: None, mime_type: None, meta: Meta::default() }
    }
}

/// The files that a result names, each with its place (`0`, `1/2/video`).
///
/// The `url` beside a path is built from whatever `Host` the app saw, and on 4.44.1 it can be wrong altogether: it is
/// not read.
pub fn in_result(data: &Value) -> Vec<RemoteFile> {
    let mut files = Vec::new();
    gather(data, &mut Vec::new(), &mut files);
    files
}

fn gather(value: &Value, place: &mut Vec<String>, files: &mut Vec<RemoteFile>) {
    if place.len() > DEPTH || files.len() >= COUNT {
        return;
    }
    match value {
        Value::Array(list) => {
            for (at, item) in list.iter().enumerate() {
                place.push(at.to_string());
                gather(item, place, files);
                place.pop();
            }
        }
        Value::Object(map) => {
            if let Some(file) = as_file(value) {
                files.push(remote(file, place.join("/")));
                return;
            }
            for (key, item) in map {
                place.push(key.clone());
                gather(item, place, files);
                place.pop();
            }
        }
        _ => {}
    }
}

/// A file has the mark, or, where an app leaves that out, a path and something else that files have. A field that is not
/// what it should be costs itself, not the file.
fn as_file(value: &Value) -> Option<FileData> {
    let text =
        |name: &str| value.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let marked = value.pointer("/meta/_type").and_then(Value::as_str) == Some("gradio.FileData");
    let told = ["url", "orig_name", "mime_type"].iter().any(|name| text(name).is_some());
    let path = text("path").filter(|_| marked || told)?;
    Some(FileData {
        orig_name: text("orig_name"),
        size: value.get("size").and_then(Value::as_u64),
        mime_type: text("mime_type"),
        ..FileData::new(path)
    })
}

fn remote(file: FileData, slot: String) -> RemoteFile {
    let base = file.path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    RemoteFile {
        name: file.orig_name.filter(|n| !n.is_empty()).unwrap_or(base),
        claimed_type: file.mime_type,
        slot,
        locator: file.path,
    }
}

#[cfg(test)]
mod tests;
