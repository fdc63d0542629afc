//! The files that came of a job, and the picture of work in progress.

use std::io::SeekFrom;

use axum::{
    Json,
    body::Body,
    extract::{OriginalUri, Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};
use utoipa::ToSchema;

use super::{
    found,
    range::{Part, part},
};
use crate::{
    http::{Context, answer::refusal, describe::Missing},
    model::{Class, JobId, OutputFile, fault::clean},
    net::body::hex,
};

/// Bytes of a file that are read at once.
const PIECE: u64 = 256 * 1024;

/// A file of the job, whole or a part (`Range`). A browser shows pictures, sound and film of it, and saves all else.
#[utoipa::path(
    get, path = "/jobs/{id}/outputs/{name}",
    params(
        ("id" = JobId, Path, description = "The job"), ("name" = String, Path, description = "The file's name in `outputs`"),
        ("Range" = Option<String>, Header), ("If-Range" = Option<String>, Header), ("If-None-Match" = Option<String>, Header)
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", body = [u8], description = "The file, under its own type"),
        (status = 206, content_type = "application/octet-stream", body = [u8], description = "The part that was asked for"),
        (status = 304, description = "The file is the one of `If-None-Match`"),
        (status = 416, description = "The file has no such part", body = inline(crate::http::answer::Refused<'static>)), Missing
    )
)]
pub(crate) async fn output(
    State(context): State<Context>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let status = match found(&context.handle, &id).await {
        Ok(job) => job.status(),
        Err(error) => return error.into_response(),
    };
    // The name is looked up among our own; it never becomes part of a path.
    match status.outputs.iter().find(|output| output.name == name) {
        Some(output) => send(output, &headers).await,
        None => unknown(&name),
    }
}

async fn send(output: &OutputFile, asked: &HeaderMap) -> Response {
    let Ok((mut file, length)) = open(output).await else {
        let message = format!("`{}` is not there any more", output.name);
        return missing(
            "output_gone",
            &message,
            "Run the job again; files go with the oldest jobs, or by hand.",
        );
    };
    let text = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let tag = format!("\"{}\"", output.sha256);
    if text(header::IF_NONE_MATCH).is_some_and(|tags| tags.contains(&tag)) {
        return headed(Response::new(Body::empty()), StatusCode::NOT_MODIFIED, output, &tag);
    }
    // A part of another file than the reader has the beginning of would be of no use.
    let range = text(header::RANGE).filter(|_| text(header::IF_RANGE).is_none_or(|known| known == tag));
    let (code, first, count) = match part(range, length) {
        Part::Whole => (StatusCode::OK, 0, length),
        Part::Bytes(first, last) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Nothing => return beyond(length),
    };
    if let Err(error) = file.seek(SeekFrom::Start(first)).await {
        tracing::warn!(place = output.url, %error, "an output cannot be read");
        return missing(
            "output_gone",
            &format!("`{}` cannot be read", output.name),
            "Correct the file's rights.",
        );
    }
    let mut answer = headed(Response::new(Body::from_stream(pieces(file, count))), code, output, &tag);
    put(&mut answer, header::CONTENT_LENGTH, &count.to_string());
    if code == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{length}", first + count - 1);
        put(&mut answer, header::CONTENT_RANGE, &range);
    }
    answer
}

async fn open(output: &OutputFile) -> std::io::Result<(File, u64)> {
    let file = File::open(&output.url).await?;
    let length = file.metadata().await?.len();
    Ok((file, length))
}

fn pieces(file: File, count: u64) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send {
    stream::try_unfold((file, count), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; usize::try_from(left.min(PIECE)).unwrap_or(PIECE as usize)];
        let read = file.read(&mut piece).await?;
        if read == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
        }
        piece.truncate(read);
        Ok(Some((piece.into(), (file, left - read as u64))))
    })
}

fn headed(mut answer: Response, code: StatusCode, output: &OutputFile, tag: &str) -> Response {
    *answer.status_mut() = code;
    put(&mut answer, header::ETAG, tag);
    put(&mut answer, header::ACCEPT_RANGES, "bytes");
    put(&mut answer, header::CONTENT_TYPE, &output.media_type);
    let way = if is_shown(&output.media_type) { "inline" } else { "attachment" };
    put(&mut answer, header::CONTENT_DISPOSITION, &format!("{way}; filename=\"{}\"", output.name));
    answer
}

/// What a browser may show: it runs none of these. A drawing (SVG) may hold a script.
fn is_shown(media_type: &str) -> bool {
    let picture = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"];
    picture.contains(&media_type) || media_type.starts_with("audio/") || media_type.starts_with("video/")
}

/// A way to a file.
#[derive(Serialize, ToSchema)]
struct Ticket {
    /// An address that needs no token, good for 60 s.
    url: String,
}

/// An address of the file for what cannot send the token, a player or a download of the browser's own.
#[utoipa::path(
    get, path = "/jobs/{id}/outputs/{name}/ticket",
    params(("id" = JobId, Path, description = "The job"), ("name" = String, Path, description = "The file's name in `outputs`")),
    responses((status = 200, body = Ticket), Missing)
)]
pub(crate) async fn ticket(
    State(context): State<Context>,
    OriginalUri(uri): OriginalUri,
    Path((id, name)): Path<(String, String)>,
) -> Response {
    let status = match found(&context.handle, &id).await {
        Ok(job) => job.status(),
        Err(error) => return error.into_response(),
    };
    match uri.path().strip_suffix("/ticket") {
        Some(path) if status.outputs.iter().any(|output| output.name == name) => {
            Json(Ticket { url: context.tickets.give(path) }).into_response()
        }
        _ => unknown(&name),
    }
}

fn unknown(name: &str) -> Response {
    missing("unknown_output", &format!("the job has no output `{}`", clean(name, 60)), "See its `outputs`.")
}

/// The latest picture of work in progress.
#[utoipa::path(
    get, path = "/jobs/{id}/preview",
    params(("id" = JobId, Path, description = "The job"), ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, content_type = "image/*", body = [u8]),
        (status = 204, description = "There is none so far; not every backend sends some"),
        (status = 304, description = "It is still the one of `If-None-Match`"), Missing
    )
)]
pub(crate) async fn preview(
    State(context): State<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let job = match found(&context.handle, &id).await {
        Ok(job) => job,
        Err(error) => return error.into_response(),
    };
    let Some(picture) = job.preview().borrow().clone() else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let tag = format!("\"{}\"", &hex(&Sha256::digest(&picture))[..32]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut answer = match known.is_some_and(|tags| tags.contains(&tag)) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => {
            let kind = infer::get(&picture).map_or("application/octet-stream", |kind| kind.mime_type());
            let kind = if is_shown(kind) { kind } else { "application/octet-stream" };
            let mut answer = Body::from(picture).into_response();
            put(&mut answer, header::CONTENT_TYPE, kind);
            answer
        }
    };
    put(&mut answer, header::ETAG, &tag);
    answer
}

fn put(answer: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn missing(code: &str, message: &str, fix: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, code, Class::NotFound, message, fix)
}

fn beyond(length: u64) -> Response {
    let message = format!("the file has {length} bytes");
    let fix = "Ask for a part that lies in it.";
    let mut answer = refusal(StatusCode::RANGE_NOT_SATISFIABLE, "bad_range", Class::Usage, &message, fix);
    put(&mut answer, header::CONTENT_RANGE, &format!("bytes */{length}"));
    answer
}
