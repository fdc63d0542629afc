//! Tells a pool's actor that something moved, at a cost that a lease does not notice.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::Notify;

/// Tells a pool's actor that something moved: a flag that is read, and written only after the actor has looked.
#[derive(Debug, Default)]
pub(crate) struct Stir {
    moved: AtomicBool,
    wake: Notify,
}

impl Stir {
    pub(crate) fn stir(&self) {
        if !self.moved.load(Relaxed) {
            self.moved.store(true, Relaxed);
            self.wake.notify_one();
        }
    }

    /// Waits until something moved.
    ///
    /// # Cancel safety
    /// Safe: what moved is told to the next who waits.
    pub(crate) async fn stirred(&self) {
        self.wake.notified().await;
    }

    /// Hears of what moves from here on.
    pub(crate) fn look(&self) {
        self.moved.store(false, Relaxed);
    }
}
