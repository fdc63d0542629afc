//! What clients may hold open at a server.

use std::time::Duration;

/// What clients may hold open at a [`Server`](super::Server). The defaults fit a machine of one person or a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// Connections at a time; one more is told 503 and closed. Default 1,024.
    pub connections: usize,
    /// Readers of the event stream at a time; one more is told 503. Default 512.
    pub readers: usize,
    /// Until the head of a request is whole; a connection may rest as long between two. Default 30 s.
    pub head: Duration,
    /// How long a client may take none of what waits for it; then its connection is closed. Default 30 s.
    pub stall: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 1024,
            readers: 512,
            head: Duration::from_secs(30),
            stall: Duration::from_secs(30),
        }
    }
}
