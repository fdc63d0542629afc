//! When a job is looked at over HTTP: rarely while its events come, soon when they stop.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Channel;

/// The first look after the events stopped, and the longest wait between looks.
const QUIET: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5);

/// The first look where there are no events.
const BLIND: Duration = Duration::from_millis(300);

/// When a job is looked at next.
#[derive(Debug)]
pub(super) struct Pace {
    first: Duration,
    wait: Duration,
    next: Instant,
}

impl Pace {
    pub(super) fn new(channel: Channel, now: Instant) -> Self {
        let first = if channel == Channel::Live { QUIET } else { BLIND };
        Self { first, wait: first, next: now + first }
    }

    /// When the clock asks for a look.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Asks for a look at once.
    pub(super) fn now(&mut self) {
        self.next = Instant::now();
    }

    /// Asks for a look at a time.
    pub(super) fn at(&mut self, next: Instant) {
        self.next = next;
    }

    /// Whether a look is due, by the count of the job's frames before and now; sets the time of the one after.
    pub(super) fn quiet(&mut self, before: u64, now: u64, at: Instant) -> bool {
        if now > before {
            self.wait = self.first;
        }
        self.next = at + self.wait;
        if now > before {
            return false;
        }
        self.wait = (self.wait * 8 / 5).min(LONGEST);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_rare_while_nothing_comes_and_begin_anew_with_an_event() {
        let start = Instant::now();
        let mut pace = Pace::new(Channel::Live, start);
        let mut at = start;
        let mut waits = Vec::new();
        for _ in 0..6 {
            waits.push((pace.next() - at).as_millis());
            at = pace.next();
            assert!(pace.quiet(7, 7, at));
        }
        assert_eq!(waits, [1000, 1000, 1600, 2560, 4096, 5000]);
        assert!(!pace.quiet(7, 8, at));
        assert_eq!(pace.next() - at, QUIET);
    }

    #[test]
    fn without_a_channel_the_first_look_comes_soon() {
        let start = Instant::now();
        assert_eq!(Pace::new(Channel::Polling, start).next() - start, BLIND);
    }
}
