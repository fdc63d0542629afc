//! How long to wait before a restart.

use std::time::Duration;

/// The wait before a restart: the first after a calm time comes at once, the next ones are drawn from nothing up to a
/// limit that doubles from `base` to `cap`. The jitter stays inside the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartDelay {
    /// Limit of the second wait. Default 100 ms.
    pub base: Duration,
    /// Limit of all waits. Default 10 s.
    pub cap: Duration,
    /// A child that has run for so long begins anew. Default 30 s.
    pub calm: Duration,
}

impl RestartDelay {
    /// No wait at all, as in Erlang.
    pub const NONE: Self = Self { base: Duration::ZERO, cap: Duration::ZERO, calm: Duration::ZERO };

    /// The wait before the restart after the `crashes`-th crash in a row (1 for the first).
    pub(crate) fn draw(&self, crashes: u32, dice: &mut fastrand::Rng) -> Duration {
        let Some(doublings) = crashes.checked_sub(2) else { return Duration::ZERO };
        let limit = self.base.saturating_mul(1u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(self.cap);
        limit.mul_f64(dice.f64())
    }
}

impl Default for RestartDelay {
    fn default() -> Self {
        Self { base: Duration::from_millis(100), cap: Duration::from_secs(10), calm: Duration::from_secs(30) }
    }
}
