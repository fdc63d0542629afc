//! The public state of a connection, in three words that are never merged: phase, health, channel.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// Not begun, or disabled.
    Idle,
    /// An attempt is under way.
    Dialing,
    /// A session is open; leases are given.
    Ready,
    /// The last attempt or session failed; the next attempt has a time.
    Waiting,
    /// Failed for a reason that retrying alone does not mend (wrong key, wrong program, bad address).
    Parked,
    /// Stopped by a person.
    Paused,
    /// No new work; what runs may end until the deadline.
    Draining,
    /// Its actor kept crashing; the tree has stopped restarting it.
    Quarantined,
    /// Gone for good.
    Closed,
}

impl Phase {
    /// All phases.
    pub const ALL: [Self; 9] = [
        Self::Idle,
        Self::Dialing,
        Self::Ready,
        Self::Waiting,
        Self::Parked,
        Self::Paused,
        Self::Draining,
        Self::Quarantined,
        Self::Closed,
    ];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Dialing => "dialing",
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Paused => "paused",
            Self::Draining => "draining",
            Self::Quarantined => "quarantined",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How well a ready backend answers. Unknown while there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Health {
    /// Probes are answered.
    Healthy,
    /// Works, but something is off: events are degraded, or answers are slow.
    Degraded,
    /// Does not answer, while a job keeps its session alive; gets no new work.
    Unhealthy,
    /// Not yet known.
    #[default]
    Unknown,
}

/// Quality of the live channel of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Channel {
    /// Events arrive as they happen.
    Live,
    /// No live channel can be had (a proxy refuses the upgrade): state is read by polling.
    Polling,
    /// There is a live channel, but it has shown that it does not tell everything.
    Degraded,
    /// The kind has none, or there is no session.
    #[default]
    None,
}
