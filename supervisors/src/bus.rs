//! What happens in a tree, told to whoever listens.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::sync::{broadcast, watch};

use crate::Exit;

/// Carries the events of all supervisors of one tree; cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Bus {
    events: broadcast::Sender<Arc<TreeEvent>>,
    version: watch::Sender<u64>,
}

/// Something happened to a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeEvent {
    /// The supervisor's id.
    pub supervisor: Arc<str>,
    /// The child's id.
    pub child: Arc<str>,
    /// Its incarnation.
    pub incarnation: u64,
    /// What.
    pub kind: TreeEventKind,
}

/// What happened to a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TreeEventKind {
    /// It runs.
    Started,
    /// It ended.
    Exited(Exit),
    /// It will be restarted after this wait.
    Restarting(Duration),
    /// It kept crashing and is set aside.
    Quarantined(Exit),
    /// It was let out of quarantine, by a person or for a trial.
    Released,
    /// It is no child any more.
    Removed,
    /// Its supervisor gave up because of it.
    GaveUp(Exit),
}

impl Bus {
    /// A bus for one tree.
    pub fn new() -> Self {
        Self { events: broadcast::Sender::new(256), version: watch::Sender::new(0) }
    }

    /// The events from here on. A listener that is 256 behind is told how many it missed.
    pub fn events(&self) -> broadcast::Receiver<Arc<TreeEvent>> {
        self.events.subscribe()
    }

    /// A counter that grows with each change of the tree, for whoever republishes it.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(crate) fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    pub(crate) fn tell(&self, event: TreeEvent) {
        tracing::debug!(supervisor = %event.supervisor, child = %event.child, kind = ?event.kind, "tree");
        // Nobody listening is no error.
        let _ = self.events.send(Arc::new(event));
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}
