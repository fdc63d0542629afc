//! The envelope of the simulated server's answers.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::sim::{Body, server::plain};

/// An answer in JSON, as uvicorn sends it.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    served(plain(status, "application/json", body.to_string()))
}

/// The header that uvicorn adds to every answer.
pub(super) fn served(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(header::SERVER, HeaderValue::from_static("uvicorn"));
    answer
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut answer = served(plain(status, "application/json", Bytes::new()));
    if status != StatusCode::ACCEPTED {
        answer.headers_mut().remove(header::CONTENT_TYPE);
    }
    answer
}

pub(super) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    served(plain(status, "text/plain; charset=utf-8", text))
}

/// A refusal that never reached a method.
pub(super) fn refused(status: StatusCode, code: i64, message: &str) -> Response<Body> {
    let error = json!({ "code": code, "message": message });
    answer(status, &json!({ "jsonrpc": "2.0", "id": "server-error", "error": error }))
}

/// A method's result.
pub(super) fn result(id: &Value, result: &Value) -> Response<Body> {
    answer(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// A method's error.
pub(super) fn error(id: &Value, code: i64, message: &str) -> Response<Body> {
    let error = json!({ "code": code, "message": message, "data": "" });
    answer(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

/// What a tool says, in both forms.
pub(super) enum Said {
    Document(Value),
    List(Vec<Value>),
    /// A document, or none.
    Optional(Option<Value>),
    Complaint(String),
}

impl Said {
    pub(super) fn result(self) -> Value {
        let text = |value: &Value| json!({ "type": "text", "text": format!("{value:#}") });
        match self {
            Self::Document(document) => {
                json!({ "content": [text(&document)], "structuredContent": document, "isError": false })
            }
            Self::List(list) => {
                let content: Vec<Value> = list.iter().map(text).collect();
                json!({ "content": content, "structuredContent": { "result": list }, "isError": false })
            }
            Self::Optional(document) => {
                let content: Vec<Value> = document.iter().map(text).collect();
                json!({ "content": content, "structuredContent": { "result": document }, "isError": false })
            }
            Self::Complaint(words) => {
                json!({ "content": [{ "type": "text", "text": words }], "isError": true })
            }
        }
    }
}
