//! One backend in a snapshot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{BackendId, Capability, Channel, Fault, Health, Kind, Names, Phase};

/// Where a backend's settings came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum Source {
    #[default]
    Default,
    File,
    Env,
    Api,
    Discovered,
}

/// Jobs in the backend's own queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct Queue {
    pub running: u32,
    pub pending: u32,
}

/// Leases given and the most that may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct Slots {
    pub used: u32,
    pub limit: u32,
}

/// Quantiles of a duration, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct Quantiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

/// Memory of the backend's machine, in bytes, where it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct Resources {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vram_free: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vram_total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_free: Option<u64>,
}

/// Tokens that our requests used, as the answers tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// Answers that told.
    pub answers: u64,
    /// By the questions.
    pub prompt: u64,
    /// By the answers.
    pub completion: u64,
}

/// Whether a backend gets new work, by its recent failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BreakerState {
    /// It gets work.
    #[default]
    Closed,
    /// It gets none.
    Open,
    /// One trial is under way.
    HalfOpen,
}

/// The circuit breaker, with its reason and the time of its next trial.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct Breaker {
    pub state: BreakerState,
    pub reason: Option<String>,
    pub next_trial_at: Option<Timestamp>,
}

/// A fault and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct LastError {
    pub code: crate::model::Code,
    pub class: crate::model::Class,
    pub message: String,
    pub fix: String,
    pub at: Timestamp,
}

impl LastError {
    /// The fault as it is shown.
    pub fn new(fault: &Fault, at: Timestamp) -> Self {
        Self {
            code: fault.code(),
            class: fault.class(),
            message: fault.message().to_owned(),
            fix: fault.fix().to_owned(),
            at,
        }
    }
}

/// Why a backend does less than it could, though nothing is wrong with it: the deepest of those it needs that is not
/// ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct RootCause {
    /// The one that is not ready.
    pub backend: BackendId,
    /// How it stands.
    pub phase: Phase,
    /// One sentence, which names it.
    pub message: String,
}

/// Everything that is known of one backend. The fields are the contract's; times are wall-clock.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct BackendStatus {
    pub id: BackendId,
    pub kind: Kind,
    /// Without user, password, query.
    pub url: String,
    pub required: bool,
    pub enabled: bool,
    pub source: Source,
    pub phase: Phase,
    /// Why the phase is what it is, one sentence; while ready, why it is degraded by another backend, else `None`.
    pub reason: Option<String>,
    /// The backends that it needs.
    pub depends_on: Vec<BackendId>,
    /// The one of them, or of those that they need, that is not ready.
    pub root_cause: Option<RootCause>,
    pub health: Health,
    pub channel: Channel,
    pub since: Timestamp,
    pub connected_at: Option<Timestamp>,
    pub last_attempt_at: Option<Timestamp>,
    pub last_check_at: Option<Timestamp>,
    pub epoch: u64,
    /// When it said its version, title, capabilities, models and functions; from an earlier run, they are the last
    /// that was known.
    pub observed_at: Option<Timestamp>,
    pub version: Option<String>,
    pub title: Option<String>,
    pub capabilities: Vec<Capability>,
    #[cfg_attr(feature = "dashboard", schema(value_type = Vec<String>))]
    pub models: Names,
    /// Those that it has loaded, where it tells.
    pub loaded: Vec<String>,
    #[cfg_attr(feature = "dashboard", schema(value_type = Vec<String>))]
    pub functions: Names,
    pub queue: Option<Queue>,
    pub slots: Slots,
    /// Since when it gets nothing new because a person wants that.
    pub cordoned_at: Option<Timestamp>,
    /// Of probes.
    pub latency_ms: Option<Quantiles>,
    /// Of requests that were answered, by jobs and through leases, until the head of the answer; as of the last probe.
    pub request_ms: Option<Quantiles>,
    /// Of jobs that ended well in the last 12 to 24 hours, from the first time that each was sent.
    pub job_ms: Option<Quantiles>,
    /// Of the last probes, 0 to 1.
    pub success_rate: Option<f64>,
    /// Over 24 hours, or since the start, 0 to 1.
    pub uptime: Option<f64>,
    pub resources: Resources,
    /// Used since the backend was set up, as of the last probe; `None` where its answers tell of none.
    pub tokens: Option<Tokens>,
    /// Attempts since the last session.
    pub attempts: u32,
    pub next_attempt_at: Option<Timestamp>,
    pub breaker: Breaker,
    /// Stays until the next success of the same kind.
    pub last_error: Option<LastError>,
    /// Restarts of its actor by the tree.
    pub restarts: u64,
    /// When its actor last crashed; `None` where it never did.
    pub crashed_at: Option<Timestamp>,
}
