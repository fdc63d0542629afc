//! What a pool counts.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// What a pool counts from its start on.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    leases: AtomicU64,
    reused: AtomicU64,
    waits: AtomicU64,
    longest_ms: AtomicU64,
}

/// The figures at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) leases: u64,
    pub(crate) reused: u64,
    pub(crate) waits: u64,
    pub(crate) longest_ms: u64,
}

/// Whether somebody was on a session before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    Fresh,
    Used,
}

impl Figures {
    pub(crate) fn leased(&self, session: Session) {
        self.leases.fetch_add(1, Relaxed);
        if session == Session::Used {
            self.reused.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn waited(&self, time: Duration) {
        self.waits.fetch_add(1, Relaxed);
        self.longest_ms.fetch_max(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            leases: self.leases.load(Relaxed),
            reused: self.reused.load(Relaxed),
            waits: self.waits.load(Relaxed),
            longest_ms: self.longest_ms.load(Relaxed),
        }
    }
}
