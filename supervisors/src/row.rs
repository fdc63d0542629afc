//! One child as its supervisor shows it.

use std::time::Duration;

use ractor::ActorCell;

use crate::{Branch, NodeState, TreeSnapshot, table::Child};

pub(crate) struct Row {
    shown: TreeSnapshot,
    cell: Option<ActorCell>,
    branch: Option<Branch>,
    shutdown: Duration,
}

impl Row {
    pub(crate) fn new(child: &Child, cell: Option<ActorCell>, branch: Option<Branch>) -> Self {
        let shown = TreeSnapshot {
            id: child.id.to_string(),
            state: child.node_state(),
            restarts: child.restarts,
            incarnation: child.incarnation,
            last_exit: child.last_exit.clone(),
            children: Vec::new(),
        };
        Self { shown, cell, branch, shutdown: child.policy.shutdown }
    }

    /// Whether it shows the child as it is now: a supervisor of a thousand children rewrites only what changed.
    pub(crate) fn fits(&self, child: &Child, cell: Option<&ActorCell>) -> bool {
        let shown = &self.shown;
        shown.state == child.node_state()
            && shown.incarnation == child.incarnation
            && shown.restarts == child.restarts
            && self.cell.as_ref() == cell
            && shown.id == *child.id
            && shown.last_exit == child.last_exit
    }

    pub(crate) fn id(&self) -> &str {
        &self.shown.id
    }

    pub(crate) fn cell(&self) -> Option<&ActorCell> {
        self.cell.as_ref()
    }

    pub(crate) fn branch(&self) -> Option<&Branch> {
        self.branch.as_ref()
    }

    /// How long it may take to stop.
    pub(crate) fn shutdown(&self) -> Duration {
        self.shutdown
    }

    /// Its supervisor is over, and so is what ran below it.
    pub(crate) fn lower(&mut self) {
        self.cell = None;
        self.shown.state = NodeState::Down;
    }

    pub(crate) fn snapshot(&self) -> TreeSnapshot {
        let mut shown = self.shown.clone();
        if let Some(branch) = &self.branch {
            shown.children = branch.snapshot().children;
        }
        shown
    }
}
