//! What a person asks of one backend.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{Context, answer::refusal};
use crate::{Error, model::Class, supervisor::Force};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Reconnect {
    #[serde(default)]
    force: bool,
}

/// Dials now; `{"force":true}` ends a ready session first.
pub(crate) async fn reconnect(
    State(context): State<Context>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let wish: Reconnect = match body.as_ref() {
        [] => Reconnect::default(),
        body => match serde_json::from_slice(body) {
            Ok(wish) => wish,
            Err(error) => {
                let message = format!("the body is no reconnect: {error}");
                let fix = "Send nothing, or {\"force\":true}.";
                return refusal(StatusCode::BAD_REQUEST, "bad_body", Class::Usage, &message, fix);
            }
        },
    };
    let force = if wish.force { Force::Yes } else { Force::No };
    accepted(context.handle.reconnect(&id, force).await)
}

/// Probes now.
pub(crate) async fn check(State(context): State<Context>, Path(id): Path<String>) -> Response {
    accepted(context.handle.check(&id))
}

/// Drains it and keeps it away.
pub(crate) async fn pause(State(context): State<Context>, Path(id): Path<String>) -> Response {
    accepted(context.handle.pause_backend(&id))
}

/// Ends a pause.
pub(crate) async fn resume(State(context): State<Context>, Path(id): Path<String>) -> Response {
    accepted(context.handle.resume_backend(&id))
}

/// 202: the actor has been told; what came of it shows in the events.
fn accepted(outcome: Result<(), Error>) -> Response {
    match outcome {
        Ok(()) => (StatusCode::ACCEPTED, Json(serde_json::json!({}))).into_response(),
        Err(error) => error.into_response(),
    }
}
