//! The messages of a stream, as each version writes them.

use serde_json::{Map, Value, json};

use crate::sim::gradio::Version;

/// Why a function failed.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// `gr.Error`.
    Raised(String),
    /// Any other exception.
    Crashed(String),
}

/// Where a generator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Yielding {
    On,
    Over,
}

/// Writes the messages of one version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope(pub(super) Version);

impl Envelope {
    pub(super) fn estimation(self, rank: Option<usize>, size: usize) -> Value {
        json!({"msg": "estimation", "event_id": null, "rank": rank, "queue_size": size, "rank_eta": null})
    }

    pub(super) fn starts(self) -> Value {
        json!({"msg": "process_starts", "event_id": null, "eta": null})
    }

    pub(super) fn progress(self, index: u64, length: u64, desc: &str) -> Value {
        let unit = json!({"index": index, "length": length, "unit": "steps", "progress": null, "desc": desc});
        json!({"msg": "progress", "event_id": null, "progress_data": [unit]})
    }

    /// A line of `gr.Info`.
    pub(super) fn log(self, line: &str) -> Value {
        let mut message = json!({"msg": "log", "event_id": null, "log": line, "level": "info", "duration": 10.0,
            "visible": true});
        if self.0 >= Version::V5_29_0 {
            put(&mut message, "title", json!("Info"));
        }
        message
    }

    pub(super) fn generating(self, output: &Value) -> Value {
        let output = self.output(output, Yielding::On);
        let mut message =
            json!({"msg": "process_generating", "event_id": null, "output": output, "success": true});
        if self.0 >= Version::V5_29_0 {
            put(&mut message, "time_limit", Value::Null);
        }
        message
    }

    pub(super) fn completed(self, output: &Value) -> Value {
        let output = self.output(output, Yielding::Over);
        let mut message =
            json!({"msg": "process_completed", "event_id": null, "output": output, "success": true});
        self.sign(&mut message, Value::Null, json!(0.8));
        message
    }

    /// A cancelled call is a success without values.
    pub(super) fn cancelled(self) -> Value {
        let mut message =
            json!({"msg": "process_completed", "event_id": null, "output": {}, "success": true});
        self.sign(&mut message, Value::Null, Value::Null);
        message
    }

    pub(super) fn failed(self, failure: &Failure) -> Value {
        let mut output = match (failure, self.0) {
            // 4.44.1 quotes the text of a `gr.Error`.
            (Failure::Raised(text), Version::V4_44_1) => {
                json!({"error": format!("'{text}'"), "duration": 10, "visible": true})
            }
            (Failure::Raised(text), _) => {
                json!({"error": text, "duration": 10, "visible": true, "title": "Error"})
            }
            (Failure::Crashed(text), _) => json!({"error": text}),
        };
        if self.0 == Version::V6_31_0 {
            put(&mut output, "visible", json!(true));
        }
        let mut message =
            json!({"msg": "process_completed", "event_id": null, "output": output, "success": false});
        self.sign(&mut message, json!("Error"), Value::Null);
        message
    }

    pub(super) fn heartbeat(self) -> Value {
        json!({"msg": "heartbeat", "event_id": null})
    }

    pub(super) fn close(self) -> Value {
        json!({"msg": "close_stream", "event_id": null})
    }

    pub(super) fn no_session(self) -> Value {
        match self.0 {
            Version::V6_31_0 => {
                json!({"msg": "unexpected_error", "event_id": null, "message": "404: Not Found",
                "session_not_found": true, "success": false})
            }
            _ => json!({"msg": "unexpected_error", "event_id": null, "message": "404: Session not found.",
                "success": false}),
        }
    }

    fn output(self, data: &Value, yielding: Yielding) -> Value {
        let mut output = json!({"data": data, "is_generating": yielding == Yielding::On, "duration": 0.2,
            "average_duration": 0.2, "render_config": null, "changed_state_ids": []});
        if self.0 == Version::V6_31_0 {
            put(&mut output, "used_cache", Value::Null);
        }
        output
    }

    fn sign(self, message: &mut Value, title: Value, took: Value) {
        if self.0 >= Version::V5_29_0 {
            put(message, "title", title);
        }
        if self.0 == Version::V6_31_0 {
            put(message, "used_cache", Value::Null);
            put(message, "cache_duration", took.clone());
            put(message, "avg_time", took);
        }
    }
}

/// The difference between two yields of one output, as `sse_v3` writes it: text that grew is appended, all else is
/// replaced.
pub(super) fn difference(before: &Value, after: &Value) -> Value {
    if before == after {
        return json!([]);
    }
    match (before, after) {
        (Value::String(old), Value::String(new)) if new.starts_with(old.as_str()) => {
            json!([["append", [], new[old.len()..]]])
        }
        _ => json!([["replace", [], after]]),
    }
}

fn put(value: &mut Value, key: &str, what: Value) {
    if let Value::Object(map) = value {
        let map: &mut Map<String, Value> = map;
        map.insert(key.to_owned(), what);
    }
}
