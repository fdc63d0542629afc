//! The starts that are under way: tasks that the supervisor owns, so that a slow one makes it deaf to nobody.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::ActorRef;
use tokio::{
    sync::oneshot,
    task::{AbortHandle, JoinError, JoinHandle},
};

use super::Msg;
use crate::{ChildSpec, Exit, ExitKind, StartContext, StartError, start::Born};

/// Until nothing of it runs any more.
#[derive(Default)]
pub(super) struct Starts(HashMap<(Arc<str>, u64), Attempt>);

struct Attempt {
    watcher: JoinHandle<()>,
    /// Dropped, it gives the start up.
    go_on: Option<oneshot::Sender<()>>,
}

impl Starts {
    /// Begins a start; its end is told to `myself`.
    pub(super) fn begin(&mut self, spec: &ChildSpec, incarnation: u64, myself: &ActorRef<Msg>) {
        let id = spec.id.clone();
        let context = StartContext { supervisor: myself.get_cell(), id: id.clone(), incarnation };
        let (go_on, given_up) = oneshot::channel();
        let (start, deadline, watch) = (
            spec.start.clone(),
            spec.start_deadline,
            Watch { id: id.clone(), incarnation, myself: myself.clone() },
        );
        #[expect(
            clippy::disallowed_methods,
            reason = "both are owned by this table, aborted when it is dropped"
        )]
        let watcher = tokio::spawn(async move {
            // The closure runs in here too: what it panics with is the child's failure, not the supervisor's.
            let attempt = tokio::spawn(async move { start(context).await });
            watch.over(attempt, deadline, given_up).await;
        });
        self.0.insert((id, incarnation), Attempt { watcher, go_on: Some(go_on) });
    }

    /// Gives a start up.
    pub(super) fn abort(&mut self, id: &Arc<str>, incarnation: u64) {
        if let Some(attempt) = self.0.get_mut(&(id.clone(), incarnation)) {
            attempt.go_on = None;
        }
    }

    /// Nothing of a start runs any more, but what it started.
    pub(super) fn forget(&mut self, id: &Arc<str>, incarnation: u64) {
        self.0.remove(&(id.clone(), incarnation));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Drop for Starts {
    fn drop(&mut self) {
        for attempt in self.0.values() {
            attempt.watcher.abort();
        }
    }
}

/// Whose start it is, and who wants to know.
struct Watch {
    id: Arc<str>,
    incarnation: u64,
    myself: ActorRef<Msg>,
}

impl Watch {
    async fn over(
        self,
        mut attempt: JoinHandle<Result<Born, StartError>>,
        deadline: Duration,
        given_up: oneshot::Receiver<()>,
    ) {
        let _abort = AbortOnDrop(attempt.abort_handle());
        tokio::select! {
            biased;
            ended = &mut attempt => return self.tell(ended),
            _ = given_up => {}
            () = tokio::time::sleep(deadline) => self.failed(format!("no start within {deadline:?}")),
        }
        attempt.abort();
        // An abort takes effect at the next await; until then it may still bring forth an actor.
        if let Ok(Ok(born)) = attempt.await {
            born.cell.kill();
        }
        self.over_and_done();
    }

    fn tell(self, ended: Result<Result<Born, StartError>, JoinError>) {
        match ended {
            Ok(Ok(born)) => {
                let cell = born.cell.clone();
                let Self { id, incarnation, myself } = self;
                if myself.cast(Msg::Started { id, incarnation, born }).is_err() {
                    cell.kill();
                }
                return;
            }
            Ok(Err(error)) => self.failed(error.to_string()),
            Err(panic) => self.failed(panic.to_string()),
        }
        self.over_and_done();
    }

    // A supervisor that is gone has killed what was linked to it, so nobody misses what is told to it.

    fn failed(&self, why: String) {
        let exit = Exit::new(ExitKind::NotStarted, why);
        let _ =
            self.myself.cast(Msg::NotStarted { id: self.id.clone(), incarnation: self.incarnation, exit });
    }

    fn over_and_done(self) {
        let _ = self.myself.cast(Msg::StartOver { id: self.id, incarnation: self.incarnation });
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
