//! Files of a finished job, by `/view`.

use futures_util::{StreamExt, stream};
use http::{Method, StatusCode, header};

use crate::{
    backends::{
        Download, RemoteFile,
        comfyui::{
            history::FileName,
            session::{Session, unexpected},
        },
    },
    model::{Code, Fault},
    net::pieces,
};

/// Opens a file for reading, from byte `from` on.
pub(super) async fn fetch(session: &Session, file: RemoteFile, from: u64) -> Result<Download, Fault> {
    let name: FileName = serde_json::from_str(&file.locator).map_err(|_| {
        Fault::new(Code::BadRequest, format!("`{}` does not say where a file of ComfyUI is", file.locator))
    })?;
    let query = [("filename", &*name.filename), ("subfolder", &*name.subfolder), ("type", &*name.folder)];
    let http = session.http();
    let mut request = http.with_key(http.request_url(Method::GET, http.address().url_with("view", &query)));
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    let flight = session.fly();
    let answer = session.bounded(session.limit(), http.send(request, session.limit())).await?;
    let (offset, total) = match answer.status() {
        StatusCode::OK => (0, answer.content_length()),
        StatusCode::PARTIAL_CONTENT => (from, total_of(&answer)),
        // All of it is here already.
        StatusCode::RANGE_NOT_SATISFIABLE => {
            return Ok(Download { total: Some(from), offset: from, bytes: stream::empty().boxed() });
        }
        StatusCode::NOT_FOUND => {
            return Err(Fault::new(
                Code::NotFound,
                format!("ComfyUI no longer has the file `{}`", file.name),
            ));
        }
        status => return Err(unexpected(status, "view")),
    };
    let idle = session.target().timeouts.idle_stream;
    let bytes = pieces::pieces(answer, flight, idle, "a file of ComfyUI");
    Ok(Download { total, offset, bytes })
}

/// The whole size, behind the slash of `bytes 5-9/10`.
fn total_of(answer: &reqwest::Response) -> Option<u64> {
    let range = answer.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit_once('/')?.1.parse().ok()
}
