//! At most so many dials a second in a process, whatever the number of backends.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Spreads dials: a burst goes at once, the rest at an even rate. Shared by all connections of a supervisor.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    burst: Duration,
    /// When a dial would be due if all came at the even rate.
    due: Mutex<Option<Instant>>,
}

impl Pace {
    /// 500 dials a second, bursts of 50.
    pub(crate) fn per_process() -> Self {
        let gap = Duration::from_millis(2);
        Self { gap, burst: gap * 50, due: Mutex::new(None) }
    }

    /// Books the next dial: how long it has to wait.
    pub(crate) fn book(&self, now: Instant) -> Duration {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let at = due.map_or(now, |due| due.max(now));
        *due = Some(at + self.gap);
        (at - now).saturating_sub(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_dials_at_one_instant_take_two_seconds() {
        let pace = Pace::per_process();
        let now = Instant::now();
        let waits: Vec<_> = (0..1_000).map(|_| pace.book(now)).collect();
        assert!(waits[..50].iter().all(Duration::is_zero), "the burst waits");
        let in_first_second = waits.iter().filter(|w| **w < Duration::from_secs(1)).count();
        assert!((500..=551).contains(&in_first_second), "{in_first_second} dials in the first second");
        assert!(pace.book(now + Duration::from_secs(10)).is_zero(), "a quiet time is not remembered");
    }
}
