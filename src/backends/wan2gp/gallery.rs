//! Files to and from the server's gallery: a tool mints a token of single use, and the bytes go by plain HTTP.
//!
//! Tokens live 600 s, and an upload may have 8 GiB (12.60). A download takes ranges, each with a token of its own.

use std::{path::Path, time::Duration};

use futures_util::{StreamExt, stream};
use http::{Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    backends::{
        Download, RemoteFile, attachment,
        wan2gp::{place, session::Session},
    },
    model::{Code, Fault, fault::clean},
    net::{body, pieces},
};

/// Slowest pace of an upload that is waited for, in bytes a second.
const PACE: u64 = 256 * 1024;
const UPLOAD: &str = "wangp_api/gallery/upload/";
const DOWNLOAD: &str = "wangp_api/gallery/download/";

#[derive(Deserialize)]
struct UploadTicket {
    upload_url: String,
    max_bytes: Option<u64>,
}

#[derive(Deserialize)]
struct DownloadTicket {
    download_url: String,
    size: Option<u64>,
}

/// What the server says to a transfer.
#[derive(Deserialize)]
struct Uploaded {
    gallery_id: String,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// Settings with every `{"$file": PATH}` uploaded, and the gallery's id in its place. Settings without one stay as they
/// are, to the byte.
pub(super) async fn attach(session: &Session, raw: &RawValue) -> Result<Box<RawValue>, Fault> {
    let mut there = Vec::new();
    for (asked, _) in attachment::asked(raw, "generate")? {
        let id = upload(session, Path::new(&asked.file), asked.name()).await?;
        let id = serde_json::value::to_raw_value(&id).expect("a text is JSON");
        there.push((asked, id));
    }
    attachment::put(raw, |asked| there.iter().find(|(known, _)| known == asked).map(|(_, id)| id.clone()))
}

/// Sends one file; what comes back is its id in the gallery.
pub(super) async fn upload(session: &Session, path: &Path, name: &str) -> Result<String, Fault> {
    #[derive(Serialize)]
    struct Asked<'a> {
        filename: &'a str,
    }
    let bad = |e: std::io::Error| {
        Fault::new(Code::Disk, format!("{} cannot be read: {e}", path.display()))
            .with_fix("Correct the path in `$file`, or the file's rights.")
    };
    let file = tokio::fs::File::open(path).await.map_err(bad)?;
    let size = file.metadata().await.map_err(bad)?.len();
    let wire = &session.wire;
    let ticket: UploadTicket = wire.document("wangp_create_gallery_upload", Asked { filename: name }).await?;
    if ticket.max_bytes.is_some_and(|most| size > most) {
        let message = format!("{}: `{name}` has {size} bytes, more than it takes", wire.place());
        return Err(Fault::new(Code::TooLarge, message));
    }
    let route = format!("{UPLOAD}{}", token(session, &ticket.upload_url, UPLOAD)?);
    let limit = wire.limit() + Duration::from_secs(size / PACE);
    let request =
        wire.clients.work.keyed(Method::PUT, &route).header(header::CONTENT_LENGTH, size).body(file);
    let exchange = async {
        let answer = wire.clients.work.send(request, limit).await?;
        if !answer.status().is_success() {
            return Err(refused(session, answer).await);
        }
        body::json::<Uploaded>(answer, body::ERROR_CAP).await
    };
    let uploaded = wire.tie.bounded(limit, &wire.place(), exchange).await;
    Ok(uploaded.inspect_err(|fault| wire.tie.suspect(fault))?.gallery_id)
}

/// Opens a file for reading, from byte `from` on where the server resumes.
pub(super) async fn fetch(session: &Session, file: RemoteFile, from: u64) -> Result<Download, Fault> {
    #[derive(Serialize)]
    struct Asked<'a> {
        gallery_id: &'a str,
    }
    let wire = &session.wire;
    if file.locator.is_empty() {
        let name = clean(&file.name, 80);
        let message =
            format!("{}: `{name}` is not in WanGP's gallery, and nothing else can be read", wire.place());
        return Err(
            Fault::new(Code::NotFound, message).with_fix("Take it from WanGP's directory of outputs.")
        );
    }
    let flight = wire.tie.fly();
    let asked = Asked { gallery_id: &file.locator };
    let ticket: DownloadTicket = wire.document("wangp_create_gallery_download", asked).await?;
    if ticket.size == Some(from) && from > 0 {
        // All of it is here already; an empty range would be refused.
        return Ok(Download { total: Some(from), offset: from, bytes: stream::empty().boxed() });
    }
    let route = format!("{DOWNLOAD}{}", token(session, &ticket.download_url, DOWNLOAD)?);
    let mut request = wire.clients.work.keyed(Method::GET, &route);
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    let sent = wire.clients.work.send(request, wire.limit());
    let answer = wire.tie.bounded(wire.limit(), &wire.place(), sent).await;
    let answer = answer.inspect_err(|fault| wire.tie.suspect(fault))?;
    let offset = match answer.status() {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT => from,
        _ => return Err(refused(session, answer).await),
    };
    let total = ticket.size.or_else(|| answer.content_length().map(|rest| rest + offset));
    let bytes = pieces::pieces(answer, flight, wire.target.timeouts.idle_stream, "a file of WanGP");
    Ok(Download { total, offset, bytes })
}

fn token<'a>(session: &Session, url: &'a str, route: &str) -> Result<&'a str, Fault> {
    let strange =
        || Fault::new(Code::Protocol, format!("{}: a transfer's address has no token", session.wire.place()));
    place::token(url, route).ok_or_else(strange)
}

/// What the server says against a transfer: 400 for a file that it cannot read, 404 for a token that is used or too old.
async fn refused(session: &Session, answer: reqwest::Response) -> Fault {
    let (place, status) = (session.wire.place(), answer.status());
    let text = body::read_beginning(answer, body::ERROR_CAP).await;
    let said = serde_json::from_str::<Refused>(&text).map_or(text, |refused| refused.error);
    let message = format!("{place}: {} (HTTP {})", clean(&said, 300), status.as_u16());
    let code = match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        status if status.is_server_error() => Code::BackendError,
        _ => Code::BadRequest,
    };
    Fault::new(code, message)
}
