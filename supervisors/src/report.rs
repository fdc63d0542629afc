//! What is left to say when a tree, or a part of one, is over.

use std::fmt;

use serde::Serialize;

use crate::{Exit, NodeState, TreeSnapshot};

/// Why a supervisor is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GaveUp {
    /// The supervisor.
    pub supervisor: String,
    /// The child that brought it down; its own id where none did.
    pub child: String,
    /// How that child last ended; where none did: normal after a shutdown, killed after a kill or a drop.
    pub exit: Exit,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.supervisor == self.child {
            return write!(f, "`{}` {}", self.supervisor, self.exit);
        }
        write!(f, "`{}` gave up because `{}` {}", self.supervisor, self.child, self.exit)
    }
}

/// What a shutdown left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShutdownReport {
    /// Every child ended by itself, within its own deadline and that of the whole.
    pub clean: bool,
    /// The paths of those that did not, and so were killed.
    pub left: Vec<String>,
}

impl ShutdownReport {
    pub(crate) fn new(left: Vec<String>) -> Self {
        Self { clean: left.is_empty(), left }
    }
}

/// The paths of all that are still up.
pub(crate) fn still_up(node: &TreeSnapshot) -> Vec<String> {
    let mut up = Vec::new();
    for child in &node.children {
        if matches!(child.state, NodeState::Running | NodeState::Stopping | NodeState::Starting) {
            up.push(child.id.clone());
        }
        up.extend(still_up(child).into_iter().map(|below| format!("{}/{below}", child.id)));
    }
    up
}
