//! What a person wants of a job: that it ends, that it runs again, that it is forgotten.

use axum::{
    Json,
    extract::{OriginalUri, Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;

use super::{base, found, id, view};
use crate::{
    Error,
    http::{
        Context,
        describe::{Away, Conflicting, Missing},
    },
    model::{JobId, JobStatus},
};

/// Asks for its end: 202; the job says itself when it has ended. One that has ended already stays as it is: 200.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", params(("id" = JobId, Path, description = "The job")),
    responses((status = 202, body = JobStatus), (status = 200, body = JobStatus, description = "It has ended"), Missing)
)]
pub(crate) async fn cancel(
    State(context): State<Context>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
) -> Response {
    let job = match found(&context.handle, &id).await {
        Ok(job) => job,
        Err(error) => return error.into_response(),
    };
    let status = job.status();
    let code = if status.state.is_end() { StatusCode::OK } else { StatusCode::ACCEPTED };
    if code == StatusCode::ACCEPTED {
        job.cancel();
    }
    (code, Json(view(&job.status(), &base(&uri)))).into_response()
}

/// Runs an ended job again that is not done.
#[utoipa::path(
    post, path = "/jobs/{id}/retry", params(("id" = JobId, Path, description = "The job")),
    responses((status = 202, body = JobStatus), Missing, Conflicting, Away)
)]
pub(crate) async fn retry(
    State(context): State<Context>,
    OriginalUri(uri): OriginalUri,
    Path(text): Path<String>,
) -> Response {
    let again = async {
        let id = id(&text)?;
        context.handle.retry_job(id).await?;
        context.handle.job(id).await
    };
    match again.await {
        Ok(job) => (StatusCode::ACCEPTED, Json(view(&job.status(), &base(&uri)))).into_response(),
        Err(error) => error.into_response(),
    }
}

/// Erases an ended job with its files: 204. Its key stays for its time.
#[utoipa::path(
    delete, path = "/jobs/{id}", params(("id" = JobId, Path, description = "The job")),
    responses((status = 204), Missing, Conflicting, Away)
)]
pub(crate) async fn erase(State(context): State<Context>, Path(text): Path<String>) -> Response {
    let erased: Result<(), Error> = async { context.handle.erase_job(id(&text)?).await }.await;
    match erased {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}
