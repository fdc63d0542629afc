//! How far a generation was seen, and whether it can have ended between the last look and its server's death. Pure.
//!
//! The server is polled, so there is a gap before every death. A job that was as far as to be done within the gap may
//! have left its file behind: it is not run again.

use std::time::Duration;

use tokio::time::Instant;

/// After a longer silence nobody watched.
const GAP: Duration = Duration::from_secs(2);
/// Percent that a generation shows at its last step, by WanGP 12.60; a file may follow at once.
const LAST: f64 = 85.0;
/// Percent a second that a generation is believed able to make before its pace is known: none is done in under a second.
const UNKNOWN_PACE: f64 = 100.0;
/// So long a pace has to be seen.
const KNOWN_AFTER: Duration = Duration::from_secs(1);

/// How far a generation was seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watched {
    first: Option<Instant>,
    last: Option<(Instant, f64)>,
    fastest: f64,
}

impl Watched {
    /// A look: it was under way, and so far. Where the server said nothing of how far, there was no look.
    pub(super) fn look(&mut self, now: Instant, percent: Option<f64>) {
        let Some(percent) = percent else { return };
        self.first.get_or_insert(now);
        if let Some((at, before)) = self.last {
            let took = (now - at).as_secs_f64();
            if took > 0.0 {
                self.fastest = self.fastest.max((percent - before) / took);
            }
        }
        self.last = Some((now, percent));
    }

    /// Whether it was under way when its server died.
    pub(super) fn unfinished_at(&self, death: Instant) -> bool {
        let (Some(first), Some((at, percent))) = (self.first, self.last) else { return false };
        let gap = death.saturating_duration_since(at);
        let pace = if at - first >= KNOWN_AFTER { 2.0 * self.fastest } else { UNKNOWN_PACE };
        gap <= GAP && percent + pace * gap.as_secs_f64() < LAST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(begin: Instant, ms: u64) -> Instant {
        begin + Duration::from_millis(ms)
    }

    #[test]
    fn a_slow_job_seen_half_way_died_unfinished() {
        let (begin, mut seen) = (Instant::now(), Watched::default());
        for (ms, percent) in [(0, 10.0), (500, 20.0), (1_000, 22.0), (1_500, 24.0)] {
            seen.look(after(begin, ms), Some(percent));
        }
        assert!(seen.unfinished_at(after(begin, 2_000)));
        assert!(!seen.unfinished_at(after(begin, 9_000)), "nobody watched for seven seconds");
    }

    #[test]
    fn what_may_have_ended_in_the_gap_is_not_called_unfinished() {
        let (begin, mut seen) = (Instant::now(), Watched::default());
        assert!(!seen.unfinished_at(begin), "never seen");
        seen.look(begin, None);
        assert!(!seen.unfinished_at(begin), "never seen how far");
        seen.look(begin, Some(10.0));
        assert!(seen.unfinished_at(after(begin, 400)));
        assert!(!seen.unfinished_at(after(begin, 800)), "its pace is not known yet");
        seen.look(after(begin, 1_500), Some(84.0));
        assert!(!seen.unfinished_at(after(begin, 1_600)), "at its last step");
    }
}
