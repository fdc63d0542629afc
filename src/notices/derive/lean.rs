//! A backend that lacks another one: what it would say itself is held back, since the other's notice says it all.

use tokio::time::Instant;

use super::{GRACE, sooner};
use crate::{
    model::{BackendStatus, Code, Phase, RootCause, Severity},
    notices::draft::Draft,
};

/// One time of lacking another backend.
#[derive(Debug, Default)]
pub(super) struct Lean {
    since: Option<Instant>,
}

/// The other backend whose trouble is this one's. What only a person mends here (a wrong key) is not due to it.
pub(super) fn root_of(status: &BackendStatus) -> Option<&RootCause> {
    status.root_cause.as_ref().filter(|_| !matches!(status.phase, Phase::Parked | Phase::Quarantined))
}

impl Lean {
    /// What is to be said: nothing where the other one has a notice of its own, which names this one.
    pub(super) fn look(
        &mut self,
        status: &BackendStatus,
        now: Instant,
        due: &mut Option<Instant>,
    ) -> Option<(Draft, u64)> {
        let Some(root) = root_of(status) else {
            self.since = None;
            return None;
        };
        let from = *self.since.get_or_insert(now) + GRACE;
        // One that is not told of for itself: a person stopped it, and knows.
        if !matches!(root.phase, Phase::Idle | Phase::Paused | Phase::Closed | Phase::Draining) {
            return None;
        }
        if now < from {
            sooner(due, Some(from));
            return None;
        }
        let message = format!("{} is degraded because {}", status.id, root.message);
        Some((Draft::new(Code::DependencyDown, Severity::Warning).message(message), 0))
    }
}
