//! Waiting for backends to become ready.

use std::{fmt, sync::Arc, time::Duration};

use super::Handle;
use crate::model::{BackendStatus, Phase, Snapshot};

/// Which backends are waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// Those that are marked as required; where none is, all that are enabled.
    Required,
    /// All that are enabled.
    All,
    /// The one with this id.
    Backend(String),
}

impl Wanted {
    fn missing(&self, snapshot: &Snapshot) -> Vec<Arc<BackendStatus>> {
        let enabled = || snapshot.backends.iter().filter(|b| b.enabled);
        let any_required = enabled().any(|b| b.required);
        let counts = |b: &BackendStatus| match self {
            Self::Required => b.required || !any_required,
            Self::All => true,
            Self::Backend(id) => b.id.as_str() == id,
        };
        enabled().filter(|b| counts(b) && b.phase != Phase::Ready).cloned().collect()
    }
}

/// Some backends were not ready in time: each with its cause and its remedy.
#[derive(Debug, Clone)]
pub struct NotReady {
    /// How long was waited.
    pub waited: Duration,
    /// Those that are missing.
    pub missing: Vec<Arc<BackendStatus>>,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not ready after {:?}:", self.waited)?;
        for backend in &self.missing {
            write!(f, " `{}` is {}", backend.id, backend.phase)?;
            match (&backend.last_error, &backend.reason) {
                (Some(error), _) => write!(f, ": {} {}", error.message, error.fix)?,
                (None, Some(reason)) => write!(f, ": {reason}")?,
                (None, None) => {}
            }
            f.write_str(";")?;
        }
        Ok(())
    }
}

impl std::error::Error for NotReady {}

impl Handle {
    /// Waits until the wanted backends are ready, at most `limit`.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// [`NotReady`] names each that is missing, with its cause and its remedy.
    pub async fn ready(&self, wanted: Wanted, limit: Duration) -> Result<(), NotReady> {
        let mut cell = self.watch();
        let all_there = cell.wait_for(|snapshot| wanted.missing(snapshot).is_empty());
        match tokio::time::timeout(limit, all_there).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotReady { waited: limit, missing: wanted.missing(&self.snapshot()) }),
        }
    }
}
