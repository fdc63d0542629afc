//! One question without a cost: a GET, read whole, with a deadline.

use std::time::Duration;

use http::Method;

use crate::{
    backends::litellm::answer::Answer,
    model::{Code, Fault},
    net::Http,
};

/// Whether a request carries the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// It does: the fingerprint has matched.
    With,
    Without,
}

/// Asks, and reads the answer up to `cap` bytes.
///
/// A connection that the server closed while it was idle is met once: uvicorn, under LiteLLM, closes after 5.0 s, and a
/// GET may be repeated.
pub(super) async fn get(
    http: &Http,
    path: &str,
    key: Key,
    limit: Duration,
    cap: usize,
) -> Result<Answer, Fault> {
    let once = || async {
        let request = match key {
            Key::With => http.keyed(Method::GET, path),
            Key::Without => http.request(Method::GET, path),
        };
        Answer::read(http.send(request, limit).await?, cap).await
    };
    let asked = async {
        match once().await {
            Err(fault) if fault.code() == Code::ConnectionReset => once().await,
            answered => answered,
        }
    };
    tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| {
        let place = http.address().authority();
        Err(Fault::new(Code::RequestTimeout, format!("{place}: no whole answer to {path} in {limit:?}")))
    })
}
