//! The orderly end.

use std::time::Duration;

use backline_supervisors::RootHandle;
use serde::Serialize;

use super::Handle;
use crate::{
    jobs::actor::Msg as JobsMsg,
    model::{JobId, JobState},
};

/// How long the disk may take to keep what is known of those that would die with us.
const LEAVE: Duration = Duration::from_secs(2);
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
    /// Those whose kind does not survive us (a Gradio call, a chat): nobody can say how they end, and with a state
    /// directory that is what the next start says of them.
    pub cut_off: Vec<JobId>,
    /// Those that wait for a backend, one that was cut off and may run again included. With a state directory the next
    /// start goes on with them.
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
    let open: Vec<_> =
        handle.0.jobs.shelf.all().into_iter().filter(|kept| !kept.board.status().state.is_end()).collect();
    if let (false, Some(jobs)) = (open.is_empty(), handle.0.tree.jobs()) {
        let (reply, left) = tokio::sync::oneshot::channel();
        // One that is gone, or a disk that refuses, leaves it to the next start, which comes to the same.
        let _ = jobs.cast(JobsMsg::Leave(reply));
        let _ = tokio::time::timeout(LEAVE, left).await;
    }
    for kept in open {
        let (id, state) = (kept.board.id(), kept.board.status().state);
        match (state, kept.board.dies_with_us()) {
            (JobState::Queued, _) => report.waiting.push(id),
            (JobState::Uncertain, _) | (JobState::Sent | JobState::Running, true) => report.cut_off.push(id),
            // It ended after all.
            (ended, _) if ended.is_end() => continue,
            _ => report.left_running.push(id),
        }
        report.unfinished.push(id);
    }
    let ended = root.shutdown(TREE).await;
    let slots = handle.0.roster.slots();
    futures_util::future::join_all(slots.iter().map(|slot| slot.parted())).await;
    ShutdownReport { clean: ended.clean, killed: ended.left, ..report }
}
