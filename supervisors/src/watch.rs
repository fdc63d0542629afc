//! The tree for whoever follows it.

use tokio::sync::watch;

use crate::{Branch, TreeSnapshot};

/// Follows a tree: the latest state wins, and a slow reader holds up nobody.
#[derive(Debug, Clone)]
pub struct TreeWatch {
    branch: Branch,
    changes: watch::Receiver<u64>,
}

impl TreeWatch {
    pub(crate) fn new(branch: Branch) -> Self {
        let changes = branch.address().bus.changes();
        Self { branch, changes }
    }

    /// The tree now. Never waits.
    pub fn latest(&mut self) -> TreeSnapshot {
        self.changes.mark_unchanged();
        self.branch.snapshot()
    }

    /// Waits for a change since the last look, and gives the tree as it is then.
    ///
    /// # Cancel safety
    /// Safe: no change is lost.
    pub async fn changed(&mut self) -> TreeSnapshot {
        self.changes.changed().await.expect("the sender lives in the branch that is held here");
        self.branch.snapshot()
    }

    /// Waits until the tree is as `fits` says, which may be now, and gives it.
    ///
    /// # Cancel safety
    /// Safe. It waits for ever where that never comes: put a deadline around it.
    pub async fn wait_for(&mut self, mut fits: impl FnMut(&TreeSnapshot) -> bool) -> TreeSnapshot {
        let mut tree = self.latest();
        while !fits(&tree) {
            tree = self.changed().await;
        }
        tree
    }
}
