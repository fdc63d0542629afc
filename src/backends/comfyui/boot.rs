//! Which start of ComfyUI answers.
//!
//! The server has no boot id, and whether it was restarted decides what the absence of a job means. But it empties its
//! folder of temporary files as it starts (`cleanup_temp` in the `main.py` of 0.3.64 and 0.24.0): a small file of ours
//! that is there was put there since. It is put there before the first job of a start, never by looking around.

use http::{Method, StatusCode};
use reqwest::multipart::{Form, Part};

use crate::{
    backends::comfyui::{
        session::{Session, unexpected},
        upload::Uploaded,
    },
    model::Fault,
    net::{Http, body},
};

const TEXT: &str = "Backline tells by this file whether ComfyUI was restarted. It may be deleted.\n";

/// What a look after a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boot {
    /// The mark is there: it is the start that got it.
    Same,
    /// It is gone, and with it that start.
    Another,
    /// There is no mark, or it cannot be looked after.
    Unknown,
}

/// The mark of the server's present start, put there where there is none yet.
pub(super) async fn mark(session: &Session) -> Option<String> {
    if let Some(mark) = session.memory().mark() {
        return Some(mark);
    }
    match put(session).await {
        Ok(mark) => {
            session.memory().marked(&mark);
            Some(mark)
        }
        Err(fault) => {
            tracing::info!(backend = %session.target().id, %fault, "a restart of this server may go unseen");
            None
        }
    }
}

async fn put(session: &Session) -> Result<String, Fault> {
    let name = format!("backline-{}.txt", uuid::Uuid::new_v4().simple());
    let form = Form::new().text("type", "temp").part("image", Part::text(TEXT).file_name(name));
    let request = session.http().keyed(Method::POST, "upload/image").multipart(form);
    let exchange = async {
        let answer = session.http().send(request, session.limit()).await?;
        if answer.status() != StatusCode::OK {
            return Err(unexpected(answer.status(), "upload/image"));
        }
        body::json::<Uploaded>(answer, body::ERROR_CAP).await
    };
    // The name is the server's to say, here as elsewhere.
    Ok(session.bounded(session.limit(), exchange).await?.name)
}

/// Whether the start that got this mark is the one that answers.
///
/// # Errors
/// Nobody answered.
pub(super) async fn look(http: &Http, limit: std::time::Duration, mark: Option<&str>) -> Result<Boot, Fault> {
    let Some(mark) = mark else { return Ok(Boot::Unknown) };
    let query = [("filename", mark), ("subfolder", ""), ("type", "temp")];
    let url = http.address().url_with("view", &query);
    let answer = http.send(http.with_key(http.request_url(Method::GET, url)), limit).await?;
    Ok(match answer.status() {
        StatusCode::OK => Boot::Same,
        StatusCode::NOT_FOUND => Boot::Another,
        // A proxy that passes no files, for one.
        _ => Boot::Unknown,
    })
}
