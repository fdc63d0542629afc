//! What a submit came to.

use crate::jobs::JobHandle;

/// What a submit came to.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The job.
    pub job: JobHandle,
    /// Whether it is new.
    pub receipt: Receipt,
}

/// Whether a submit made a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It did.
    New,
    /// The key was used for the same request before: this is the first job.
    Known,
}

impl Submitted {
    pub(crate) fn new(job: JobHandle) -> Self {
        Self { job, receipt: Receipt::New }
    }

    pub(crate) fn known(job: JobHandle) -> Self {
        Self { job, receipt: Receipt::Known }
    }
}
