//! The recordings of real servers, for tests: frames of sockets and answers to HTTP, in order.

use serde::Deserialize;
use serde_json::value::RawValue;

/// One line of a recording.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    /// Which socket, or `http`.
    pub(super) who: String,
    /// A text frame.
    pub(super) text: Option<Box<RawValue>>,
    /// Method and path of a request.
    pub(super) ask: Option<String>,
    /// The body of its answer.
    pub(super) body: Option<Box<RawValue>>,
}

pub(super) const VERSIONS: [&str; 2] = ["0.3.64", "0.24.0"];

/// A file of a recording.
pub(super) fn file(version: &str, name: &str) -> String {
    let path = format!("{}/tests/fixtures/comfyui/{version}/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A recorded scenario.
pub(super) fn scenario(version: &str, name: &str) -> Vec<Line> {
    let text = file(version, &format!("{name}.ndjson"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Line {
    /// The answer to a look at history.
    pub(super) fn history(&self) -> Option<&str> {
        self.ask.as_deref().filter(|a| a.starts_with("GET /history/"))?;
        Some(self.body.as_ref()?.get())
    }
}
