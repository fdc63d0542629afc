//! What happened, as it happens.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{
    BackendId, BackendStatus, Fault, Health, JobId, JobState, Notice, Phase, PoolStatus, Progress,
};

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its place in the run's sequence; grows by one from event to event.
    pub revision: u64,
    /// When, by the wall clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened. The serialised `type` is the event's name in the API.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(tag = "type", content = "data")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields' names are the contract's")]
pub enum EventBody {
    /// A connection changed its phase.
    #[serde(rename = "backend.phase")]
    BackendPhase {
        backend: BackendId,
        phase: Phase,
        epoch: u64,
        reason: Option<Fault>,
        status: Arc<BackendStatus>,
    },
    /// A backend's health changed.
    #[serde(rename = "backend.health")]
    BackendHealth { backend: BackendId, health: Health, epoch: u64, reason: Option<Fault> },
    /// What a backend can do changed, or is known for the first time.
    #[serde(rename = "backend.capabilities")]
    BackendCapabilities { backend: BackendId, status: Arc<BackendStatus> },
    /// A backend was added.
    #[serde(rename = "backend.added")]
    BackendAdded { backend: BackendId },
    /// A backend was removed.
    #[serde(rename = "backend.removed")]
    BackendRemoved { backend: BackendId },
    /// A pool's members, leases or waiters changed; the latest counts.
    #[serde(rename = "pool.changed")]
    PoolChanged(Box<PoolStatus>),
    /// A new configuration counts.
    #[serde(rename = "config.applied")]
    ConfigApplied { change: crate::settings::Change },
    /// A job entered a state.
    #[serde(rename = "job.state")]
    JobState { job: JobId, state: JobState, backend: Option<BackendId>, evidence: String },
    /// A job's progress; the latest wins.
    #[serde(rename = "job.progress")]
    JobProgress { job: JobId, progress: Progress },
    /// Text that a job added, from this offset (bytes) on; never dropped.
    #[serde(rename = "job.delta")]
    JobDelta { job: JobId, offset: u64, text: String },
    /// An actor ended abnormally and is restarted.
    #[serde(rename = "tree.crash")]
    TreeCrash { child: String, exit: String, restarts: u64 },
    /// An actor kept crashing; the tree stopped restarting it.
    #[serde(rename = "tree.quarantined")]
    TreeQuarantined { child: String, reason: String },
    /// A person should know of something: for the first time, or with a grown count; at most once a group in 30 s.
    #[serde(rename = "notice.raised")]
    NoticeRaised(Box<Notice>),
    /// What a notice told of is over.
    #[serde(rename = "notice.cleared")]
    NoticeCleared(Box<Notice>),
}

impl EventBody {
    /// The event's name in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BackendPhase { .. } => "backend.phase",
            Self::BackendHealth { .. } => "backend.health",
            Self::BackendCapabilities { .. } => "backend.capabilities",
            Self::BackendAdded { .. } => "backend.added",
            Self::BackendRemoved { .. } => "backend.removed",
            Self::PoolChanged(_) => "pool.changed",
            Self::ConfigApplied { .. } => "config.applied",
            Self::JobState { .. } => "job.state",
            Self::JobProgress { .. } => "job.progress",
            Self::JobDelta { .. } => "job.delta",
            Self::TreeCrash { .. } => "tree.crash",
            Self::TreeQuarantined { .. } => "tree.quarantined",
            Self::NoticeRaised(_) => "notice.raised",
            Self::NoticeCleared(_) => "notice.cleared",
        }
    }
}
