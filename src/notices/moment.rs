//! Now, by two clocks.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Now, by both clocks: the wall's for people, the steady one for waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) wall: Timestamp,
    pub(crate) tick: Instant,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let wall = Timestamp::now();
        // Whole microseconds, as the database keeps them: a time reads the same after a restart.
        let wall = Timestamp::from_microsecond(wall.as_microsecond()).unwrap_or(wall);
        Self { wall, tick: Instant::now() }
    }

    /// When the wall clock shows this time, by the steady one.
    pub(super) fn later(self, end: Timestamp) -> Instant {
        let wait = Duration::try_from(end.duration_since(self.wall)).unwrap_or_default();
        // A mute of years is looked at again each day.
        self.tick + wait.min(Duration::from_secs(24 * 3600))
    }
}
