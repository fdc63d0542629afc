//! What a fault proxy counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::sim::proxy::Way;

/// What a fault proxy counted since its start. A scenario asserts that its fault really happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Connections taken from clients.
    pub connections: u64,
    /// Of these, open now.
    pub open: u64,
    /// Connections cut by the proxy.
    pub cuts: u64,
    /// Connections that the server refused.
    pub refused: u64,
    /// Bytes passed to the server.
    pub request_bytes: u64,
    /// Bytes passed to clients.
    pub answer_bytes: u64,
    /// Bytes that vanished.
    pub swallowed: u64,
}

/// The counters behind a [`Tally`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) closed: AtomicU64,
    pub(super) cuts: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) swallowed: AtomicU64,
    request: AtomicU64,
    answer: AtomicU64,
}

impl Counters {
    pub(super) fn passed(&self, way: Way, bytes: usize) {
        let counter = match way {
            Way::Request => &self.request,
            Way::Answer => &self.answer,
        };
        counter.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn read(&self) -> Tally {
        // Read first: a connection is counted as taken before it can be counted as closed.
        let closed = self.closed.load(Relaxed);
        let connections = self.connections.load(Relaxed);
        Tally {
            connections,
            open: connections.saturating_sub(closed),
            cuts: self.cuts.load(Relaxed),
            refused: self.refused.load(Relaxed),
            request_bytes: self.request.load(Relaxed),
            answer_bytes: self.answer.load(Relaxed),
            swallowed: self.swallowed.load(Relaxed),
        }
    }
}
