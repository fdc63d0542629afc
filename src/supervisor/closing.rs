//! The orderly end.

use std::time::Duration;

use backline_supervisors::RootHandle;
use serde::Serialize;

use super::Handle;
use crate::{jobs::actor::Msg as JobsMsg, model::JobId};

/// How long the tree may take once the jobs are done with.
const TREE: Duration = Duration::from_secs(5);

/// What a shutdown did.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Every actor ended within its deadline.
    pub clean: bool,
    /// Jobs that had not ended when the grace was over. What runs at a backend goes on there where its kind lets it.
    pub unfinished: Vec<JobId>,
    /// Actors that had to be killed, by their paths.
    pub killed: Vec<String>,
}

pub(super) async fn shutdown(handle: Handle, root: RootHandle, grace: Duration) -> ShutdownReport {
    let (reply, drained) = tokio::sync::oneshot::channel();
    if let Some(jobs) = handle.0.tree.jobs() {
        // A jobs actor that is gone has no jobs to wait for.
        let _ = jobs.cast(JobsMsg::Drain(reply));
        let _ = tokio::time::timeout(grace, drained).await;
    }
    let mut unfinished = Vec::new();
    for job in handle.jobs().await.unwrap_or_default() {
        if !job.status().state.is_end() {
            unfinished.push(job.id());
        }
    }
    let report = root.shutdown(TREE).await;
    let slots = handle.0.roster.slots();
    futures_util::future::join_all(slots.iter().map(|slot| slot.parted())).await;
    ShutdownReport { clean: report.clean, unfinished, killed: report.left }
}
