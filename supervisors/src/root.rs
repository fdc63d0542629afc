//! The handle of a running tree.

use std::time::Duration;

use ractor::{ActorCell, ActorRef};

use crate::{
    Branch, Bus, GaveUp, ShutdownReport, SupervisorError, SupervisorSpec, report::still_up, shell::Msg,
    table::KILL_GRACE,
};

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

    /// Starts a tree that is a single supervisor with workers. For a deeper one make a [`Bus`] and a [`Branch`] for each
    /// supervisor, and use [`Branch::start_root`]; likewise to hear the events of the start itself.
    ///
    /// # Cancel safety
    /// Dropping the future kills the tree.
    ///
    /// # Errors
    /// [`SupervisorError::NotStarted`].
    pub async fn start(spec: SupervisorSpec) -> Result<Self, SupervisorError> {
        Branch::new(&Bus::new(), spec).start_root().await
    }

    /// The address of the root, which may be cloned and outlives the tree.
    pub fn branch(&self) -> &Branch {
        &self.branch
    }

    /// Stops the tree from right to left, each child within its own deadline and all within this one.
    ///
    /// # Cancel safety
    /// Dropping the future kills the tree.
    pub async fn shutdown(self, deadline: Duration) -> ShutdownReport {
        let address = self.branch.address();
        let mut end = address.end.subscribe();
        // A root that is gone already has nothing to stop.
        let _ = ActorRef::<Msg>::from(self.cell.clone()).cast(Msg::Shutdown);
        if tokio::time::timeout(deadline, end.wait_for(Option::is_some)).await.is_ok() {
            return ShutdownReport::new(address.all_killed());
        }
        let mut left = address.all_killed();
        left.extend(still_up(&self.branch.snapshot()));
        left.sort();
        left.dedup();
        self.cell.kill();
        // A kill takes effect at the next await of whoever runs; bounded, since one may block its thread.
        let _ = tokio::time::timeout(KILL_GRACE, end.wait_for(Option::is_some)).await;
        ShutdownReport::new(left)
    }

    /// Waits until the tree is no more, and says why.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn closed(&self) -> GaveUp {
        let mut end = self.branch.address().end.subscribe();
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
