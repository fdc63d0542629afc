//! Why the state database did not do what was asked.

use serde::Serialize;

/// Why the state database did not do what was asked: a plain sentence, with a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{what}: {message}")]
pub struct Trouble {
    what: String,
    cause: Cause,
    outcome: Outcome,
    message: String,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The disk is full.
    Full,
    /// The disk reports an error.
    Io,
    /// The file or its file system cannot be written.
    ReadOnly,
    /// Another program holds a lock on the database.
    Locked,
    /// The file is damaged.
    Damaged,
    /// A newer Backline wrote the database.
    Newer,
    /// The file is a database, but not one of Backline's.
    Foreign,
    /// Another process uses the state directory.
    InUse,
    /// The state directory is open to others.
    Unsafe,
    /// What was written contradicts what stands there: a key that is taken, a row that is missing.
    Conflict,
    /// What was asked is wrong in itself: a bug.
    Rejected,
    /// Too many writes wait already.
    Busy,
    /// No answer came in time.
    Slow,
    /// The database was closed.
    Closed,
}

/// What became of a write that was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did not happen.
    Undone,
    /// It may have happened: the answer of the disk is missing or not to be believed.
    Unknown,
}

impl Trouble {
    /// A trouble with what was asked.
    #[cfg(feature = "state")]
    pub(crate) fn new(what: impl Into<String>, cause: Cause, message: impl Into<String>) -> Self {
        Self { what: what.into(), cause, outcome: Outcome::Undone, message: message.into() }
    }

    /// The same, where it is not known whether the write happened.
    #[must_use]
    #[cfg(feature = "state")]
    pub(crate) fn doubtful(mut self) -> Self {
        self.outcome = Outcome::Unknown;
        self
    }

    /// The same trouble, for somebody else who asked for something.
    #[must_use]
    #[cfg(feature = "state")]
    pub(crate) fn about(&self, what: &str) -> Self {
        Self { what: what.to_owned(), ..self.clone() }
    }

    /// The kind.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What became of the write.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The sentence without what was asked.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self.cause {
            Cause::Full => "Free space on the disk of the state directory; Backline goes on by itself.",
            Cause::Io => "Check the disk of the state directory; Backline tries again by itself.",
            Cause::ReadOnly => {
                "Make the state directory writable for its owner; Backline tries again by itself."
            }
            Cause::Locked => {
                "Close the other program that has the database open; Backline tries again by itself."
            }
            Cause::Damaged => "Look at the copy that was set aside; a failing disk may be the cause.",
            Cause::Newer => "Start the newer Backline, or name another state directory.",
            Cause::Foreign => "Move the file away, or name another state directory.",
            Cause::InUse => "Stop that process, or set BACKLINE_STATE_DIR to another directory.",
            Cause::Unsafe => {
                "Make it a directory of your own with mode 0700, or name another state directory."
            }
            Cause::Conflict => "Read what stands there now, and decide again.",
            Cause::Rejected => "Report this as a bug.",
            Cause::Busy | Cause::Slow => "Try again in a moment.",
            Cause::Closed => "Start Backline again.",
        }
    }

    /// Whether the same may succeed later without a change by the caller.
    pub fn is_retryable(&self) -> bool {
        !matches!(
            self.cause,
            Cause::Newer | Cause::Foreign | Cause::Unsafe | Cause::Conflict | Cause::Rejected | Cause::Closed
        )
    }
}
