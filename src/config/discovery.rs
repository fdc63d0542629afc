//! The settings of discovery.

use std::{fmt, time::Duration};

use serde::Serialize;

use crate::discovery::{Host, PortRange, Scope};

/// Whether a server that was found becomes a backend by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Adopt {
    /// While no backend is configured.
    #[default]
    WhenEmpty,
    /// Always.
    Always,
    /// Never: it is proposed only.
    Never,
}

impl Adopt {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WhenEmpty, Self::Always, Self::Never];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WhenEmpty => "when_empty",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl fmt::Display for Adopt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How backends are found.
///
/// Made in code it is off, so that an embedded library looks at nothing that its host did not name: a host that wants
/// it asks for it with [`Self::on`]. A configuration that was loaded has it on unless it says `enabled: false`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryConfig {
    /// Whether it looks by itself, at the start and in the background. What is asked for is looked at either way.
    pub enabled: bool,
    /// What becomes of a find. Whatever stands here, it goes on looking, gently: a backend that moved is noticed.
    pub adopt: Adopt,
    /// Ports to look at after the known ones. Default: none.
    pub ports: Vec<PortRange>,
    /// Machines to look at beside this one. Default: none.
    pub hosts: Vec<Host>,
    /// Whether it looks at what the local network announces by mDNS, too. It then sends packets to that network, and
    /// puts its questions to what answers there. Default no; it takes a build with the feature `mdns`.
    pub browse: bool,
    /// Whether our own API is announced there, where it listens on more than this machine. Default no, likewise.
    pub announce: bool,
    /// Between looks in the background, give or take a fifth; 30 s at least. Default 60 s.
    pub interval: Duration,
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            adopt: Adopt::default(),
            ports: Vec::new(),
            hosts: Vec::new(),
            browse: false,
            announce: false,
            interval: Duration::from_secs(60),
        }
    }
}

impl DiscoveryConfig {
    /// It looks by itself; the rest as by default.
    pub fn on() -> Self {
        Self { enabled: true, ..Self::default() }
    }

    /// What it looks at by itself: the known ports and hosts, then the configured.
    pub fn scope(&self) -> Scope {
        Scope::new().and(&self.hosts, &self.ports).browse(self.browse)
    }
}
