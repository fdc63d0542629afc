//! What really ran, over all boots: the truth that a test compares the client's word with.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// What really ran.
#[derive(Debug)]
pub(super) struct Ledger {
    runs: Mutex<HashMap<(String, String), Runs>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Runs {
    begun: u32,
    done: u32,
    left: u32,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { runs: Mutex::default(), changed: watch::channel(0).0 }
    }
}

impl Ledger {
    pub(super) fn begin(&self, function: &str, prompt: &str) {
        self.change(function, prompt, |runs| runs.begun += 1);
    }

    pub(super) fn finish(&self, function: &str, prompt: &str) {
        self.change(function, prompt, |runs| {
            runs.done += 1;
            runs.left += 1;
        });
    }

    pub(super) fn close(&self, function: &str, prompt: &str) {
        self.change(function, prompt, |runs| runs.left += 1);
    }

    pub(super) fn begun(&self, function: &str, prompt: &str) -> u32 {
        self.of(function, prompt).begun
    }

    pub(super) fn done(&self, function: &str, prompt: &str) -> u32 {
        self.of(function, prompt).done
    }

    pub(super) fn all_begun(&self) -> u32 {
        self.lock().values().map(|r| r.begun).sum()
    }

    pub(super) async fn left(&self, function: &str, prompt: &str) {
        let mut changed = self.changed.subscribe();
        while self.of(function, prompt).left == 0 {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn of(&self, function: &str, prompt: &str) -> Runs {
        self.lock().get(&(function.to_owned(), prompt.to_owned())).copied().unwrap_or_default()
    }

    fn change(&self, function: &str, prompt: &str, change: impl FnOnce(&mut Runs)) {
        change(self.lock().entry((function.to_owned(), prompt.to_owned())).or_default());
        self.changed.send_modify(|n| *n += 1);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Runs>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
