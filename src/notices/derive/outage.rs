//! One time of being away, and what it is called by.

use tokio::time::Instant;

use crate::model::{BackendStatus, Code, Phase, status::LastError};

/// Attempts in a row with another cause, before an outage is called by it.
const INSISTENT: u32 = 3;

/// One time of being away, from its first failure on, whatever the causes of the attempts.
#[derive(Debug)]
pub(super) struct Outage {
    pub(super) since: Instant,
    pub(super) cause: LastError,
    /// The cause that stands against it, and for how many attempts in a row.
    other: Option<(Code, u32)>,
    pub(super) epoch: u64,
}

impl Outage {
    pub(super) fn new(fault: &LastError, epoch: u64, now: Instant) -> Self {
        Self { since: now, cause: fault.clone(), other: None, epoch }
    }

    /// One more look; an attempt that failed counts once.
    pub(super) fn hear(&mut self, fault: &LastError, status: &BackendStatus) {
        if fault.code == self.cause.code {
            self.cause = fault.clone();
            self.other = None;
        } else if self.other.is_none_or(|(code, _)| code != fault.code) {
            self.other = Some((fault.code, 1));
        } else if status.phase == Phase::Waiting && self.epoch < status.epoch {
            self.other = self.other.map(|(code, times)| (code, times + 1));
        }
        if self.other.is_some_and(|(_, times)| times >= INSISTENT) {
            self.cause = fault.clone();
            self.other = None;
        }
        if status.phase == Phase::Waiting {
            self.epoch = self.epoch.max(status.epoch);
        }
    }
}
