//! What came of the requests of the last half minute.

use std::time::Duration;

use tokio::time::Instant;

/// Slices of the window, and how long each is.
const SLICES: usize = 6;
const SLICE: Duration = Duration::from_secs(5);

/// An outcome that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Good,
    Failed,
}

/// Counts of the last half minute, in slices of 5 s.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    slices: [Slice; SLICES],
    newest: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    begun: Option<Instant>,
    good: u32,
    failed: u32,
}

impl Window {
    pub(super) fn add(&mut self, now: Instant, kind: Kind) {
        let current = &self.slices[self.newest];
        if current.begun.is_none_or(|begun| now.saturating_duration_since(begun) >= SLICE) {
            self.newest = (self.newest + 1) % SLICES;
            self.slices[self.newest] = Slice { begun: Some(now), ..Slice::default() };
        }
        let slice = &mut self.slices[self.newest];
        match kind {
            Kind::Good => slice.good += 1,
            Kind::Failed => slice.failed += 1,
        }
    }

    /// Good ones and failures.
    pub(super) fn counts(&self, now: Instant) -> (u32, u32) {
        let recent = |slice: &&Slice| {
            slice.begun.is_some_and(|at| now.saturating_duration_since(at) < SLICE * SLICES as u32)
        };
        self.slices
            .iter()
            .filter(recent)
            .fold((0, 0), |(good, failed), slice| (good + slice.good, failed + slice.failed))
    }
}
