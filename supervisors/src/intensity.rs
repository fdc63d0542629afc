//! How many restarts in how long a time are too many.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// At most so many restarts within a window of time; one more is too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// The restarts that are allowed. Default 3.
    pub restarts: u32,
    /// The window. Default 60 s.
    pub within: Duration,
}

impl Intensity {
    /// An intensity.
    pub const fn new(restarts: u32, within: Duration) -> Self {
        Self { restarts, within }
    }
}

impl Default for Intensity {
    fn default() -> Self {
        Self::new(3, Duration::from_secs(60))
    }
}

/// The restarts of the recent past.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window(VecDeque<Instant>);

/// What a restart would mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowance {
    Within,
    Exceeded,
}

impl Window {
    /// Books a restart at `now`; one that is too many is not booked.
    pub(crate) fn book(&mut self, limit: Intensity, now: Instant) -> Allowance {
        while self.0.front().is_some_and(|at| now.saturating_duration_since(*at) > limit.within) {
            self.0.pop_front();
        }
        if self.0.len() >= limit.restarts as usize {
            return Allowance::Exceeded;
        }
        self.0.push_back(now);
        Allowance::Within
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
