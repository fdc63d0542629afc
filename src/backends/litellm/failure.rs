//! Why a request did not bring its answer, and whether the work ran.

use crate::{backends::Setback, model::Fault};

/// Why a request did not bring its answer.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    pub(super) fate: Fate,
}

/// Whether the work of a failed request ran. The protocol has no way to ask afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Provably not: it never left.
    Unsent,
    /// Provably not: it was refused.
    NotRun,
    /// It did, and failed.
    Ran,
    /// It may have: it left, and nothing definite came back.
    Unknown,
}

impl Failure {
    pub(super) fn new(fate: Fate, fault: Fault) -> Self {
        Self { fault, fate }
    }
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        match failure.fate {
            Fate::Unsent => Self::Unsent(failure.fault),
            Fate::NotRun => Self::Refused(failure.fault),
            Fate::Ran => Self::Failed(failure.fault),
            Fate::Unknown => Self::Uncertain(failure.fault),
        }
    }
}
