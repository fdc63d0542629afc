//! Why a supervisor does not do what was asked.

/// Why a supervisor does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SupervisorError {
    /// There is a child of this id.
    #[error("there is already a child `{0}`")]
    DuplicateId(String),
    /// There is no child of this id.
    #[error("there is no child `{0}`")]
    UnknownChild(String),
    /// The supervisor itself is being restarted; ask again.
    #[error("the supervisor `{0}` is being restarted")]
    Restarting(String),
    /// It is stopping and takes nothing new.
    #[error("the supervisor `{0}` is shutting down")]
    ShuttingDown(String),
    /// It did not answer in time. What it had begun goes on; what it had not is not done.
    #[error("the supervisor `{0}` did not answer in time")]
    NoAnswer(String),
    /// The supervisor could not be started.
    #[error("the supervisor `{0}` did not start: {1}")]
    NotStarted(String, String),
}
