//! What is known of a backend from its last connection, over restarts of Backline.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        BackendStatus, Code, Epoch, Fault, Identity, Phase,
        status::{LastError, Quantiles},
    },
    registry::Observed,
};

/// Names of models, functions and nodes that are kept, of each.
const NAMES: usize = 1_500;

/// What is known of a backend from its last connection. Fields may be added; unknown ones are left.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// When its last session was opened.
    pub(super) connected_at: Option<Timestamp>,
    /// Why it was not connected, or last lost.
    pub(super) cause: Option<Cause>,
    /// What was seen of it.
    pub(super) facts: Option<Facts>,
    /// How long its probes took.
    pub(super) latency_ms: Option<Quantiles>,
    /// Since when a person wants that it gets nothing new.
    pub(super) cordoned_at: Option<Timestamp>,
}

/// A cause of the last run. A code that this version does not know is read as none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) at: Timestamp,
}

/// What was seen of a backend, when, and in which session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(super) observed_at: Timestamp,
    pub(super) epoch: u64,
    #[serde(flatten)]
    pub(super) identity: Identity,
}

/// What changes when a memory does: cheap to compare at each tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark([Option<Timestamp>; 4]);

impl Mark {
    pub(super) fn of(status: &BackendStatus) -> Self {
        let failed_at = status.last_error.as_ref().map(|error| error.at);
        Self([status.connected_at, failed_at, status.observed_at, status.cordoned_at])
    }
}

impl Memory {
    /// What is worth keeping of a backend; `None` before there is anything.
    pub(super) fn of(status: &BackendStatus, observed: Option<&Observed>) -> Option<Self> {
        if Mark::of(status) == Mark([None; 4]) {
            return None;
        }
        Some(Self {
            connected_at: status.connected_at,
            cause: status.last_error.as_ref().map(|error| Cause {
                code: error.code.as_str().to_owned(),
                message: error.message.clone(),
                at: error.at,
            }),
            facts: observed.map(Facts::new),
            latency_ms: status.latency_ms,
            cordoned_at: status.cordoned_at,
        })
    }

    /// Shows what was known, where this run knows nothing newer. It is marked by its age: `connected_at` says when it
    /// was so, and the phase says that it is not so now.
    pub(super) fn show(&self, status: &mut BackendStatus) {
        if status.connected_at.is_none() {
            status.connected_at = self.connected_at;
        }
        if status.last_error.is_none() && status.phase != Phase::Ready {
            status.last_error = self.cause.as_ref().and_then(Cause::error);
        }
        if status.latency_ms.is_none() {
            status.latency_ms = self.latency_ms;
        }
    }

    /// What was seen.
    pub(super) fn observed(self) -> Option<Observed> {
        let Facts { observed_at, epoch, identity } = self.facts?;
        let depth = identity.depth;
        Some(Observed { epoch: Epoch::new(epoch), at: observed_at, depth, identity: Arc::new(identity) })
    }
}

impl Facts {
    /// Names beyond a bound are left out: the rest is seen again at the next connection.
    fn new(observed: &Observed) -> Self {
        let mut identity = Identity::clone(&observed.identity);
        for names in [&mut identity.models, &mut identity.functions, &mut identity.nodes] {
            if names.len() > NAMES {
                *names = names[..NAMES].into();
            }
        }
        identity.signatures.truncate(NAMES);
        identity.evidence.iter_mut().for_each(|evidence| evidence.models.truncate(NAMES));
        Self { observed_at: observed.at, epoch: observed.epoch.get(), identity }
    }
}

impl Cause {
    fn error(&self) -> Option<LastError> {
        let code = Code::ALL.iter().find(|code| code.as_str() == self.code)?;
        Some(LastError::new(&Fault::new(*code, &self.message), self.at))
    }
}
