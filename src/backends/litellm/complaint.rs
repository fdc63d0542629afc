//! What a server says in an error: the shapes in which servers of this family say it.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

/// What a server says in an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The sentence.
    pub(super) message: String,
    /// OpenAI's `type`. Not reliable: LiteLLM 1.106.2 says `invalid_request_error` for a time-out of its upstream.
    pub(super) kind: String,
    /// OpenAI's `code`: a name, or with LiteLLM the status as a text.
    pub(super) code: String,
}

/// A field that should be a text, of whatever type it is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Loose {
    Text(String),
    Number(i64),
    Other(IgnoredAny),
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    message: Option<Loose>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Object {
    message: Option<Loose>,
    r#type: Option<Loose>,
    code: Option<Loose>,
}

impl Complaint {
    /// The complaint in a body: OpenAI's `error` object, Ollama's `error` text, FastAPI's `detail`, a bare `message`.
    pub(super) fn of_body(body: &str) -> Option<Self> {
        let body: Body<'_> = serde_json::from_str(body).ok()?;
        if let Some(error) = body.error {
            return Some(Self::of_error(error));
        }
        if let Some(detail) = body.detail {
            return Some(Self::of_error(detail));
        }
        body.message.map(|m| Self { message: text(Some(m)), ..Self::default() })
    }

    /// The complaint in an `error` field.
    pub(super) fn of_error(error: &RawValue) -> Self {
        if let Ok(object) = serde_json::from_str::<Object>(error.get()) {
            let said =
                Self { message: text(object.message), kind: text(object.r#type), code: text(object.code) };
            let message = if said.message.is_empty() { error.get().to_owned() } else { said.message };
            return Self { message, ..said };
        }
        let message = serde_json::from_str::<String>(error.get()).unwrap_or_else(|_| error.get().to_owned());
        Self { message, ..Self::default() }
    }

    /// Its first paragraph: LiteLLM appends advice about its own fallbacks.
    pub(super) fn sentence(&self) -> &str {
        self.message.split("\n\n").next().unwrap_or_default().trim()
    }

    /// Whether the sentence or the code has this in it, whatever its case.
    pub(super) fn says(&self, words: &str) -> bool {
        self.message.to_ascii_lowercase().contains(words) || self.code.to_ascii_lowercase().contains(words)
    }
}

fn text(field: Option<Loose>) -> String {
    match field {
        Some(Loose::Text(text)) => text,
        Some(Loose::Number(number)) => number.to_string(),
        Some(Loose::Other(_)) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> (String, String) {
        let complaint = Complaint::of_body(body).unwrap();
        (complaint.sentence().to_owned(), complaint.code)
    }

    #[test]
    fn every_shape_of_an_error_is_understood() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            said(r#"{"error":{"message":"x\n\nLiteLLM: more","type":null,"param":null,"code":"500"}}"#),
            pair("x", "500")
        );
        assert_eq!(
            said(r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#),
            pair("Loading model", "503")
        );
        assert_eq!(said(r#"{"error":"model 'x' not found"}"#), pair("model 'x' not found", ""));
        assert_eq!(said(r#"{"detail":"Not Found"}"#), pair("Not Found", ""));
        assert_eq!(said(r#"{"detail":[{"loc":["body"]}]}"#), pair(r#"[{"loc":["body"]}]"#, ""));
        assert_eq!(said(r#"{"error":{"odd":1}}"#), pair(r#"{"odd":1}"#, ""));
        assert_eq!(said(r#"{"message":"no"}"#), pair("no", ""));
        assert_eq!(Complaint::of_body("<html>"), None);
        assert_eq!(Complaint::of_body("[]").map(|c| c.message), None);
        assert_eq!(Complaint::of_body("\"text\""), None);
    }
}
