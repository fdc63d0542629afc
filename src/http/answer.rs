//! Errors in one shape.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Error,
    config::Problems,
    model::{Class, fault::clean},
};

/// Why the API did not do what was asked.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refused<'a> {
    error: Shape<'a>,
}

/// The one shape of an error.
#[derive(Serialize, ToSchema)]
struct Shape<'a> {
    /// The cause's name; it stays the same.
    code: &'a str,
    /// What a program branches on.
    class: Class,
    /// What happened, one sentence.
    message: &'a str,
    /// What to do about it, one sentence.
    fix: &'a str,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// What more there is to say.
    detail: Option<Detail<'a>>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Detail<'a> {
    /// Every problem of a configuration that is not valid.
    Problems(&'a Problems),
    /// What the other side said.
    Text(&'a str),
}

/// A refusal of the API's own.
pub(crate) fn refusal(status: StatusCode, code: &str, class: Class, message: &str, fix: &str) -> Response {
    let retryable = matches!(class, Class::Busy | Class::Timeout | Class::Unreachable);
    let error = Shape { code, class, message, fix, retryable, detail: None };
    (status, Json(Refused { error })).into_response()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self.class() {
            _ if matches!(self, Error::Outdated) => StatusCode::PRECONDITION_FAILED,
            Class::Usage | Class::Config => StatusCode::BAD_REQUEST,
            Class::Auth => StatusCode::FORBIDDEN,
            Class::NotFound => StatusCode::NOT_FOUND,
            Class::Conflict => StatusCode::CONFLICT,
            Class::Busy | Class::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
            Class::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Class::Backend | Class::Protocol => StatusCode::BAD_GATEWAY,
            Class::Uncertain | Class::Lost | Class::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let message = self.to_string();
        let error = Shape {
            code: self.code(),
            class: self.class(),
            message: &message,
            fix: self.fix(),
            retryable: self.is_retryable(),
            detail: match &self {
                Error::Invalid(problems) => Some(Detail::Problems(problems)),
                Error::Fault(fault) => fault.detail().map(Detail::Text),
                _ => None,
            },
        };
        (status, Json(Refused { error })).into_response()
    }
}

pub(crate) async fn not_found(uri: Uri) -> Response {
    let message = format!("there is nothing at `{}`", clean(uri.path(), 120));
    refusal(
        StatusCode::NOT_FOUND,
        "not_found",
        Class::NotFound,
        &message,
        "`/api/v1/openapi.json` describes what there is.",
    )
}

/// Gives a refusal of the framework (a path that is no text, a body that is too large) the one shape.
pub(crate) async fn shaped(answer: Response) -> Response {
    /// Longest text of the framework that is kept.
    const CAP: usize = 1024;
    let status = answer.status();
    let is_ours = answer
        .headers()
        .get(header::CONTENT_TYPE)
        // The framework answers with plain text; a page is one of a cause.
        .is_some_and(|kind| {
            [&b"application/json"[..], b"text/html"].iter().any(|own| kind.as_bytes().starts_with(own))
        });
    if !(status.is_client_error() || status.is_server_error()) || is_ours {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let said = axum::body::to_bytes(body, CAP).await.unwrap_or_default();
    let said = clean(String::from_utf8_lossy(&said).trim(), 300);
    let mut answer = plain(status, &said);
    keep(&parts.headers, answer.headers_mut());
    answer
}

fn plain(status: StatusCode, said: &str) -> Response {
    let (code, class, message, fix) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => (
            "too_large",
            Class::Usage,
            "the body is larger than 1 MiB",
            "Send less; files go to `/api/v1/files`.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "bad_method",
            Class::Usage,
            "this address does not take this method",
            "See `Allow`, or `/api/v1/openapi.json`.",
        ),
        StatusCode::GATEWAY_TIMEOUT => (
            "no_answer",
            Class::Timeout,
            "no answer within the time that a request has",
            "Ask again in a moment.",
        ),
        status if status.is_server_error() => {
            ("internal", Class::Internal, "the API failed", "Report this as a bug.")
        }
        _ => ("bad_request", Class::Usage, "the request cannot be read", "Correct what the message names."),
    };
    let message = if said.is_empty() { message.to_owned() } else { format!("{message}: {said}") };
    refusal(status, code, class, &message, fix)
}

/// What a refusal says in its headers (`Allow`) stays.
fn keep(from: &HeaderMap<HeaderValue>, to: &mut HeaderMap<HeaderValue>) {
    for (name, value) in from {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            to.insert(name.clone(), value.clone());
        }
    }
}
