//! The root of a running tree: who holds it keeps the tree alive.

use std::time::Duration;

use ractor::{ActorCell, ActorRef};
use serde::Serialize;

use crate::{Branch, GaveUp, NodeState, TreeSnapshot, shell::Msg};

/// What a shutdown left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShutdownReport {
    /// Every child ended within its deadline.
    pub clean: bool,
    /// The paths of those that were still up when the time was over.
    pub left: Vec<String>,
}

/// A running tree. Dropping it kills the tree, without waiting.
#[derive(Debug)]
pub struct RootHandle {
    branch: Branch,
    cell: ActorCell,
}

impl RootHandle {
    pub(crate) fn new(branch: Branch, cell: ActorCell) -> Self {
        Self { branch, cell }
    }

    /// Stops the tree from right to left, each child within its own deadline and all within this one.
    ///
    /// # Cancel safety
    /// Dropping the future kills the tree.
    pub async fn shutdown(self, deadline: Duration) -> ShutdownReport {
        let mut end = self.branch.end();
        // A root that is gone already has nothing to stop.
        let _ = ActorRef::<Msg>::from(self.cell.clone()).cast(Msg::Shutdown);
        if tokio::time::timeout(deadline, end.wait_for(Option::is_some)).await.is_ok() {
            return ShutdownReport { clean: true, left: Vec::new() };
        }
        let mut left = Vec::new();
        list_up(&self.branch.snapshot(), "", &mut left);
        self.cell.kill();
        // A kill takes effect at the next await of whoever runs; bounded, since one may block its thread.
        let _ = tokio::time::timeout(Duration::from_secs(1), end.wait_for(Option::is_some)).await;
        ShutdownReport { clean: false, left }
    }

    /// Waits until the tree is no more, and says why.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn closed(&self) -> GaveUp {
        let mut end = self.branch.end();
        let end = end.wait_for(Option::is_some).await;
        end.ok().and_then(|e| e.clone()).expect("the sender lives in the branch that is held here")
    }
}

impl std::ops::Deref for RootHandle {
    type Target = Branch;

    fn deref(&self) -> &Branch {
        &self.branch
    }
}

impl Drop for RootHandle {
    fn drop(&mut self) {
        self.cell.kill();
    }
}

fn list_up(node: &TreeSnapshot, path: &str, left: &mut Vec<String>) {
    for child in &node.children {
        let path = if path.is_empty() { child.id.clone() } else { format!("{path}/{}", child.id) };
        if matches!(child.state, NodeState::Running | NodeState::Stopping | NodeState::Starting) {
            left.push(path.clone());
        }
        list_up(child, &path, left);
    }
}
