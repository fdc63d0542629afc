//! What can go wrong when Backline is asked for something.

use std::time::Duration;

use crate::{
    config::Problems,
    model::{BackendId, Class, Fault, JobState, Kind},
    notices::catalogue,
    state::{Cause, Trouble},
};

/// Why Backline cannot do what was asked. Each has a class, a remedy, and says whether to try again.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("there is no backend `{id}`; there are: {known}")]
    UnknownBackend { id: String, known: String },
    #[error("there is no notice `{id}`")]
    UnknownNotice { id: String },
    #[error("the job `{id}` is {state}: it has not ended")]
    Open { id: String, state: JobState },
    #[error("the job `{id}` does not run again: {why}")]
    Settled { id: String, why: &'static str },
    #[error("there is no job `{id}`")]
    UnknownJob { id: String },
    #[error("`{backend}` is {is}, not {wanted}")]
    WrongKind { backend: BackendId, is: Kind, wanted: &'static str },
    #[error("`{target}`: no {wait} within {waited:?}: {why}")]
    Unavailable {
        target: String,
        wait: &'static str,
        waited: Duration,
        /// Why nothing was free, of each member.
        why: String,
        fault: Option<Box<Fault>>,
    },
    #[error("no backend of `{target}` is a {wanted}")]
    NoneFits { target: String, wanted: String },
    #[error("{0}")]
    Fault(#[from] Fault),
    #[error("{actor} did not answer within {waited:?}")]
    NoAnswer { actor: &'static str, waited: Duration },
    #[error("{actor} is being restarted")]
    Restarting { actor: &'static str },
    #[error("Backline is shutting down")]
    Closing,
    #[error(transparent)]
    State(#[from] Trouble),
    #[error("{0}")]
    Setup(String),
    #[error("the configuration would not be valid: {0}")]
    Invalid(Problems),
    #[error("the configuration has changed since it was read")]
    Outdated,
    #[error("there is already a backend `{id}`")]
    Exists { id: BackendId },
    #[error("`{id}` was configured by the host's own code")]
    Fixed { id: BackendId },
    #[error("the host loads its configuration from layers, which decide")]
    Layered,
    #[error("this supervisor loads no file")]
    NoLoader,
    #[error("there is no edit to take back")]
    NothingToUndo,
    #[error("{limit} requests are waiting for {actor}")]
    TooMany { actor: &'static str, limit: usize },
}

impl Error {
    /// The name of the cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownBackend { .. } => "unknown_backend",
            Self::UnknownNotice { .. } => "unknown_notice",
            Self::UnknownJob { .. } => "unknown_job",
            Self::Open { .. } => "job_open",
            Self::Settled { .. } => "job_settled",
            Self::WrongKind { .. } | Self::NoneFits { .. } => "wrong_kind",
            Self::Unavailable { .. } => "unavailable",
            Self::Fault(fault) => fault.code().as_str(),
            Self::NoAnswer { .. } => "no_answer",
            Self::Restarting { .. } => "restarting",
            Self::Closing => "closing",
            Self::State(_) => "state",
            Self::Setup(_) => "setup",
            Self::Invalid(_) => "config_invalid",
            Self::Outdated => "outdated",
            Self::Exists { .. } => "exists",
            Self::Fixed { .. } => "fixed",
            Self::Layered => "layered",
            Self::NoLoader => "no_loader",
            Self::NothingToUndo => "nothing_to_undo",
            Self::TooMany { .. } => "too_many",
        }
    }

    /// Its class.
    pub fn class(&self) -> Class {
        match self {
            Self::UnknownBackend { .. } | Self::UnknownNotice { .. } | Self::UnknownJob { .. } => {
                Class::NotFound
            }
            Self::WrongKind { .. } | Self::NoneFits { .. } => Class::Usage,
            Self::Unavailable { fault: Some(fault), .. } => match fault.class() {
                class @ (Class::Auth | Class::Config) => class,
                _ => Class::Busy,
            },
            Self::Unavailable { .. } | Self::Restarting { .. } => Class::Busy,
            Self::Fault(fault) => fault.class(),
            Self::NoAnswer { .. } => Class::Timeout,
            Self::Closing | Self::Open { .. } | Self::Settled { .. } => Class::Conflict,
            Self::State(trouble) if trouble.cause() == Cause::Conflict => Class::Conflict,
            Self::State(trouble) if trouble.is_retryable() => Class::Busy,
            Self::State(_) | Self::Setup(_) | Self::Invalid(_) => Class::Config,
            Self::NothingToUndo | Self::Outdated | Self::Exists { .. } | Self::Fixed { .. } => {
                Class::Conflict
            }
            Self::Layered | Self::NoLoader => Class::Usage,
            Self::TooMany { .. } => Class::Busy,
        }
    }

    /// What to do about it.
    pub fn fix(&self) -> &str {
        match self {
            Self::UnknownBackend { .. } => "Name one of these, or add the backend to the configuration.",
            Self::UnknownNotice { .. } => "List the notices; old ones are forgotten after 30 days.",
            Self::UnknownJob { .. } => "List the jobs; ended ones are erased after 30 days.",
            Self::Open { .. } => "Cancel it, and wait for its end.",
            Self::Settled { .. } => "Submit the work anew, under another key.",
            Self::NoneFits { .. } => "Name a backend or a pool that can do it.",
            Self::WrongKind { .. } => "Ask for the kind that it is, or name another backend.",
            Self::Unavailable { fault: Some(fault), .. } => fault.fix(),
            Self::Unavailable { .. } => catalogue::entry(crate::model::Code::Unavailable).fix,
            Self::Fault(fault) => fault.fix(),
            Self::NoAnswer { .. } | Self::Restarting { .. } => "Ask again in a moment.",
            Self::Closing => "Start Backline again.",
            Self::State(trouble) => trouble.fix(),
            Self::Setup(_) | Self::Invalid(_) => "Correct what the message names.",
            Self::Outdated => "Read it again, and repeat the change on what it is now.",
            Self::Exists { .. } => "Change it, or choose another id.",
            Self::Fixed { .. } => "Change it in the host, which calls `Supervisor::apply`.",
            Self::Layered => {
                "Change the file, or edit the configuration; or build the supervisor without a loader."
            }
            Self::NoLoader => "Give the builder a loader, or call `Supervisor::apply`.",
            Self::NothingToUndo => "Edits of this run can be taken back; those of earlier ones are reverted.",
            Self::TooMany { .. } => "Ask again in a moment.",
        }
    }

    /// Whether the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_retryable(),
            other => matches!(other.class(), Class::Busy | Class::Timeout | Class::Unreachable),
        }
    }
}
