//! The settings of one backend, checked and typed.

use std::time::Duration;

use http::HeaderName;
use indexmap::IndexMap;

use crate::{
    backends::target::{Keepalive, Timeouts},
    config::{Secret, Thresholds, Trust, header},
    model::{BackendId, Kind, status::Source},
    net::{Address, tls::TlsSettings},
};

/// How a backend's health is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbeConfig {
    /// Between probes of a healthy backend. Default 5 s.
    pub interval: Duration,
    /// Between probes after a missed one. Default 1 s.
    pub fast: Duration,
    /// Longest wait for the answer of a probe. Default 2 s.
    pub timeout: Duration,
    /// Probes in a row that must succeed before it counts as healthy again. Default 2.
    pub rise: u32,
    /// Probes in a row that must fail before it counts as unhealthy. Default 3.
    pub fall: u32,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            fast: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            rise: 2,
            fall: 3,
        }
    }
}

/// How much a backend is given at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Leases at a time. The default is the kind's: see [`Limits::of`].
    pub slots: u32,
    /// Its share of a pool's work, beside the others'. Default 1.
    pub weight: u32,
}

impl Limits {
    /// The defaults of a kind.
    ///
    /// ComfyUI runs one prompt at a time and queues the rest: 3, one running and two next. A Gradio function runs one call at a
    /// time unless its author said otherwise: 4 reach several functions. Wan2GP has one card: 2, one running and one
    /// next. LiteLLM spreads over models: 32; a single compatible server (Ollama, llama.cpp) serves fewer: 8.
    pub const fn of(kind: Kind) -> Self {
        let slots = match kind {
            Kind::Comfyui => 3,
            Kind::Gradio => 4,
            Kind::Wan2gp => 2,
            Kind::Litellm => 32,
            Kind::Openai => 8,
        };
        Self { slots, weight: 1 }
    }
}

/// User and password of a Gradio app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// The settings of one backend. `Debug` shows no secret; equal means that a connection need not notice the change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackendConfig {
    /// Its name.
    pub id: BackendId,
    /// Which protocol it speaks.
    pub kind: Kind,
    /// Where it listens.
    pub url: Address,
    /// Whether the application cannot do without it. Default false.
    pub required: bool,
    /// Whether it is connected at all. Default true.
    pub enabled: bool,
    /// Which layer brought it in.
    pub source: Source,
    /// Sent as a bearer token once the fingerprint matched.
    pub api_key: Option<Secret>,
    /// Log-in of a Gradio app.
    pub login: Option<Login>,
    /// Sent with every request, the first included. Values may be references, as for a key.
    pub headers: IndexMap<HeaderName, Secret>,
    /// How its certificate is checked.
    pub tls: TlsSettings,
    /// Lets the key cross a network over plain http. Default false.
    pub danger_plain_key: bool,
    /// Waits.
    pub timeouts: Timeouts,
    /// Probes.
    pub probe: ProbeConfig,
    /// Our pings on a live channel.
    pub keepalive: Keepalive,
    /// How long a silent backend with a job in flight keeps its session. Default 120 s.
    pub hang_limit: Duration,
    /// How much it is given at once.
    pub limits: Limits,
    /// An http proxy for this backend alone; none unless named, whatever the environment says. It carries requests
    /// and ComfyUI's WebSocket (by `CONNECT`), and is not used for an address of this machine.
    pub proxy: Option<Secret>,
    /// Backends that this one needs. It is dialed all the same, and anew at once when one of them is back. While one is
    /// not ready, this one is degraded because of it: a pool prefers its other members, and its own notices are held
    /// back. Default none.
    pub depends_on: Vec<BackendId>,
    /// A group of backends that share one card: one of them has it at a time.
    pub exclusive: Option<BackendId>,
    /// Whether it unloads its models before another one of its group gets work (ComfyUI). Default false.
    pub unload: bool,
    /// Limits of its own; what is not set is [`Config::thresholds`](crate::config::Config::thresholds).
    pub thresholds: Thresholds,
    /// Whether its keys may leave this machine.
    pub trust: Trust,
}

impl BackendConfig {
    /// A backend with the defaults of its kind.
    pub fn new(id: BackendId, kind: Kind, url: Address) -> Self {
        Self {
            id,
            kind,
            url,
            required: false,
            enabled: true,
            source: Source::Default,
            api_key: None,
            login: None,
            headers: IndexMap::new(),
            tls: TlsSettings::default(),
            danger_plain_key: false,
            timeouts: Timeouts::default(),
            probe: ProbeConfig::default(),
            keepalive: Keepalive::default(),
            hang_limit: Duration::from_secs(120),
            limits: Limits::of(kind),
            proxy: None,
            depends_on: Vec::new(),
            exclusive: None,
            unload: false,
            thresholds: Thresholds::default(),
            trust: Trust::Full,
        }
    }

    /// The application cannot do without it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets the key.
    #[must_use]
    pub fn with_key(mut self, key: Secret) -> Self {
        self.api_key = Some(key);
        self
    }

    /// Sets the log-in of a Gradio app.
    #[must_use]
    pub fn with_login(mut self, user: impl Into<String>, password: Secret) -> Self {
        self.login = Some(Login { user: user.into(), password });
        self
    }

    /// Every secret that may go to the backend, with the name of its field. A header counts where its value is a
    /// reference, or where its name says that it authenticates.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (String, &Secret)> {
        let key = self.api_key.iter().map(|s| ("api_key".to_owned(), s));
        let login = self.login.iter().map(|l| ("login.password".to_owned(), &l.password));
        let headers = self
            .headers
            .iter()
            .filter(|(name, value)| !value.is_inline() || header::is_secret(name))
            .map(|(name, value)| (format!("headers.{name}"), value));
        key.chain(login).chain(headers)
    }
}
