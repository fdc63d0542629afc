//! The tree as it can be looked at.

use serde::Serialize;

use crate::Exit;

/// What a node of the tree is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeState {
    /// Not started yet, or stopped for a restart of its group.
    Down,
    /// Its start is under way.
    Starting,
    /// It runs.
    Running,
    /// It was asked to stop.
    Stopping,
    /// It crashed and is restarted after a wait.
    Waiting,
    /// It kept crashing and is set aside until it is released or tried again.
    Quarantined,
    /// It ended and is not restarted.
    Ended,
}

/// One node of the tree with all below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeSnapshot {
    /// The child's id.
    pub id: String,
    /// What it is doing.
    pub state: NodeState,
    /// Restarts after crashes.
    pub restarts: u64,
    /// How often it was started.
    pub incarnation: u64,
    /// How it last ended.
    pub last_exit: Option<Exit>,
    /// Its children, in the order in which they are started; empty for a worker.
    pub children: Vec<TreeSnapshot>,
}

impl TreeSnapshot {
    /// A node without children that has not been started.
    pub fn down(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            state: NodeState::Down,
            restarts: 0,
            incarnation: 0,
            last_exit: None,
            children: Vec::new(),
        }
    }

    /// The child with this id; `a/b` goes further down.
    pub fn child(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |node, id| node.children.iter().find(|c| c.id == id))
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.state == NodeState::Running
    }
}
