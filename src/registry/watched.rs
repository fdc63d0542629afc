//! When a backend is looked at anew. Pure.

use std::time::Duration;

use tokio::time::Instant;

use super::observed::Observed;
use crate::model::{Depth, Epoch};

/// Between two looks for which requests are the reason: a look may hold up the server for a third of a second.
const GAP: Duration = Duration::from_secs(10);
/// After a look that failed; it doubles up to the cap.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_CAP: Duration = Duration::from_secs(300);

/// What the registry knows of its looks at one backend.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    /// Doubts that a look has answered.
    answered: u64,
    looking: Option<Looking>,
    /// When the last look ended, and in which session.
    ended: Option<(Epoch, Instant)>,
    /// When the last look ended for which requests were the reason.
    doubted: Option<Instant>,
    /// Looks in a row that failed, in which session.
    failed: Option<(Epoch, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looking {
    epoch: Epoch,
    /// Doubts that it will answer.
    doubts: u64,
}

/// How a look ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was looked at, or there is no more to see than its dial said.
    Done,
    Failed,
}

impl Watched {
    /// When a session is to be looked at: now, later, or not.
    pub(crate) fn due(&self, seen: &Observed, live: Epoch, doubts: u64) -> Option<Due> {
        if self.looking.is_some() || seen.epoch != live {
            return None;
        }
        let sketchy = seen.depth == Depth::Sketch && !self.is_done(live);
        if !sketchy && self.answered >= doubts {
            return None;
        }
        let failed = self.failed.filter(|(epoch, _)| *epoch == live).map_or(0, |(_, times)| times);
        let wait = match failed {
            0 if sketchy => return Some(Due::Now),
            0 => return Some(self.doubted.map_or(Due::Now, |at| Due::At(at + GAP))),
            times => AGAIN.saturating_mul(1 << (times - 1).min(10)).min(AGAIN_CAP),
        };
        Some(self.ended.map_or(Due::Now, |(_, at)| Due::At(at + wait)))
    }

    /// A look has begun.
    pub(crate) fn begin(&mut self, epoch: Epoch, doubts: u64) {
        self.looking = Some(Looking { epoch, doubts });
    }

    /// It has ended.
    pub(crate) fn end(&mut self, end: End, now: Instant) {
        let Some(looking) = self.looking.take() else { return };
        self.ended = Some((looking.epoch, now));
        if self.answered < looking.doubts {
            self.doubted = Some(now);
        }
        self.failed = match (end, self.failed) {
            (End::Done, _) => {
                self.answered = self.answered.max(looking.doubts);
                None
            }
            (End::Failed, Some((epoch, times))) if epoch == looking.epoch => Some((epoch, times + 1)),
            (End::Failed, _) => Some((looking.epoch, 1)),
        };
    }

    /// A kind without a whole look has nothing more to tell in this session.
    fn is_done(&self, epoch: Epoch) -> bool {
        self.failed.is_none() && self.ended.is_some_and(|(ended, _)| ended == epoch)
    }
}

/// When a look is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Now,
    At(Instant),
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::model::Identity;

    fn seen(epoch: u64, depth: Depth) -> Observed {
        let identity = Arc::new(Identity::default());
        Observed { epoch: Epoch::new(epoch), at: Timestamp::UNIX_EPOCH, depth, identity }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sketch_is_looked_at_at_once_and_doubts_at_most_once_in_a_gap() {
        let (mut watched, now, live) = (Watched::default(), Instant::now(), Epoch::new(1));
        let sketch = seen(1, Depth::Sketch);
        assert_eq!(watched.due(&sketch, live, 0), Some(Due::Now));
        assert_eq!(watched.due(&sketch, Epoch::new(2), 0), None, "of another session");
        watched.begin(live, 0);
        assert_eq!(watched.due(&sketch, live, 5), None, "one look at a time");
        watched.end(End::Done, now);
        assert_eq!(watched.due(&sketch, live, 0), None, "there is no more to see");
        let whole = seen(1, Depth::Whole);
        assert_eq!(watched.due(&whole, live, 0), None);
        assert_eq!(watched.due(&whole, live, 3), Some(Due::Now), "the first");
        watched.begin(live, 3);
        watched.end(End::Done, now);
        assert_eq!(watched.due(&whole, live, 3), None, "answered");
        assert_eq!(watched.due(&whole, live, 4), Some(Due::At(now + GAP)));
        let again = seen(2, Depth::Sketch);
        assert_eq!(watched.due(&again, Epoch::new(2), 3), Some(Due::Now), "a reconnect waits for nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_fails_is_repeated_ever_more_rarely() {
        let (mut watched, now, live) = (Watched::default(), Instant::now(), Epoch::new(1));
        let sketch = seen(1, Depth::Sketch);
        let mut waits = Vec::new();
        for _ in 0..8 {
            watched.begin(live, 0);
            watched.end(End::Failed, now);
            let Some(Due::At(at)) = watched.due(&sketch, live, 0) else { panic!("not due") };
            waits.push((at - now).as_secs());
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(watched.due(&seen(2, Depth::Sketch), Epoch::new(2), 0), Some(Due::Now));
    }
}
