//! Waits until a burst of changes is over. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long nothing may happen before what happened counts: an editor writes in several steps.
pub(super) const QUIET: Duration = Duration::from_millis(200);
/// How long a burst may hold that up: a log in the same directory never rests.
pub(super) const LONGEST: Duration = Duration::from_secs(2);

/// A burst of changes, while it lasts.
#[derive(Debug, Default)]
pub(super) struct Debounce(Option<(Instant, Instant)>);

impl Debounce {
    /// Something happened.
    pub(super) fn heard(&mut self, now: Instant) {
        let first = self.0.map_or(now, |(first, _)| first);
        self.0 = Some((first, now));
    }

    /// When it counts; `None` where nothing happened.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.map(|(first, last)| (last + QUIET).min(first + LONGEST))
    }

    /// It has been looked at.
    pub(super) fn rest(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_counts_when_it_is_over_or_has_lasted_too_long() {
        let (start, mut debounce) = (Instant::now(), Debounce::default());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(debounce.due(), None);
        debounce.heard(at(0));
        debounce.heard(at(150));
        assert_eq!(debounce.due(), Some(at(350)));
        for ms in (200..5_000).step_by(100) {
            debounce.heard(at(ms));
        }
        assert_eq!(debounce.due(), Some(start + LONGEST));
        debounce.rest();
        assert_eq!(debounce.due(), None);
    }

    proptest! {
        #[test]
        fn every_change_is_looked_at_within_the_longest_wait(gaps in proptest::collection::vec(0..900_u64, 1..60)) {
            let (mut now, mut debounce) = (Instant::now(), Debounce::default());
            for gap in gaps {
                now += Duration::from_millis(gap);
                if debounce.due().is_some_and(|due| due <= now) {
                    debounce.rest();
                }
                debounce.heard(now);
                let due = debounce.due().unwrap();
                prop_assert!(due <= now + QUIET && due > now.checked_sub(LONGEST).unwrap());
            }
        }
    }
}
