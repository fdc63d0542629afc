//! Limits of a person's own: what is passed for a while raises a notice.

use std::time::Duration;

/// Limits of a person's own; none by default. A value has to be past its limit for 10 s before a notice tells of it, and
/// clearly back (by a tenth of the limit) for 10 s before the notice ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Thresholds {
    /// Longest time that 95 of 100 probes may take.
    pub latency: Option<Duration>,
    /// Most that may wait in the backend's own queue.
    pub queue: Option<u32>,
    /// Least share of probes that are to be answered, in per cent.
    pub success: Option<u32>,
    /// Least free memory of the backend's card, in bytes.
    pub vram_free: Option<u64>,
}

impl Thresholds {
    /// These, and where one is not set, that of `common`.
    #[must_use]
    pub fn or(self, common: Self) -> Self {
        Self {
            latency: self.latency.or(common.latency),
            queue: self.queue.or(common.queue),
            success: self.success.or(common.success),
            vram_free: self.vram_free.or(common.vram_free),
        }
    }
}
