//! What a person asks of one backend.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Context,
    answer::refusal,
    describe::{Away, Bad, Missing},
};
use crate::{
    Error,
    model::{BackendId, Class},
    supervisor::Force,
};

/// How to dial.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
struct Reconnect {
    /// Whether a ready session is ended first.
    #[serde(default)]
    force: bool,
}

/// It has been told; what came of it shows in the events.
#[derive(Serialize, ToSchema)]
pub(crate) struct Told {}

/// Dials now; `{"force":true}` ends a ready session first.
#[utoipa::path(
    post, path = "/backends/{id}/reconnect", params(("id" = BackendId, Path, description = "The backend")), request_body = Option<Reconnect>,
    responses((status = 202, body = Told), Bad, Missing, Away)
)]
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
#[utoipa::path(post, path = "/backends/{id}/check", params(("id" = BackendId, Path, description = "The backend")), responses((status = 202, body = Told), Missing, Away))]
pub(crate) async fn check(State(context): State<Context>, Path(id): Path<String>) -> Response {
    accepted(context.handle.check(&id))
}

/// Drains it and keeps it away.
#[utoipa::path(post, path = "/backends/{id}/pause", params(("id" = BackendId, Path, description = "The backend")), responses((status = 202, body = Told), Missing, Away))]
pub(crate) async fn pause(State(context): State<Context>, Path(id): Path<String>) -> Response {
    accepted(context.handle.pause_backend(&id))
}

/// Gives it nothing new; what runs there goes on.
#[utoipa::path(post, path = "/backends/{id}/cordon", params(("id" = BackendId, Path, description = "The backend")), responses((status = 202, body = Told), Missing, Away))]
pub(crate) async fn cordon(State(context): State<Context>, Path(id): Path<String>) -> Response {
    accepted(context.handle.cordon(&id))
}

/// Ends a cordon.
#[utoipa::path(post, path = "/backends/{id}/uncordon", params(("id" = BackendId, Path, description = "The backend")), responses((status = 202, body = Told), Missing, Away))]
pub(crate) async fn uncordon(State(context): State<Context>, Path(id): Path<String>) -> Response {
    accepted(context.handle.uncordon(&id))
}

/// Ends a pause.
#[utoipa::path(post, path = "/backends/{id}/resume", params(("id" = BackendId, Path, description = "The backend")), responses((status = 202, body = Told), Missing, Away))]
pub(crate) async fn resume(State(context): State<Context>, Path(id): Path<String>) -> Response {
    accepted(context.handle.resume_backend(&id))
}

fn accepted(outcome: Result<(), Error>) -> Response {
    match outcome {
        Ok(()) => (StatusCode::ACCEPTED, Json(Told {})).into_response(),
        Err(error) => error.into_response(),
    }
}
