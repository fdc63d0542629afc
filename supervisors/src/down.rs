//! What is told of a child that went down.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::time::Instant;

use crate::Exit;

/// What comes after a child's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// A restart, at this time.
    Restart(Instant),
    /// Quarantine; a trial at this time.
    Quarantine(Instant),
    /// Its next start, without a crash of its own: by request, or with its group.
    StartAgain,
    /// Nothing: it ended, was removed, or its supervisor stops or died.
    Nothing,
}

/// A child went down: told to [`ChildSpec::on_down`](crate::ChildSpec::on_down), so that somebody speaks for it while no incarnation lives.
#[derive(Debug, Clone)]
pub struct Down<'a> {
    /// The child's id.
    pub id: &'a str,
    /// How it ended.
    pub exit: &'a Exit,
    /// What comes next.
    pub next: Next,
    /// Restarts after crashes so far, this one included.
    pub restarts: u64,
}

pub(crate) type OnDown = Arc<dyn Fn(Down<'_>) + Send + Sync>;

/// Tells it; a panic in there is not the supervisor's.
pub(crate) fn tell(on_down: &OnDown, down: Down<'_>) {
    let id = down.id.to_owned();
    if catch_unwind(AssertUnwindSafe(|| on_down(down))).is_err() {
        tracing::error!(child = %id, "a child's on_down panicked");
    }
}
