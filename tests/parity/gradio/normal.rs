//! Makes what differs from run to run comparable: ids by the order of their appearance, numbers that are times,
//! paths by their last part.

use serde_json::{Map, Value, json};

/// The ids of one run.
#[derive(Default)]
pub struct Names {
    events: Vec<String>,
}

impl Names {
    /// A document with comparable values.
    pub fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(map) => Value::Object(self.map(map)),
            Value::Array(list) => list.iter().map(|v| self.value(v)).collect(),
            Value::String(text) => json!(self.text(text)),
            other => other.clone(),
        }
    }

    fn map(&mut self, map: &Map<String, Value>) -> Map<String, Value> {
        let mut pairs: Vec<(String, Value)> = map
            .iter()
            .map(|(key, value)| {
                let value = match key.as_str() {
                    "event_id" => value.as_str().map_or(Value::Null, |id| json!(self.event(id))),
                    // How long it took, or is thought to take; not known before a first run.
                    "duration" if value.is_f64() => json!("seconds"),
                    "average_duration" | "cache_duration" | "avg_time" | "rank_eta" | "eta" => {
                        json!("seconds or null")
                    }
                    "app_id" => json!(if value.is_u64() { "a number" } else { "no number" }),
                    // What FastAPI was given is repeated at length.
                    "input" | "ctx" => json!("…"),
                    _ => self.value(value),
                };
                (key.clone(), value)
            })
            .collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.into_iter().collect()
    }

    fn event(&mut self, id: &str) -> String {
        let place = self.events.iter().position(|e| e == id).unwrap_or_else(|| {
            self.events.push(id.to_owned());
            self.events.len() - 1
        });
        format!("E{}", place + 1)
    }

    /// A text: the first line of an error, the last part of a path.
    pub fn text(&self, text: &str) -> String {
        let first = text.lines().next().unwrap_or_default();
        let words: Vec<String> = first.split(' ').map(word).collect();
        words.join(" ")
    }
}

/// `http://host/file=/tmp/gradio/HASH/img123.png` becomes `BASE/file=CACHE/imgN.png`.
fn word(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(rest) = word.strip_prefix("http://") {
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        word = format!("BASE{path}");
    }
    let Some(at) = word.find("/tmp/") else { return word };
    let end = word[at..].rfind('/').unwrap_or(0) + at;
    let name: String = match word[end + 1..].strip_prefix("img") {
        Some(rest) => format!("img{}", rest.replace(|c: char| c.is_ascii_digit(), "")),
        None => word[end + 1..].to_owned(),
    };
    format!("{}CACHE/{name}", &word[..at])
}
