//! How much is kept of jobs.

use std::time::Duration;

/// How much the journal of the jobs keeps. What is over a bound is erased, the oldest ended job first; an open job never
/// is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobsConfig {
    /// How long an ended job and its files are kept, and its key after its end. Default 30 days.
    pub keep: Duration,
    /// Ended jobs that are kept. Default 100,000.
    pub ended: u32,
    /// Bytes of files that jobs may leave in the state directory. Default 20 GiB.
    pub outputs: u64,
    /// Jobs that may wait or be under way at once; one more is refused, `journal_full`. Default 10,000.
    pub open: u32,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(30 * 86_400),
            ended: 100_000,
            outputs: 20 * 1024 * 1024 * 1024,
            open: 10_000,
        }
    }
}
