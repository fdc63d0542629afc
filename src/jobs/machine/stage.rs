//! Where a job stands.

use std::time::Duration;

use crate::{
    backends::{RemoteFile, Seen},
    jobs::machine::{Mark, Run},
    model::{Fault, JobState, OutputFile},
};

/// Where a job stands, with only what is valid there.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// It waits for a backend.
    Binding {
        /// The age before which it is not offered to one.
        not_before: Duration,
    },
    /// About to be sent, or sent without an answer.
    Intent(Run),
    /// The backend has it.
    Sent(Run),
    /// The backend works on it.
    Running(Run),
    /// It ended well there; its files are on their way.
    Fetching {
        /// The execution that left them.
        run: Run,
        /// The files.
        files: Vec<RemoteFile>,
        /// The result document, JSON.
        result: Option<String>,
        /// Those that are here, each at its file's place.
        outputs: Vec<Option<OutputFile>>,
    },
    /// It is over.
    Ended(End),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// How.
    pub state: JobState,
    /// Why it did not end well.
    pub fault: Option<Fault>,
    /// The result document, JSON.
    pub result: Option<String>,
    /// The files that are here.
    pub outputs: Vec<OutputFile>,
}

/// Whether a job that is under way is wanted still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// It is.
    None,
    /// Somebody wants it to end, since this age.
    Cancel {
        /// The age.
        since: Duration,
    },
    /// Its deadline is over, since this age.
    Deadline {
        /// The age.
        since: Duration,
    },
}

/// What happened to a job so far, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Executions begun; one that was refused before it ran is none.
    pub attempts: u32,
    /// Those of them before the last retry.
    pub spent: u32,
    /// Times that its backend died while it ran.
    pub deaths: u32,
    /// Times in a row that it was refused before it ran.
    pub refusals: u32,
}

impl Stage {
    /// Its state for the outside.
    pub fn state(&self) -> JobState {
        match self {
            Self::Binding { .. } => JobState::Queued,
            Self::Intent(_) | Self::Sent(_) => JobState::Sent,
            Self::Running(_) => JobState::Running,
            Self::Fetching { .. } => JobState::Fetching,
            Self::Ended(end) => end.state,
        }
    }

    /// How far the execution that is under way had come, for whoever takes it up.
    pub fn seen(&self) -> Seen {
        match self {
            Self::Intent(run) | Self::Sent(run) | Self::Running(run) if run.mark >= Mark::Opening => {
                Seen::Opened
            }
            Self::Sent(_) | Self::Running(_) => Seen::Arrived,
            _ => Seen::Nothing,
        }
    }

    /// Whether nothing more happens by itself.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// The execution that is under way or being fetched.
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Intent(run) | Self::Sent(run) | Self::Running(run) | Self::Fetching { run, .. } => {
                Some(run)
            }
            Self::Binding { .. } | Self::Ended(_) => None,
        }
    }

    /// The execution that is under way.
    pub(super) fn run_mut(&mut self) -> Option<&mut Run> {
        match self {
            Self::Intent(run) | Self::Sent(run) | Self::Running(run) => Some(run),
            Self::Binding { .. } | Self::Fetching { .. } | Self::Ended(_) => None,
        }
    }
}
