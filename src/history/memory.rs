//! What is known of a backend from its last connection, over restarts of Backline.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{
    BackendStatus, Capability, Code, Fault, Phase,
    status::{LastError, Quantiles},
};

/// Names of models and functions that are kept, of each.
const NAMES: usize = 2_000;

/// What is known of a backend from its last connection. Fields may be added; unknown ones are left.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// When its last session was opened.
    pub(super) connected_at: Option<Timestamp>,
    /// Why it was not connected, or last lost.
    pub(super) cause: Option<Cause>,
    /// What it said of itself.
    pub(super) facts: Option<Facts>,
    /// How long its probes took.
    pub(super) latency_ms: Option<Quantiles>,
}

/// A cause of the last run. A code that this version does not know is read as none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) at: Timestamp,
}

/// What a backend said of itself, when, and in which session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(super) observed_at: Timestamp,
    pub(super) epoch: u64,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) capabilities: Vec<String>,
    #[serde(default)]
    pub(super) models: Vec<String>,
    #[serde(default)]
    pub(super) functions: Vec<String>,
}

/// What changes when a memory does: cheap to compare at each tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(Option<Timestamp>, Option<Timestamp>, Option<Timestamp>);

impl Mark {
    pub(super) fn of(status: &BackendStatus) -> Self {
        Self(status.connected_at, status.last_error.as_ref().map(|e| e.at), status.observed_at)
    }
}

impl Memory {
    /// What is worth keeping of a status; `None` before there is anything.
    pub(super) fn of(status: &BackendStatus) -> Option<Self> {
        if Mark::of(status) == Mark(None, None, None) {
            return None;
        }
        let names = |all: &[String]| all.iter().take(NAMES).cloned().collect();
        Some(Self {
            connected_at: status.connected_at,
            cause: status.last_error.as_ref().map(|error| Cause {
                code: error.code.as_str().to_owned(),
                message: error.message.clone(),
                at: error.at,
            }),
            facts: status.observed_at.map(|observed_at| Facts {
                observed_at,
                epoch: status.epoch,
                version: status.version.clone(),
                title: status.title.clone(),
                capabilities: status.capabilities.iter().map(|c| c.as_str().to_owned()).collect(),
                models: names(&status.models),
                functions: names(&status.functions),
            }),
            latency_ms: status.latency_ms,
        })
    }

    /// Shows what was known, where this run knows nothing newer. It is marked by its age: `observed_at` and
    /// `connected_at` say when it was so, and the phase says that it is not so now.
    pub(super) fn show(self, status: &mut BackendStatus) {
        if status.connected_at.is_none() {
            status.connected_at = self.connected_at;
        }
        if status.last_error.is_none() && status.phase != Phase::Ready {
            status.last_error = self.cause.and_then(Cause::into_error);
        }
        if status.latency_ms.is_none() {
            status.latency_ms = self.latency_ms;
        }
        let (None, Some(facts)) = (status.observed_at, self.facts) else { return };
        status.observed_at = Some(facts.observed_at);
        status.version = facts.version;
        status.title = facts.title;
        // A capability that this version does not know is of no use to it.
        status.capabilities =
            facts.capabilities.iter().filter_map(|c| c.parse::<Capability>().ok()).collect();
        status.models = facts.models;
        status.functions = facts.functions;
    }
}

impl Cause {
    fn into_error(self) -> Option<LastError> {
        let code = Code::ALL.iter().find(|code| code.as_str() == self.code)?;
        Some(LastError::new(&Fault::new(*code, &self.message), self.at))
    }
}
