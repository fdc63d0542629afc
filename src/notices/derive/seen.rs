//! What is remembered of a backend's last look, and what it tells together with the next.

use jiff::Timestamp;

use crate::model::{BackendStatus, Phase};

/// A backend at one look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    phase: Phase,
    epoch: u64,
    pub(super) restarts: u64,
    connected_at: Option<Timestamp>,
}

impl Seen {
    pub(super) fn of(status: &BackendStatus) -> Self {
        let BackendStatus { phase, epoch, restarts, connected_at, .. } = *status;
        Self { phase, epoch, restarts, connected_at }
    }

    /// Sessions that were lost between this look and the next, as far as two looks tell: the one that was seen, and
    /// one that began and ended between them. Without the latter, sessions that last for less than a look would never
    /// count.
    pub(super) fn lost_until(self, next: Self) -> usize {
        let ready = |seen: Self| seen.phase == Phase::Ready;
        let seen = ready(self) && (self.epoch != next.epoch || !ready(next));
        let between = self.connected_at.is_some() && self.connected_at != next.connected_at && !ready(next);
        usize::from(seen) + usize::from(between)
    }
}
