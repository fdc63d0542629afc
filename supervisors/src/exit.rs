//! How a child ended.

use std::fmt;

use ractor::SupervisionEvent;
use serde::Serialize;

/// Whether an end was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExitKind {
    /// It stopped, by itself or because it was asked.
    Normal,
    /// It was killed, or its task was cancelled.
    Killed,
    /// It panicked or returned an error.
    Failed,
    /// It did not start, or not in time.
    NotStarted,
    /// It did not end within its deadline, not even when killed (it blocks its thread); it was left behind.
    Abandoned,
}

/// How a child ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exit {
    /// Whether it was meant.
    pub kind: ExitKind,
    /// The panic's or error's text, or the reason of the stop; at most 500 characters.
    pub message: String,
}

impl Exit {
    /// An exit.
    pub fn new(kind: ExitKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string().chars().take(500).collect() }
    }

    /// Whether a transient child is restarted after it.
    pub fn is_abnormal(&self) -> bool {
        self.kind != ExitKind::Normal
    }

    /// Reads ractor's event of a child's end; `None` for its other events.
    ///
    /// ractor 0.16 reports a kill as `ActorTerminated` with the reason `killed` and an aborted task with
    /// `actor_task_cancelled`: neither is the clean end that the event's name says.
    pub fn classify(event: &SupervisionEvent) -> Option<Self> {
        match event {
            SupervisionEvent::ActorFailed(_, error) => Some(Self::new(ExitKind::Failed, error)),
            SupervisionEvent::ActorTerminated(_, _, reason) => {
                let reason = reason.as_deref().unwrap_or("");
                let kind = match reason {
                    "killed" | "actor_task_cancelled" => ExitKind::Killed,
                    _ => ExitKind::Normal,
                };
                Some(Self::new(kind, reason))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ExitKind::Normal => "stopped",
            ExitKind::Killed => "was killed",
            ExitKind::Failed => "failed",
            ExitKind::NotStarted => "did not start",
            ExitKind::Abandoned => "did not end",
        };
        if self.message.is_empty() { f.write_str(kind) } else { write!(f, "{kind}: {}", self.message) }
    }
}
