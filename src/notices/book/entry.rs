//! One open notice, and what the world knows of it.

use tokio::time::Instant;

use super::QUIET;
use crate::{
    model::notice::Notice,
    notices::{draft::Draft, moment::Moment},
};

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) notice: Notice,
    pub(super) dismissed: bool,
    pub(super) told: Told,
}

/// What the world knows of an open notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing yet; it may be told from this time on.
    Owed { from: Option<Instant> },
    /// It was told of at this time, with this count.
    At { at: Instant, count: u64 },
}

impl Entry {
    pub(super) fn count(&mut self, draft: Draft, now: Moment) {
        self.notice.count = self.notice.count.saturating_add(draft.times);
        self.notice.last_at = now.wall;
        self.notice.severity = draft.severity;
        self.notice.message = draft.message;
        self.notice.fix = draft.fix;
        self.notice.detail = draft.detail;
    }

    /// Whether the world is to hear of it by now.
    pub(super) fn is_owed(&self, now: Instant) -> bool {
        self.owed_at(now).is_some_and(|at| at <= now)
    }

    /// When the world is to hear of it; a dismissed one only of its end.
    pub(super) fn owed_at(&self, now: Instant) -> Option<Instant> {
        match self.told {
            _ if self.dismissed => None,
            Told::Owed { from } => Some(from.unwrap_or(now)),
            Told::At { at, count } => (count < self.notice.count).then(|| at + QUIET),
        }
    }
}
