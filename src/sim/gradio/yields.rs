//! The messages of a call as the simple API tells them.

use serde_json::Value;

use crate::{
    backends::gradio::diff,
    sim::gradio::{Version, envelope::Envelope},
};

/// What a generator has yielded so far: the simple API tells whole values.
#[derive(Default)]
pub(super) struct Yields(Option<Vec<Value>>);

impl Yields {
    /// A message as the simple API tells it, where it does: no progress, no place in the queue, no log.
    pub(super) fn tell(&mut self, message: &Value, envelope: Envelope) -> Option<String> {
        let output = &message["output"];
        match message["msg"].as_str()? {
            "process_generating" => {
                let data = output["data"].as_array()?;
                let values = match self.0.take() {
                    None => data.clone(),
                    Some(mut values) => {
                        values.iter_mut().zip(data).for_each(|(value, edits)| {
                            diff::apply(value, edits).expect("our own differences fit");
                        });
                        values
                    }
                };
                let text = event("generating", &Value::Array(values.clone()));
                self.0 = Some(values);
                Some(text)
            }
            "process_completed" if message["success"] == true => Some(envelope.simply_done(&output["data"])),
            "process_completed" => Some(envelope.simply_failed(output)),
            "heartbeat" => Some(event("heartbeat", &Value::Null)),
            _ => None,
        }
    }
}

impl Envelope {
    fn simply_done(self, data: &Value) -> String {
        let text = event("complete", data);
        // The URLs of 4.44.1 lead nowhere.
        match self.0 {
            Version::V4_44_1 => text.replace("/file=/", "/ca/file=/"),
            _ => text,
        }
    }

    /// 4.44.1 and 5.29.0 hide why.
    fn simply_failed(self, output: &Value) -> String {
        match self.0 {
            Version::V6_31_0 => event("error", output),
            _ => event("error", &Value::Null),
        }
    }

    pub(super) fn simply_unknown(self) -> String {
        event("error", &self.no_session()["message"])
    }
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
