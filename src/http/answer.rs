//! Errors in one shape.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{StatusCode, Uri};
use serde::Serialize;

use crate::{Error, config::Problems, model::Class};

#[derive(Serialize)]
struct Body<'a> {
    error: Shape<'a>,
}

#[derive(Serialize)]
struct Shape<'a> {
    code: &'a str,
    class: Class,
    message: &'a str,
    fix: &'a str,
    retryable: bool,
    /// Every problem of a configuration that is not valid.
    detail: Option<&'a Problems>,
}

/// A refusal of the API's own.
pub(crate) fn refusal(status: StatusCode, code: &str, class: Class, message: &str, fix: &str) -> Response {
    let error = Shape { code, class, message, fix, retryable: false, detail: None };
    (status, Json(Body { error })).into_response()
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
                Error::Invalid(problems) => Some(problems),
                _ => None,
            },
        };
        (status, Json(Body { error })).into_response()
    }
}

pub(crate) async fn not_found(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(120).collect();
    let message = format!("there is nothing at `{path}`");
    refusal(StatusCode::NOT_FOUND, "not_found", Class::NotFound, &message, "See the README for the routes.")
}
