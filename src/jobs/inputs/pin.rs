//! Files that an acceptance is about to name: they are not removed meanwhile.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Inputs, Stored};

/// How often each file is held.
#[derive(Debug, Default)]
pub(super) struct Pins {
    held: Mutex<HashMap<String, usize>>,
    /// Whoever removes files has it, from the look at who takes one until it is gone.
    pub(super) gate: tokio::sync::Mutex<()>,
}

/// The files of one request, until the journal has named them or the request is given up.
#[derive(Debug, Default)]
pub(crate) struct Held {
    store: Option<Arc<Inputs>>,
    files: Vec<Stored>,
}

impl Held {
    pub(crate) fn new(store: Arc<Inputs>) -> Self {
        Self { store: Some(store), files: Vec::new() }
    }

    /// Hashes and sizes, for the journal.
    pub(crate) fn files(&self) -> Vec<(String, u64)> {
        self.files.iter().map(|file| (file.sha256.clone(), file.bytes)).collect()
    }

    /// Holds a file from now on.
    ///
    /// # Cancel safety
    /// Safe.
    pub(super) async fn hold(&mut self, stored: Stored) {
        let Some(store) = &self.store else { return };
        let _gate = store.pins.gate.lock().await;
        *store.pins.lock().entry(stored.sha256.clone()).or_default() += 1;
        self.files.push(stored);
    }

    /// The size of a file that is held.
    pub(super) fn sized(&mut self, sha256: &str, bytes: u64) -> Stored {
        for file in self.files.iter_mut().filter(|file| file.sha256 == sha256) {
            file.bytes = bytes;
        }
        Stored { sha256: sha256.to_owned(), bytes }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(store) = &self.store else { return };
        let mut held = store.pins.lock();
        for file in &self.files {
            if let Some(count) = held.get_mut(&file.sha256) {
                *count -= 1;
                if *count == 0 {
                    held.remove(&file.sha256);
                }
            }
        }
    }
}

impl Pins {
    pub(super) fn holds(&self, sha256: &str) -> bool {
        self.lock().contains_key(sha256)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
