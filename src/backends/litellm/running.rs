//! The attempts under way, each with what cancels it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::model::{Code, Fault};

/// The attempts under way, by our own id.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashMap<String, CancellationToken>>>);

/// An attempt's place among those under way, for as long as it is.
pub(super) struct Entry {
    running: Running,
    remote: String,
    pub(super) cancelled: CancellationToken,
}

impl Running {
    pub(super) fn enter(&self, remote: String) -> Entry {
        let cancelled = CancellationToken::new();
        self.lock().insert(remote.clone(), cancelled.clone());
        Entry { running: self.clone(), remote, cancelled }
    }

    /// Cancels an attempt: its stream is dropped, and the server sees the connection end.
    pub(super) fn cancel(&self, remote: &str) -> Result<(), Fault> {
        let unknown = || Fault::new(Code::NotFound, format!("nothing runs under the id {remote}"));
        self.lock().get(remote).ok_or_else(unknown)?.cancel();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.running.lock().remove(&self.remote);
    }
}
