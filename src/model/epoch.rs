//! The counter that tells one session of a backend from the next.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Counts the attempts to open a session of one backend; every event of a session carries it.
///
/// An event whose epoch is not the current one is late and is dropped in the first line of the machine. Epochs
/// only grow, also across a restart of the connection's actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    /// Before the first attempt.
    pub const ZERO: Self = Self(0);

    /// An epoch with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The one after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
