//! What is known: for people's tools, orchestrators and Prometheus.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::Context;
use crate::model::{Phase, Snapshot};

/// The process lives.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Readiness<'a> {
    ready: bool,
    reasons: Vec<Reason<'a>>,
}

#[derive(Serialize)]
struct Reason<'a> {
    backend: &'a str,
    phase: Phase,
    reason: Option<&'a str>,
}

/// Every required backend is ready; where none is marked, every enabled one.
pub(crate) async fn readyz(State(context): State<Context>) -> Response {
    let snapshot = context.handle.snapshot();
    let any_required = snapshot.backends.iter().any(|b| b.enabled && b.required);
    let counts =
        |b: &&std::sync::Arc<crate::model::BackendStatus>| b.enabled && (b.required || !any_required);
    let missing = snapshot.backends.iter().filter(counts).filter(|b| b.phase != Phase::Ready);
    let reasons: Vec<_> = missing
        .map(|b| Reason { backend: b.id.as_str(), phase: b.phase, reason: b.reason.as_deref() })
        .collect();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: reasons.is_empty(), reasons })).into_response()
}

/// Prometheus text.
pub(crate) async fn metrics(State(context): State<Context>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], context.handle.metrics())
        .into_response()
}

/// All that is known; 304 while nothing changed since the reader's `ETag`.
#[utoipa::path(
    get, path = "/snapshot",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of what the reader has")),
    responses(
        (status = 200, body = Snapshot, headers(("ETag" = String, description = "Names this state"))),
        (status = 304, description = "Nothing has changed since"),
    )
)]
pub(crate) async fn snapshot(State(context): State<Context>, headers: HeaderMap) -> Response {
    let snapshot = context.handle.snapshot();
    let tag = tag(&snapshot);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut answer = (kind, context.press.snapshot(&snapshot)).into_response();
    answer.headers_mut().insert(header::ETAG, tag);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

/// The time is in it, since a probe's latency changes what is shown without being an event.
fn tag(snapshot: &Snapshot) -> String {
    format!("\"{}-{}-{}\"", snapshot.run, snapshot.revision, snapshot.at.as_microsecond())
}
