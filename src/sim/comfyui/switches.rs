//! What a test sets and reads: it outlives the boots.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

/// What becomes of an upgrade to WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Upgrades {
    /// It is taken.
    #[default]
    Taken,
    /// It is refused with 400, as by a proxy that knows HTTP only.
    Refused,
}

#[derive(Debug, Default)]
pub(super) struct Switches {
    mute: AtomicBool,
    refuse: AtomicBool,
    executions: Mutex<HashMap<String, u32>>,
    ended: watch::Sender<u32>,
    told: Mutex<HashSet<String>>,
}

impl Switches {
    pub(super) fn mute(&self, mute: bool) {
        self.mute.store(mute, Ordering::Relaxed);
    }

    pub(super) fn is_mute(&self) -> bool {
        self.mute.load(Ordering::Relaxed)
    }

    pub(super) fn set_upgrades(&self, upgrades: Upgrades) {
        self.refuse.store(upgrades == Upgrades::Refused, Ordering::Relaxed);
    }

    pub(super) fn upgrades(&self) -> Upgrades {
        if self.refuse.load(Ordering::Relaxed) { Upgrades::Refused } else { Upgrades::Taken }
    }

    pub(super) fn began(&self, id: &str) {
        *self.lock().entry(id.to_owned()).or_default() += 1;
    }

    pub(super) fn ended(&self) {
        self.ended.send_modify(|ended| *ended += 1);
    }

    pub(super) fn told(&self, id: &str) {
        self.ends().insert(id.to_owned());
    }

    pub(super) fn was_told(&self, id: &str) -> bool {
        self.ends().contains(id)
    }

    pub(super) fn watch_ended(&self) -> watch::Receiver<u32> {
        self.ended.subscribe()
    }

    pub(super) fn executions(&self, id: &str) -> u32 {
        self.lock().get(id).copied().unwrap_or_default()
    }

    pub(super) fn all_executions(&self) -> u32 {
        self.lock().values().sum()
    }

    fn ends(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.executions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
