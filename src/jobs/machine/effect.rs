//! What has to be done for a job.

use std::time::Duration;

use crate::model::{BackendId, JobState};

/// What has to be done, in this order: what comes after a record waits until the record is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write the event down as a step, with this evidence.
    Record {
        /// How we know, for the timeline.
        evidence: String,
    },
    /// Look for a session.
    Find {
        /// Where the execution is, or `None` for the best candidate.
        backend: Option<BackendId>,
        /// Not before the job has this age.
        not_before: Duration,
    },
    /// Send the work under the run's id.
    Send,
    /// Look the run up and watch it. Never sends it.
    Follow,
    /// Cancel the run at the backend, by its id.
    CancelRemote,
    /// Fetch the files that are not here yet.
    Fetch,
    /// It has ended: tell who waits.
    End(JobState),
}
