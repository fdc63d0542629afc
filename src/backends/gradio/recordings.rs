//! The recordings of real apps, for tests: pages cut to the fields that are read here, streams as they came.

use crate::net::sse::SseDecoder;

pub(super) const VERSIONS: [&str; 3] = ["4.44.1", "5.29.0", "6.31.0"];

/// A file of a recording.
pub(super) fn file(version: &str, name: &str) -> String {
    let path = format!("{}/tests/fixtures/gradio/{version}/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The messages of a recorded stream.
pub(super) fn stream(version: &str, name: &str) -> Vec<String> {
    let mut decoder = SseDecoder::new(1 << 20);
    decoder.feed(file(version, &format!("{name}.sse")).as_bytes());
    std::iter::from_fn(|| decoder.next_event().unwrap()).map(|event| event.data).collect()
}
