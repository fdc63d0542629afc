//! What a connection remembers across its sessions, and across the crashes of its actor.

use std::time::Duration;

use crate::{
    connection::backoff::{Backoff, Pacing},
    model::Epoch,
};

/// The limits of a connection's patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long a session with a job in flight may be silent. Default 120 s: a model may load for a minute.
    pub hang_limit: Duration,
    /// How long a session has to hold until the backoff forgets. Default 10 s.
    pub proof: Duration,
    /// First wait before a parked connection is checked again; doubles. Default 30 s.
    pub recheck: Duration,
    /// Longest such wait. Default 10 min.
    pub recheck_cap: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            hang_limit: Duration::from_secs(120),
            proof: Duration::from_secs(10),
            recheck: Duration::from_secs(30),
            recheck_cap: Duration::from_secs(600),
        }
    }
}

/// What outlives a state: it is kept in the backend's slot, so that a crash of the actor forgets neither the epoch
/// (late events would be taken for new ones) nor the backoff (a crash loop would dial at full speed).
#[derive(Debug, Clone)]
pub struct Memory {
    /// The last epoch that was given.
    pub epoch: Epoch,
    /// The waits between dials.
    pub backoff: Backoff,
    /// Attempts since the last session.
    pub attempts: u32,
    /// The limits.
    pub patience: Patience,
}

impl Memory {
    /// Nothing happened yet. Epochs go on from `last`; the same seed gives the same waits.
    pub fn new(last: Epoch, pacing: Pacing, patience: Patience, seed: u64) -> Self {
        Self { epoch: last, backoff: Backoff::new(pacing, seed), attempts: 0, patience }
    }
}
