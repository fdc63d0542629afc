//! An answer that was read: what the fingerprints are judged from.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

/// An answer that was read, its body whole or, past a question's cap, its beginning.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// What the server calls itself in its `Server` header.
    pub(crate) fn server(&self) -> &str {
        self.headers.get(header::SERVER).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The beginning of the body, as text.
    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON of a known type, whatever the status.
    pub(crate) fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An answer for the tests of the fingerprints.
    pub(crate) fn answer(status: u16, server: &str, body: impl Into<Bytes>) -> Answer {
        let mut headers = HeaderMap::new();
        if !server.is_empty() {
            headers.insert(header::SERVER, server.parse().unwrap());
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    }
}
