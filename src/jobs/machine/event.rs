//! What happens to a job.

use serde::{Deserialize, Serialize};

use crate::{
    backends::{RemoteFile, Setback},
    jobs::machine::Run,
    model::{Fault, OutputFile},
};

/// What happens to a job. Those that change something are the steps of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case")]
pub enum Event {
    /// A session with a free slot was found for a job that waits: this is the execution to begin.
    Bound(Box<Run>),
    /// No session will ever be found: the target is gone.
    Unbindable(Fault),
    /// The backend of the execution is there again, at this origin.
    TakenUp {
        /// Scheme, host and port.
        origin: String,
    },
    /// The execution's stream, which is there once, is about to be opened.
    Opening,
    /// The backend has it.
    Arrived,
    /// The backend has a name of its own for it.
    Named {
        /// The name.
        remote: String,
    },
    /// The backend works on it.
    Started,
    /// The first byte of its answer came.
    Spoke,
    /// It ended well.
    Finished {
        /// What it left at the backend.
        files: Vec<RemoteFile>,
        /// The result document, JSON.
        result: Option<String>,
    },
    /// One of its files is on our disk, hashed.
    Fetched {
        /// Its place among the files.
        index: usize,
        /// What is on the disk.
        output: OutputFile,
    },
    /// One of its files will not come.
    Unfetched(Fault),
    /// The execution stopped short of a good end.
    Stopped(Setback),
    /// Somebody wants it to end.
    Cancel,
    /// Time passed.
    Tick,
    /// Our process is about to end, as somebody wants it to.
    Leaving,
    /// Our process is back.
    Resumed,
    /// The part of us that drove it crashed.
    Crashed(Fault),
    /// A person wants it to run again.
    Retry,
}

impl Event {
    /// The step's name in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bound(_) => "bound",
            Self::Unbindable(_) => "unbindable",
            Self::TakenUp { .. } => "taken_up",
            Self::Opening => "opening",
            Self::Arrived => "arrived",
            Self::Named { .. } => "named",
            Self::Started => "started",
            Self::Spoke => "spoke",
            Self::Finished { .. } => "finished",
            Self::Fetched { .. } => "fetched",
            Self::Unfetched(_) => "unfetched",
            Self::Stopped(_) => "stopped",
            Self::Cancel => "cancel",
            Self::Tick => "tick",
            Self::Leaving => "leaving",
            Self::Resumed => "resumed",
            Self::Crashed(_) => "crashed",
            Self::Retry => "retry",
        }
    }
}
