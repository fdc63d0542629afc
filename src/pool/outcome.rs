//! What a request or a job says of its backend.

use crate::model::{Class, Code, Fault};

/// What a request or a job says of its backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It serves.
    Good,
    /// It failed.
    Failed(Fault),
    /// It serves, and wants less for a while.
    Busy(Fault),
    /// Nothing: the caller's own mistake, deadline or change of mind; a key; work that fails wherever it runs.
    Own,
}

impl Outcome {
    /// In one word, for the metrics.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Failed(_) => "failed",
            Self::Busy(_) => "busy",
            Self::Own => "own",
        }
    }

    /// By the fault that it ended with.
    pub(crate) fn of(fault: &Fault) -> Self {
        match (fault.code(), fault.class()) {
            (Code::RateLimited | Code::QueueFull | Code::Loading, _) => Self::Busy(fault.clone()),
            (Code::ExecutionFailed | Code::OutOfMemory | Code::JobTimeout | Code::Expired, _) => Self::Own,
            (Code::TooLarge | Code::ProxyInTheWay, _) => Self::Own,
            (_, Class::Unreachable | Class::Timeout | Class::Backend | Class::Protocol) => {
                Self::Failed(fault.clone())
            }
            _ => Self::Own,
        }
    }
}
