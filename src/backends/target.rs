//! What a connector needs to know of its backend: the settings, resolved.

use std::time::Duration;

use secrecy::SecretString;

use crate::{
    model::{BackendId, Fault, Kind},
    net::{Address, Http, Reuse, http::HttpSettings},
};

/// Waits of one backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Longest wait for a connection. Default 2 s.
    pub connect: Duration,
    /// Longest wait for the head of an answer to an ordinary request. Default 30 s.
    pub request: Duration,
    /// Longest silence of a stream that is bringing an answer. Default 300 s: a model may load first.
    pub idle_stream: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            request: Duration::from_secs(30),
            idle_stream: Duration::from_secs(300),
        }
    }
}

/// How a live channel is kept: our pings and how long their answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// Between pings. Default 5 s.
    pub interval: Duration,
    /// Until the answer to a ping. Default 5 s: a hang is seen within 10 s.
    pub deadline: Duration,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { interval: Duration::from_secs(5), deadline: Duration::from_secs(5) }
    }
}

/// What a connector needs to know of its backend: the settings, resolved (secrets read, address parsed).
#[derive(Debug, Clone)]
pub struct Target {
    /// The backend's id, for messages.
    pub id: BackendId,
    /// Its kind, as configured.
    pub kind: Kind,
    /// Where it listens.
    pub address: Address,
    /// Key, headers, certificates, proxy.
    pub http: HttpSettings,
    /// User and password of a Gradio app.
    pub login: Option<(String, SecretString)>,
    /// Waits.
    pub timeouts: Timeouts,
    /// Pings.
    pub keepalive: Keepalive,
}

impl Target {
    /// A target with defaults, without secrets.
    pub fn new(id: BackendId, kind: Kind, address: Address) -> Self {
        Self {
            id,
            kind,
            address,
            http: HttpSettings::default(),
            login: None,
            timeouts: Timeouts::default(),
            keepalive: Keepalive::default(),
        }
    }

    /// An HTTP client for it.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn client(&self, reuse: Reuse) -> Result<Http, Fault> {
        Http::with_reuse(self.address.clone(), &self.settings(), reuse)
    }

    fn settings(&self) -> HttpSettings {
        HttpSettings { connect: self.timeouts.connect, ..self.http.clone() }
    }
}
