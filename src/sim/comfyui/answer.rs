//! Answers as aiohttp gives them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use crate::sim::{Body, server::plain};

pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    with_server(plain(status, "application/json; charset=utf-8", value.to_string()))
}

pub(super) fn ok(value: &Value) -> Response<Body> {
    json(StatusCode::OK, value)
}

pub(super) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    with_server(plain(status, "text/plain; charset=utf-8", text))
}

/// An answer without a body, and so without a type.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut answer = with_server(plain(status, "text/plain", Bytes::new()));
    answer.headers_mut().remove(header::CONTENT_TYPE);
    answer
}

/// What the static handler answers to an unknown path.
pub(super) fn nowhere() -> Response<Body> {
    with_server(plain(StatusCode::NOT_FOUND, "application/octet-stream", Bytes::new()))
}

/// An exception that no route caught.
pub(super) fn crashed() -> Response<Body> {
    text(StatusCode::INTERNAL_SERVER_ERROR, "500 Internal Server Error\n\nServer got itself in trouble")
}

fn with_server(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(header::SERVER, HeaderValue::from_static("Python/3.11 aiohttp/3.14.5"));
    answer
}
