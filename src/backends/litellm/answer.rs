//! An answer that has been read: what the pure judges of this folder look at.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::{
    model::Fault,
    net::body::{self, ERROR_CAP},
};

/// An answer that has been read, whole or its beginning.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Reads an answer: a good one whole, up to `cap`; of any other the beginning, for a message.
    pub(super) async fn read(answer: reqwest::Response, cap: usize) -> Result<Self, Fault> {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = if status.is_success() {
            body::read(answer, cap).await?
        } else {
            body::read_beginning(answer, ERROR_CAP).await.into()
        };
        Ok(Self { status, headers, body })
    }

    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    pub(super) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    pub(super) fn is_html(&self) -> bool {
        is_type(&self.headers, "text/html")
    }
}

/// Whether the content type is this one, whatever its parameters.
pub(super) fn is_type(headers: &HeaderMap, media_type: &str) -> bool {
    let claimed = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    claimed.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}
