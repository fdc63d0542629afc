//! Recordings of WanGP's own MCP server (12.60, MCP library 1.10.1, over a session without a card), for tests.

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Recording {
    request: Asked,
    status_line: String,
    body: Box<RawValue>,
}

#[derive(Deserialize)]
struct Asked {
    body: String,
}

fn recording(name: &str) -> Recording {
    let path = format!("{}/tests/fixtures/wan2gp/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The body of a recorded answer: a document, or the text where it was none.
pub(super) fn body(name: &str) -> Vec<u8> {
    let raw = recording(name).body;
    match serde_json::from_str::<String>(raw.get()) {
        Ok(text) => text.into_bytes(),
        Err(_) => raw.get().as_bytes().to_vec(),
    }
}

/// The status of a recorded answer.
pub(super) fn status(name: &str) -> StatusCode {
    let line = recording(name).status_line;
    line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{name}: {line}"))
}

/// The body of the recorded request.
pub(super) fn asked(name: &str) -> String {
    recording(name).request.body
}
