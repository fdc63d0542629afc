//! The orderly end.

use std::time::Duration;

use backline_supervisors::RootHandle;
use serde::Serialize;

use super::Handle;
use crate::{
    jobs::actor::Msg as JobsMsg,
    model::{JobId, JobState},
};

/// How long the tree may take once the jobs are done with.
const TREE: Duration = Duration::from_secs(5);

/// What a shutdown did.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Every actor ended within its deadline.
    pub clean: bool,
    /// Jobs that had not ended when the grace was over: all of the following three.
    pub unfinished: Vec<JobId>,
    /// Those that go on at their backend, whose kind lets them (ComfyUI, WanGP's MCP server). With a state directory
    /// the next start takes them up.
    pub left_running: Vec<JobId>,
    /// Those whose kind does not survive us (a Gradio call, a chat): nobody can say how they end.
    pub cut_off: Vec<JobId>,
    /// Those that wait for a backend. With a state directory the next start goes on with them.
    pub waiting: Vec<JobId>,
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
    let mut report = ShutdownReport {
        clean: false,
        unfinished: Vec::new(),
        left_running: Vec::new(),
        cut_off: Vec::new(),
        waiting: Vec::new(),
        killed: Vec::new(),
    };
    for kept in handle.0.jobs.shelf.all() {
        let state = kept.board.status().state;
        if state.is_end() {
            continue;
        }
        let id = kept.board.id();
        report.unfinished.push(id);
        match (state, kept.board.survives()) {
            (JobState::Queued, _) => report.waiting.push(id),
            (_, true) => report.left_running.push(id),
            (_, false) => report.cut_off.push(id),
        }
    }
    let ended = root.shutdown(TREE).await;
    let slots = handle.0.roster.slots();
    futures_util::future::join_all(slots.iter().map(|slot| slot.parted())).await;
    ShutdownReport { clean: ended.clean, killed: ended.left, ..report }
}
