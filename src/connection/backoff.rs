//! When to dial again. Pure: the dice are inside, the time comes from outside.

use std::time::Duration;

use tokio::time::Instant;

/// How fast a backend is redialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// On this machine a dial costs nothing and a person waits for the restart: at most 100 ms for the first 10 s,
    /// then growing to 1 s until 60 s, then 5 s.
    Loopback,
    /// Across a network: from 100 ms by 1.6 to 60 s.
    Network,
}

const FIRST: Duration = Duration::from_millis(100);
const FACTOR: f64 = 1.6;
const EAGER: Duration = Duration::from_secs(10);
const PATIENT: Duration = Duration::from_secs(60);

/// The waits between dials: full jitter below a cap that grows with the outage.
///
/// The cap is reset by [`Self::reset`] only, which the machine calls once a session has held: a backend that flaps
/// keeps its long waits.
#[derive(Debug, Clone)]
pub struct Backoff {
    pacing: Pacing,
    dice: fastrand::Rng,
    failing_since: Option<Instant>,
    grown: Duration,
}

impl Backoff {
    /// A backoff without failures yet; the same seed gives the same waits.
    pub fn new(pacing: Pacing, seed: u64) -> Self {
        Self { pacing, dice: fastrand::Rng::with_seed(seed), failing_since: None, grown: FIRST }
    }

    /// The wait before the next dial, after a failure at `now`: anything from nothing to the cap.
    pub fn next_wait(&mut self, now: Instant) -> Duration {
        let since = *self.failing_since.get_or_insert(now);
        let cap = self.cap(now.saturating_duration_since(since));
        cap.mul_f64(self.dice.f64())
    }

    /// Forgets the failures.
    pub fn reset(&mut self) {
        self.failing_since = None;
        self.grown = FIRST;
    }

    fn cap(&mut self, outage: Duration) -> Duration {
        let limit = match self.pacing {
            Pacing::Loopback if outage < EAGER => return FIRST,
            Pacing::Loopback if outage < PATIENT => Duration::from_secs(1),
            Pacing::Loopback => return Duration::from_secs(5),
            Pacing::Network => Duration::from_secs(60),
        };
        let cap = self.grown.min(limit);
        self.grown = self.grown.mul_f64(FACTOR).min(limit);
        cap
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn jitter_stays_inside_the_cap_of_each_stage(seed: u64, waits in prop::collection::vec(0u64..20_000, 1..80)) {
            let mut backoff = Backoff::new(Pacing::Loopback, seed);
            let start = Instant::now();
            let mut at = start;
            for (turn, gap) in waits.into_iter().enumerate() {
                let wait = backoff.next_wait(at);
                let outage = at - start;
                let cap = if outage < EAGER { 100 } else if outage < PATIENT { 1_000 } else { 5_000 };
                prop_assert!(wait <= Duration::from_millis(cap), "{wait:?} at turn {turn} after {outage:?}");
                at += wait + Duration::from_millis(gap);
            }
        }

        #[test]
        fn across_a_network_the_cap_grows_to_a_minute_and_not_past_it(seed: u64) {
            let mut backoff = Backoff::new(Pacing::Network, seed);
            let mut now = Instant::now();
            let mut longest = Duration::ZERO;
            for turn in 0..200 {
                let wait = backoff.next_wait(now);
                let cap = FIRST.mul_f64(FACTOR.powi(turn.min(40))).min(Duration::from_secs(60));
                prop_assert!(wait <= cap);
                longest = longest.max(wait);
                now += wait;
            }
            prop_assert!(longest > Duration::from_secs(30), "the cap never grew: {longest:?}");
        }
    }

    #[test]
    fn a_reset_begins_anew() {
        let mut backoff = Backoff::new(Pacing::Network, 7);
        let now = Instant::now();
        for _ in 0..30 {
            backoff.next_wait(now);
        }
        backoff.reset();
        assert!(backoff.next_wait(now) <= FIRST);
    }
}
