//! The age of a job: what its decisions are made by.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{jobs::journal, pool::Since};

/// Counts the age of one job. Over a restart it goes on by the wall clock, and never back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    before: Duration,
    since: Instant,
}

impl Clock {
    /// A job that was accepted now.
    pub(crate) fn new() -> Self {
        Self { before: Duration::ZERO, since: Instant::now() }
    }

    /// A job that was accepted then, and was this old at its last step.
    pub(crate) fn resumed(accepted: Timestamp, last: Duration) -> Self {
        let by_wall = Duration::try_from(Timestamp::now().duration_since(accepted)).unwrap_or_default();
        Self { before: by_wall.max(last), since: Instant::now() }
    }

    /// Since when it waits for its turn, with this number between those of the same age.
    pub(crate) fn since(&self, number: i64) -> Since {
        Since { at: self.since, before: self.before, number }
    }

    /// The age now, in whole milliseconds.
    pub(crate) fn age(&self) -> Duration {
        journal::age(self.before + self.since.elapsed())
    }

    /// When the job has this age.
    pub(crate) fn when(&self, age: Duration) -> Instant {
        // A millisecond later, so that the age in whole milliseconds has come.
        self.since + age.saturating_sub(self.before) + Duration::from_millis(1)
    }
}
