//! Answers as uvicorn and FastAPI give them.

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::sim::{Body, server::plain};

pub(super) fn ok(value: &Value) -> Response<Body> {
    status(StatusCode::OK, value)
}

pub(super) fn status(status: StatusCode, value: &Value) -> Response<Body> {
    signed(plain(status, "application/json", value.to_string()))
}

/// FastAPI's body of an error.
pub(super) fn refused(code: StatusCode, detail: &Value) -> Response<Body> {
    status(code, &json!({ "detail": detail }))
}

pub(super) fn nowhere() -> Response<Body> {
    refused(StatusCode::NOT_FOUND, &json!("Not Found"))
}

/// An exception that no route caught.
pub(super) fn crashed() -> Response<Body> {
    signed(plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", "Internal Server Error"))
}

pub(super) fn page() -> Response<Body> {
    signed(plain(StatusCode::OK, "text/html; charset=utf-8", "<!doctype html><title>Gradio</title>"))
}

pub(super) fn missing_field(place: [&str; 2]) -> Response<Body> {
    let detail = json!([{"type": "missing", "loc": place, "msg": "Field required", "input": null}]);
    refused(StatusCode::UNPROCESSABLE_ENTITY, &detail)
}

pub(super) fn events(body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    signed(answer)
}

pub(super) fn signed(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(header::SERVER, HeaderValue::from_static("uvicorn"));
    answer
}
