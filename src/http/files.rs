//! Files for jobs, sent before the job that takes them.

use std::time::Duration;

use axum::{
    Json,
    extract::{Query, Request, State},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Context, answer::refusal, describe::Bad};
use crate::{
    Error,
    jobs::inputs::{Held, Incoming, handle, safe_name},
    model::{Class, Code},
};

/// Longest silence of an upload.
const SILENCE: Duration = Duration::from_secs(60);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Named {
    /// What a backend shall call it, `start.png`; it keeps the extension.
    name: Option<String>,
}

/// A file that is here.
#[derive(Serialize, ToSchema)]
struct Kept {
    /// What stands in `{"$file": HANDLE}` of a job.
    handle: String,
    /// The name that a backend shall see.
    name: String,
    /// Its size.
    bytes: u64,
    /// SHA-256 of its bytes, hexadecimal.
    sha256: String,
}

/// Keeps a file, the body as it is, for a job to come; it waits a day for one. At most 8 GiB.
#[utoipa::path(
    post, path = "/files", params(Named), request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 201, body = Kept), Bad,
        (status = 408, body = inline(super::answer::Refused<'static>), description = "Nothing came for a minute."),
        (status = 500, body = inline(super::answer::Refused<'static>), description = "The disk cannot keep it."))
)]
pub(crate) async fn upload(
    State(context): State<Context>,
    Query(named): Query<Named>,
    request: Request,
) -> Response {
    let Some(store) = context.handle.inputs() else {
        let message = "uploads are kept only where there is a state directory";
        let fix = "Start Backline with a state directory, or name paths in jobs.";
        return refusal(StatusCode::BAD_REQUEST, "no_state", Class::Config, message, fix);
    };
    let mut incoming = match Incoming::new(&store).await {
        Ok(incoming) => incoming,
        Err(fault) => return Error::Fault(fault).into_response(),
    };
    let mut body = request.into_body().into_data_stream();
    loop {
        let Ok(next) = tokio::time::timeout(SILENCE, body.next()).await else {
            let message = format!("nothing came for {SILENCE:?}");
            return refusal(
                StatusCode::REQUEST_TIMEOUT,
                "silent",
                Class::Timeout,
                &message,
                "Send it again.",
            );
        };
        match next {
            Some(Ok(bytes)) => match incoming.write(&bytes).await {
                Ok(()) => {}
                Err(fault) if fault.code() == Code::TooLarge => {
                    let status = StatusCode::PAYLOAD_TOO_LARGE;
                    return refusal(status, "too_large", Class::Usage, fault.message(), fault.fix());
                }
                Err(fault) => return Error::Fault(fault).into_response(),
            },
            Some(Err(error)) => {
                let message = format!("the body broke off: {error}");
                return refusal(
                    StatusCode::BAD_REQUEST,
                    "bad_body",
                    Class::Usage,
                    &message,
                    "Send it again.",
                );
            }
            None => break,
        }
    }
    // It is held until a job names it, or a day is over.
    match incoming.finish(&mut Held::new(store)).await {
        Ok(stored) => {
            let name = safe_name(named.name.as_deref().unwrap_or_default());
            let kept =
                Kept { handle: handle(&stored, &name), name, bytes: stored.bytes, sha256: stored.sha256 };
            (StatusCode::CREATED, Json(kept)).into_response()
        }
        Err(fault) => Error::Fault(fault).into_response(),
    }
}
