//! Who waits for what is no more is sent away.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use super::Line;
use crate::{connection::slot::Slot, pool::route::Route};

impl Line {
    /// Sends away who waits for a backend that is no more.
    pub(crate) fn dismiss(&self, slot: &Slot) {
        let dismissed = self.lock().dismiss(slot);
        self.waiting.fetch_sub(dismissed.len(), SeqCst);
    }

    /// Sends away who waits for a pool that is no more.
    pub(crate) fn close(&self, route: &Arc<Route>) {
        // Under the lock, so that nobody joins in between and stays.
        let mut waiters = self.lock();
        route.remove();
        let dismissed = waiters.dismiss_route(route);
        drop(waiters);
        self.waiting.fetch_sub(dismissed.len(), SeqCst);
    }
}
