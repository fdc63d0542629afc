//! A job is taken.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Json,
    extract::{ConnectInfo, OriginalUri, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};

use super::{ask, base, view};
use crate::{
    Error,
    http::{
        Context,
        answer::refusal,
        describe::{Away, Bad, Conflicting, Missing},
    },
    jobs::{Job, Receipt, inputs::Paths},
    model::{Class, Code, Fault, JobStatus},
};

/// Largest body: a chat may carry pictures.
pub(crate) const BODY_CAP: usize = 32 * 1024 * 1024;
/// How long a body may take.
pub(crate) const BODY: Duration = Duration::from_secs(60);
/// How long the copies of a job's files may take.
const COPIES: Duration = Duration::from_secs(600);
/// Longest idempotency key.
const KEY_CAP: usize = 255;

/// Takes a job: 202 means that it is on the disk, with its files. The same key and request again: 200 and the first job.
#[utoipa::path(
    post, path = "/jobs", request_body = ask::NewJob,
    params(("Idempotency-Key" = Option<String>, Header, description = "A name for this request, of at most 255 characters")),
    responses(
        (status = 202, body = JobStatus, description = "It is new; `Location` is its address"),
        (status = 200, body = JobStatus, description = "The key stands for this request already: the first job"),
        Bad, Missing, Conflicting, Away,
        (status = 500, body = inline(crate::http::answer::Refused<'static>), description = "The disk cannot keep it.")
    )
)]
pub(crate) async fn submit(
    State(context): State<Context>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY, axum::body::to_bytes(body, BODY_CAP)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return too_large(),
        Err(_) => return slow(),
    };
    let job = read(&context, &parts, &body);
    let taken = match job {
        Ok(job) => tokio::time::timeout(COPIES, context.handle.submit(job)).await,
        Err(error) => return error.into_response(),
    };
    let submitted = match taken {
        Ok(Ok(submitted)) => submitted,
        Ok(Err(error)) => return error.into_response(),
        Err(_) => return slow(),
    };
    let base = base(&uri);
    let status = match submitted.receipt {
        Receipt::New => StatusCode::ACCEPTED,
        Receipt::Known => StatusCode::OK,
    };
    let job = view(&submitted.job.status(), &base);
    let place = format!("{base}/api/v1/jobs/{}", job.id);
    let mut answer = (status, Json(job)).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

/// The job that a request asks for, with what it may name.
pub(crate) fn read(context: &Context, parts: &Parts, body: &[u8]) -> Result<Job, Error> {
    let mut job = ask::read(body)?;
    if let Some(key) = parts.headers.get("idempotency-key") {
        job = job.key(named(key)?);
    }
    job.paths = if is_owner_here(context, parts) { Paths::Allowed } else { Paths::Refused };
    Ok(job)
}

fn named(key: &HeaderValue) -> Result<String, Fault> {
    let text = key.to_str().map(str::trim).unwrap_or_default();
    if text.is_empty() || text.len() > KEY_CAP {
        let what = format!("`Idempotency-Key` is not of 1 to {KEY_CAP} plain characters");
        return Err(Fault::new(Code::BadRequest, what).with_fix("Send a name like a UUID."));
    }
    Ok(text.to_owned())
}

/// Somebody on this machine who has the instance's own token: may name paths, which Backline reads with its own rights.
/// What a proxy passes on may come from anywhere.
fn is_owner_here(context: &Context, parts: &Parts) -> bool {
    let here = |ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip().to_canonical().is_loopback();
    let passed_on = |headers: &HeaderMap| {
        ["forwarded", "x-forwarded-for", "via"].iter().any(|name| headers.contains_key(*name))
    };
    parts.extensions.get().is_some_and(here)
        && !passed_on(&parts.headers)
        && context.access.is_owner(&parts.headers)
}

fn too_large() -> Response {
    let message = format!("the body is larger than {} MiB", BODY_CAP >> 20);
    refusal(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        Class::Usage,
        &message,
        "Send files to `/api/v1/files`.",
    )
}

fn slow() -> Response {
    let message = "the request and its files were not here within the time that they have";
    refusal(StatusCode::GATEWAY_TIMEOUT, "no_answer", Class::Timeout, message, "Send it again, with its key.")
}
