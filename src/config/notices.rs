//! What becomes of notices beside being shown.

use http::HeaderName;
use indexmap::IndexMap;

use crate::config::{Secret, Trust, header};

/// What becomes of notices beside being shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NoticesConfig {
    /// A server that is told of each.
    pub webhook: Option<WebhookConfig>,
}

/// A server that is told when a notice is raised and when it ends. `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookConfig {
    /// Its address, which gets a `POST`; written out, or a reference where the address is itself a secret.
    pub url: Secret,
    /// Sent with each request. Values may be references.
    pub headers: IndexMap<HeaderName, Secret>,
    /// Whether notices may leave this machine.
    pub trust: Trust,
}

impl WebhookConfig {
    /// A webhook without headers.
    pub fn new(url: Secret) -> Self {
        Self { url, headers: IndexMap::new(), trust: Trust::Full }
    }

    /// Every secret that is sent to it, with the name of its field.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (String, &Secret)> {
        let headers = self.headers.iter();
        let secret = headers.filter(|(name, value)| !value.is_inline() || header::is_secret(name));
        secret.map(|(name, value)| (format!("headers.{name}"), value))
    }

    /// Everything that may be a reference, with the name of its field.
    pub(crate) fn references(&self) -> impl Iterator<Item = (String, &Secret)> {
        let url = std::iter::once(("url".to_owned(), &self.url));
        url.chain(self.headers.iter().map(|(name, value)| (format!("headers.{name}"), value)))
    }
}
