//! How many retries there may be beside the requests that are made for the first time. Pure.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// What counts.
const WINDOW: Duration = Duration::from_secs(60);
/// Retries for each first request, and how many there may be in any case.
const SHARE: f32 = 0.2;
const FLOOR: u32 = 3;
/// Counts are kept by the second.
const SLICE: Duration = Duration::from_secs(1);

/// The retry budget of one route: in steady failure at most a fifth more than what is asked for goes out, so that
/// retries do not keep down what is down. A retry that succeeds costs nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Budget {
    slices: VecDeque<Slice>,
}

#[derive(Debug, Clone, Copy)]
struct Slice {
    begun: Instant,
    first: u32,
    retries: u32,
}

impl Budget {
    /// Something is asked for the first time.
    pub(crate) fn ask(&mut self, now: Instant) {
        self.now(now).first += 1;
    }

    /// Takes a retry out of the budget, where there is one left.
    pub(crate) fn try_retry(&mut self, now: Instant) -> bool {
        self.now(now);
        let first: u32 = self.slices.iter().map(|slice| slice.first).sum();
        let retries: u32 = self.slices.iter().map(|slice| slice.retries).sum();
        let allowed = FLOOR.max((first as f32 * SHARE) as u32);
        if retries >= allowed {
            return false;
        }
        self.now(now).retries += 1;
        true
    }

    /// A retry succeeded.
    pub(crate) fn give_back(&mut self) {
        if let Some(slice) = self.slices.iter_mut().rev().find(|slice| slice.retries > 0) {
            slice.retries -= 1;
        }
    }

    fn now(&mut self, now: Instant) -> &mut Slice {
        while self.slices.front().is_some_and(|slice| now.saturating_duration_since(slice.begun) >= WINDOW) {
            self.slices.pop_front();
        }
        let fresh = |slice: &Slice| now.saturating_duration_since(slice.begun) < SLICE;
        if !self.slices.back().is_some_and(fresh) {
            self.slices.push_back(Slice { begun: now, first: 0, retries: 0 });
        }
        let last = self.slices.len() - 1;
        &mut self.slices[last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_what_is_asked_may_be_asked_again_and_three_in_any_case() {
        let (mut budget, mut now) = (Budget::default(), Instant::now());
        assert_eq!((0..10).filter(|_| budget.try_retry(now)).count(), 3);
        now += WINDOW;
        let (mut asked, mut retried) = (0, 0);
        for _ in 0..3_600 {
            budget.ask(now);
            asked += 1;
            retried += (0..5).filter(|_| budget.try_retry(now)).count();
            now += Duration::from_millis(100);
        }
        assert!(retried * 5 <= asked + 15, "{retried} of {asked}");
        assert!(retried * 6 >= asked, "it is used: {retried} of {asked}");
        while budget.try_retry(now) {}
        budget.give_back();
        assert!(budget.try_retry(now) && !budget.try_retry(now));
    }
}
