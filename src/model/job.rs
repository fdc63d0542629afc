//! A job as the outside sees it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{BackendId, Fault, Kind};

/// A job's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct JobId(uuid::Uuid);

impl JobId {
    /// A new one, random.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl std::str::FromStr for JobId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JobState {
    /// Accepted; waits for a backend.
    Queued,
    /// On its way to a backend, or waiting in the backend's queue.
    Sent,
    /// The backend works on it.
    Running,
    /// Finished there; its outputs are being fetched.
    Fetching,
    /// Ended well, all outputs here.
    Done,
    /// Ended with an error of the backend or of the request.
    Failed,
    /// Ended by a person.
    Cancelled,
    /// Ended because its backend forgot it, and it may not run again by itself.
    Lost,
    /// Ended because nobody can say whether it ran.
    Uncertain,
    /// Given up on for a reason; waits for a retry.
    Held,
}

impl JobState {
    /// All states, in the order of the snapshot.
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Sent,
        Self::Running,
        Self::Fetching,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Lost,
        Self::Uncertain,
        Self::Held,
    ];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Running => "running",
            Self::Fetching => "fetching",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::Uncertain => "uncertain",
            Self::Held => "held",
        }
    }

    /// Whether nothing more happens by itself.
    pub const fn is_end(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Failed | Self::Cancelled | Self::Lost | Self::Uncertain | Self::Held
        )
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a job is. The latest wins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Steps done.
    pub value: f64,
    /// Steps in all; `None` where the backend does not say.
    pub max: Option<f64>,
    /// The node or step that runs.
    pub node: Option<String>,
    /// What the backend says of it.
    pub message: Option<String>,
    /// Seconds left, where somebody knows.
    pub eta_s: Option<f64>,
}

/// One output of a job, once it is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct OutputFile {
    /// Our own name for it: its index and an extension sniffed from its bytes.
    pub name: String,
    /// Media type, sniffed from its bytes.
    pub media_type: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Where it is: a path of the API, or of the directory that the caller named.
    pub url: String,
}

/// One step in the life of a job, with the evidence for it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct TimelineStep {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// The state that it entered.
    pub state: JobState,
    /// How we know.
    pub evidence: String,
}

/// What a job's kind of backend lets us promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Guarantee {
    /// We choose the id and look before sending again: a repeat starts only after proof that the first is over.
    EffectivelyOnce,
    /// There is nothing to look up: never sent again after a doubt.
    AtMostOnce,
    /// The caller asked for a repeat whatever happens.
    AtLeastOnce,
}

/// Everything that is known of a job.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct JobStatus {
    /// Its own id.
    pub id: JobId,
    /// What the caller named.
    pub target: String,
    /// Where it runs, once bound.
    pub backend: Option<BackendId>,
    /// The kind of backend, once bound.
    pub kind: Option<Kind>,
    /// The kind of work.
    pub work: &'static str,
    /// Where it stands.
    pub state: JobState,
    /// What can be promised.
    pub guarantee: Option<Guarantee>,
    /// The backend's name for it.
    pub remote_id: Option<String>,
    /// Executions begun.
    pub attempts: u32,
    /// Why it went where it went.
    pub routed: Option<String>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// What came of it, once here.
    pub outputs: Vec<OutputFile>,
    /// The backend's result document.
    #[cfg_attr(feature = "dashboard", schema(value_type = Option<serde_json::Value>))]
    pub result: Option<std::sync::Arc<RawValue>>,
    /// Why it did not end well.
    pub error: Option<Fault>,
    /// Its life so far.
    pub timeline: Vec<TimelineStep>,
}
