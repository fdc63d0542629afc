//! The time of the samples: wall-clock times that a set clock cannot tear.

use std::time::Duration;

/// A difference between the clocks that is a jump, no drift: a clock that was set, a machine that slept.
const JUMP_MS: i64 = 2_000;

/// Times by the wall clock, carried by the monotonic one. Only a jump of the wall clock is followed: then what lies
/// between is a gap, and time that passes twice adds to the buckets of the first time.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    mono: Duration,
    wall_ms: i64,
    at_ms: i64,
}

/// A time for samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Since the start of this run; never goes back.
    pub(crate) mono: Duration,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
}

impl Clock {
    /// Started at this time of the wall clock.
    pub(crate) fn new(wall_ms: i64) -> Self {
        Self { mono: Duration::ZERO, wall_ms, at_ms: wall_ms }
    }

    /// The time now, by what both clocks say.
    pub(crate) fn read(&mut self, mono: Duration, wall_ms: i64) -> Moment {
        let passed = i64::try_from(mono.saturating_sub(self.mono).as_millis()).unwrap_or(i64::MAX);
        let shown = wall_ms.saturating_sub(self.wall_ms);
        // A wall clock that only stands still (virtual time) or is slewed has not been set.
        let jumped = shown < -JUMP_MS || shown > passed.saturating_add(JUMP_MS);
        self.at_ms = if jumped { wall_ms } else { self.at_ms.saturating_add(passed) };
        self.mono = self.mono.max(mono);
        self.wall_ms = wall_ms;
        Moment { mono: self.mono, at_ms: self.at_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_jumps_and_nothing_else() {
        let mut clock = Clock::new(1_000_000);
        let mut read = |mono_s: u64, wall_ms| clock.read(Duration::from_secs(mono_s), wall_ms).at_ms;
        assert_eq!(read(10, 1_010_000), 1_010_000);
        assert_eq!(read(20, 1_019_500), 1_020_000, "slewed");
        assert_eq!(read(30, 1_019_500), 1_030_000, "virtual time");
        assert_eq!(read(40, 5_000_000), 5_000_000, "the machine slept, or the clock was set forward");
        assert_eq!(read(50, 5_010_000), 5_010_000);
        assert_eq!(read(60, 2_000_000), 2_000_000, "set back");
        assert_eq!(read(70, 2_010_000), 2_010_000);
    }
}
