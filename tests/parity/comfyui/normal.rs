//! What differs from run to run is replaced by names in the order of appearance.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// Names given so far.
#[derive(Default)]
pub struct Names {
    ids: HashMap<String, usize>,
    files: HashMap<String, usize>,
    /// The number of the first prompt of this trace.
    first: Option<i64>,
}

impl Names {
    /// A JSON value, comparable.
    pub fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (self.text(key), self.field(key, value)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Value::Array(items) if self.is_ticket(items) => {
                let outputs = sorted(&items[4]);
                json!([
                    self.number(&items[0]),
                    self.value(&items[1]),
                    "<graph>",
                    self.value(&items[3]),
                    outputs
                ])
            }
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::String(text) => json!(self.text(text)),
            other => other.clone(),
        }
    }

    fn field(&mut self, key: &str, value: &Value) -> Value {
        match key {
            "timestamp" | "create_time" | "execution_start_time" | "execution_end_time" => json!("<ms>"),
            // How much was run before.
            "total" => json!("<count>"),
            "prompt" if value.is_object() => json!("<graph>"),
            "traceback" => json!("<trace>"),
            "current_inputs" => sorted(&json!(value.as_object().map(|o| o.keys().collect::<Vec<_>>()))),
            // Sets of Python, in no order.
            "current_outputs" | "dependent_outputs" => sorted(value),
            "number" | "priority" => self.number(value),
            _ => self.value(value),
        }
    }

    /// Number, id, graph, extra data, outputs.
    fn is_ticket(&self, items: &[Value]) -> bool {
        matches!(
            items,
            [Value::Number(_), Value::String(_), Value::Object(_), Value::Object(_), Value::Array(_)]
        )
    }

    fn number(&mut self, value: &Value) -> Value {
        let Some(number) = value.as_i64() else { return value.clone() };
        let first = *self.first.get_or_insert(number);
        json!(format!("first+{}", number - first))
    }

    /// A text with the ids and file names in it named.
    pub fn text(&mut self, text: &str) -> String {
        if is_id(text) {
            let next = self.ids.len() + 1;
            return format!("<id {}>", self.ids.entry(text.to_owned()).or_insert(next));
        }
        if let Some(stem) = text.strip_suffix("_.png") {
            let next = self.files.len() + 1;
            let number = self.files.entry(text.to_owned()).or_insert(next);
            let kind = if stem.starts_with("ComfyUI_temp_") {
                "temp"
            } else {
                stem.trim_end_matches(|c: char| c.is_ascii_digit())
            };
            return format!("<{kind} file {number}>");
        }
        text.to_owned()
    }
}

/// A UUID, hyphenated or not.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 32 | 36) && uuid::Uuid::try_parse(text).is_ok()
}

fn sorted(list: &Value) -> Value {
    let mut items = list.as_array().cloned().unwrap_or_default();
    items.sort_by_key(Value::to_string);
    Value::Array(items)
}
