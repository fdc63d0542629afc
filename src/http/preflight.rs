//! Where a job could run, before it is submitted.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Context,
    answer::refusal,
    describe::{Bad, Missing},
    jobs::{ask, submit},
};
use crate::{Error, model::Class, supervisor::Candidate};

/// What each backend that the target means says.
#[derive(Serialize, ToSchema)]
struct Found {
    candidates: Vec<Candidate>,
}

/// Where a job could run, and what lacks where: the body is that of a submit. Nothing is queued, nothing costs.
#[utoipa::path(post, path = "/preflight", request_body = ask::NewJob, responses((status = 200, body = Found), Bad, Missing))]
pub(crate) async fn preflight(State(context): State<Context>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(submit::BODY, axum::body::to_bytes(body, submit::BODY_CAP)).await;
    let Ok(Ok(body)) = read else {
        let message = "the body is too large, or came too slowly";
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_large", Class::Usage, message, "Send less.");
    };
    let found = async { context.handle.preflight(&submit::read(&context, &parts, &body)?).await };
    match found.await {
        Ok(candidates) => Json(Found { candidates }).into_response(),
        Err(error) => Error::into_response(error),
    }
}
