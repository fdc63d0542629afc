//! What an answer with an error's status means. By the status first; the text only tells cases apart. Pure.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::{
    model::{Code, Fault},
    net::body,
};

/// Whose answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The app's own.
    App,
    /// Something between us and the app.
    Proxy,
}

/// An answer with an error's status.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What it means.
    pub fault: Fault,
    /// Whose it is.
    pub author: Author,
}

/// FastAPI's body of an error.
#[derive(Deserialize)]
struct Errors {
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Detail {
    Text(String),
    /// The 401 of 6.31.0; 4.44.1 and 5.29.0 have the bare text.
    Said {
        error: String,
    },
    /// A body of the wrong form (422).
    Places(Vec<Place>),
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    msg: String,
}

impl Refusal {
    /// Reads an answer.
    pub async fn of(answer: reqwest::Response) -> Self {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let path = answer.url().path().to_owned();
        let text = body::read_beginning(answer, body::ERROR_CAP).await;
        Self::read(status, &headers, &path, &text)
    }

    /// What an answer means.
    pub fn read(status: StatusCode, headers: &HeaderMap, path: &str, text: &str) -> Self {
        let is_page = text.trim_start().starts_with('<');
        let gateway = matches!(status.as_u16(), 502..=504) && serde_json::from_str::<Errors>(text).is_err();
        let number = status.as_u16();
        if gateway || (is_page && status.is_server_error()) {
            let message = format!("{path} is answered with {number} by something that is not the app");
            return Self { fault: Fault::new(Code::ProxyInTheWay, message), author: Author::Proxy };
        }
        let said = detail(text);
        let code = match number {
            401 => Code::AuthRequired,
            403 => Code::Forbidden,
            404 => Code::NotFound,
            400 | 405 | 413 | 415 | 422 => Code::BadRequest,
            429 => Code::RateLimited,
            // `{"detail":"Queue is full. Max size is 4 and size is 4."}` in 4.44.1, 5.29.0 and 6.31.0.
            503 if said.as_deref().is_some_and(|s| s.starts_with("Queue is full")) => Code::QueueFull,
            500..=599 => Code::BackendError,
            _ => Code::Protocol,
        };
        let message = match (&said, is_page) {
            (Some(said), _) => format!("{path}: {number}: {said}"),
            (None, true) => format!("{path} is answered with {number} and a page"),
            (None, false) => format!("{path} is answered with {number}: {}", gist(text)),
        };
        let fault = Fault::new(code, message);
        let fault = match retry_after(headers) {
            Some(wait) => fault.with_retry_after(wait),
            None => fault,
        };
        Self { fault, author: if is_page { Author::Proxy } else { Author::App } }
    }
}

/// Whether a body is Gradio's answer to somebody who has not logged in.
pub fn wants_login(text: &str) -> bool {
    detail(text).is_some_and(|said| said == "Not authenticated")
}

/// What the body of an error says.
fn detail(text: &str) -> Option<String> {
    let errors: Errors = serde_json::from_str(text).ok()?;
    Some(match errors.detail {
        Detail::Text(text) | Detail::Said { error: text } => text,
        Detail::Places(places) => places.into_iter().map(|p| p.msg).collect::<Vec<_>>().join("; "),
    })
}

/// The telling line of a plain text: the last one where Starlette shows the whole trace of an exception.
fn gist(text: &str) -> &str {
    let text = text.trim();
    match text.starts_with("Traceback") {
        true => text.lines().next_back().unwrap_or(text),
        false => text,
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
