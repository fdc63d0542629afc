//! The starts that are under way: tasks that the supervisor owns, so that a slow one makes it deaf to nobody.

use std::{collections::HashMap, sync::Arc};

use ractor::ActorRef;
use tokio::task::JoinHandle;

use super::Msg;
use crate::{ChildSpec, Exit, ExitKind, StartContext};

#[derive(Default)]
pub(super) struct Starts(HashMap<(Arc<str>, u64), JoinHandle<()>>);

impl Starts {
    /// Begins a start; its end is told to `myself`.
    pub(super) fn begin(&mut self, spec: &ChildSpec, incarnation: u64, myself: &ActorRef<Msg>) {
        let id = spec.id.clone();
        let context = StartContext { supervisor: myself.get_cell(), id: id.clone(), incarnation };
        let (start, deadline, myself, name) =
            (spec.start.clone(), spec.start_deadline, myself.clone(), id.clone());
        #[expect(clippy::disallowed_methods, reason = "owned by this table, aborted when it is dropped")]
        let task = tokio::spawn(async move {
            // The closure runs in here too: what it panics with is the child's failure, not the supervisor's.
            let attempt = tokio::spawn(async move { start(context).await });
            let _abort = AbortOnDrop(attempt.abort_handle());
            let failed = |what: String| Exit::new(ExitKind::NotStarted, what);
            let msg = match tokio::time::timeout(deadline, attempt).await {
                Ok(Ok(Ok(cell))) => Msg::Started { id: name, incarnation, cell },
                Ok(Ok(Err(error))) => {
                    Msg::NotStarted { id: name, incarnation, exit: failed(error.to_string()) }
                }
                Ok(Err(panic)) => Msg::NotStarted { id: name, incarnation, exit: failed(panic.to_string()) },
                Err(_) => {
                    let exit = failed(format!("no start within {deadline:?}"));
                    Msg::NotStarted { id: name, incarnation, exit }
                }
            };
            // A supervisor that is gone has killed what was linked to it.
            let _ = myself.cast(msg);
        });
        self.0.insert((id, incarnation), task);
    }

    /// Gives a start up.
    pub(super) fn abort(&mut self, id: &Arc<str>, incarnation: u64) {
        if let Some(task) = self.0.remove(&(id.clone(), incarnation)) {
            task.abort();
        }
    }

    /// A start has reported.
    pub(super) fn forget(&mut self, id: &Arc<str>, incarnation: u64) {
        self.0.remove(&(id.clone(), incarnation));
    }
}

impl Drop for Starts {
    fn drop(&mut self) {
        for task in self.0.values() {
            task.abort();
        }
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
