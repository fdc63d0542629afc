//! What goes into the journal and comes out of it.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(feature = "litellm")]
use crate::jobs::machine::{End, Stage};
use crate::{
    jobs::machine::{Event, Machine, Run, Terms},
    model::{Fault, JobId, JobState, Work},
};

/// What a job asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) work: Work,
    /// A directory of the caller's for its files; without one they go to the state directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) save_to: Option<PathBuf>,
}

/// A job to be accepted.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "state"), allow(dead_code, reason = "memory keeps less of it than the disk"))]
pub(crate) struct Entry {
    pub(crate) id: JobId,
    pub(crate) key: Option<String>,
    pub(crate) target: String,
    pub(crate) request: Request,
    pub(crate) terms: Terms,
    pub(crate) at: Timestamp,
    /// Hashes and sizes of the files that it takes.
    pub(crate) inputs: Vec<(String, u64)>,
}

/// What became of an acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    New {
        number: i64,
    },
    /// The key was used for the same request before.
    Known {
        id: JobId,
        /// Its end, where it has ended.
        state: Option<JobState>,
    },
}

/// One step in the life of a job.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "state"), allow(dead_code, reason = "memory keeps less of it than the disk"))]
pub(crate) struct Step {
    /// From 1; 0 is the acceptance.
    pub(crate) seq: u32,
    pub(crate) at: Timestamp,
    /// The age of the job, whole milliseconds.
    pub(crate) age: Duration,
    pub(crate) event: Event,
    pub(crate) evidence: String,
    /// The state that it led to.
    pub(crate) state: JobState,
    /// Whether the request is forgotten with the end.
    pub(crate) keep_request: bool,
}

/// A job as the disk has it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) number: i64,
    pub(crate) id: JobId,
    pub(crate) target: String,
    /// `None` where only the verdict was kept.
    pub(crate) request: Option<Request>,
    pub(crate) accepted_at: Timestamp,
    pub(crate) machine: Machine,
    /// The execution under way, or else the last one.
    pub(crate) run: Option<Run>,
    /// When each step was, the state after it, and the evidence.
    pub(crate) timeline: Vec<(Timestamp, JobState, String)>,
    pub(crate) last_seq: u32,
    /// The age at the last step.
    pub(crate) age: Duration,
    /// Why it cannot be read, where it cannot: its machine is what was readable.
    pub(crate) damage: Option<Fault>,
}

impl Loaded {
    /// The text of a chat that is done, which came word by word when it ran.
    pub(crate) fn said(&self) -> String {
        #[cfg(feature = "litellm")]
        if let (Some(Request { work: Work::Chat(_), .. }), Stage::Ended(End { result: Some(result), .. })) =
            (&self.request, self.machine.stage())
        {
            return crate::backends::litellm::text_of(result);
        }
        String::new()
    }
}

/// Which jobs are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "state"), allow(dead_code, reason = "only a disk has more jobs than memory"))]
pub(crate) struct Span {
    /// Only those with a number below this one.
    pub(crate) before: i64,
    /// Only those in one of these states, as far as the disk can tell: it knows each end, and that a job is open. All
    /// where it is empty.
    pub(crate) states: Vec<JobState>,
    pub(crate) limit: usize,
}

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// The jobs.
    pub(crate) jobs: Vec<String>,
    /// Hashes of inputs that no job takes any more.
    pub(crate) inputs: Vec<String>,
    /// Bytes of outputs that were theirs.
    pub(crate) bytes: u64,
}
