//! Counting what is under way.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many operations are under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights(Arc<AtomicUsize>);

/// One operation under way; counted until it is dropped.
#[derive(Debug)]
pub(super) struct Flight(Arc<AtomicUsize>);

impl Flights {
    pub(super) fn begin(&self) -> Flight {
        self.0.fetch_add(1, Ordering::Relaxed);
        Flight(self.0.clone())
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
