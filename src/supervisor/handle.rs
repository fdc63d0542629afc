//! What the parts of a host hold of a supervisor.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::{broadcast, oneshot, watch},
    time::Instant,
};

use super::Core;
use crate::{
    connection::{actor::Msg as ConnectionMsg, machine::Command},
    error::Error,
    health::actor::Msg as HealthMsg,
    hub::Resumed,
    jobs::{Job, JobHandle, actor::Msg as JobsMsg},
    model::{Event, Snapshot},
    state::{Condition, Store},
};

/// How long an actor has to answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);
/// How long a pause waits for what is in flight.
const PAUSE: Duration = Duration::from_secs(30);

/// What the parts of a host hold of a supervisor: cheap to clone. Without its [`super::Supervisor`] it still reads,
/// and every request fails with [`Error::Restarting`].
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Core>);

impl Handle {
    pub(super) fn new(core: Core) -> Self {
        Self(Arc::new(core))
    }

    /// All that is known now; never waits.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.hub.snapshot()
    }

    /// All that is known, as a cell: the latest wins.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.hub.watch()
    }

    /// The condition of the state database, as it changes; none where no state is kept.
    pub fn state(&self) -> Option<watch::Receiver<Condition>> {
        self.0.store.as_ref().map(Store::watch)
    }

    /// What happens from here on. A reader that is too slow is told how much it missed, and goes on from there.
    pub fn events(&self) -> Events {
        Events::new(self.0.hub.events())
    }

    /// What happened after `revision` of run `run`, and from here on, without a gap; or the snapshot, where that is
    /// too long ago.
    pub fn resume(&self, run: &str, revision: u64) -> (Resumed, Events) {
        let (resumed, events) = self.0.hub.resume(run, revision);
        (resumed, Events::new(events))
    }

    /// The metrics as Prometheus text.
    pub fn metrics(&self) -> String {
        self.0.hub.meter.render(&self.snapshot())
    }

    /// Counts events that a reader of this host's own was too slow for.
    pub fn count_lagged(&self, missed: u64) {
        self.0.hub.meter.lagged(missed);
    }

    /// Runs a piece of work, kept in memory: it survives a lost socket, a restarted backend and a crash of the
    /// connection, not the end of this process.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the job running.
    ///
    /// # Errors
    /// An unknown target, work that is no JSON, or a supervisor that is closing.
    pub async fn run(&self, job: Job) -> Result<JobHandle, Error> {
        self.ask_jobs(|reply| JobsMsg::Submit(Box::new(job), reply)).await?
    }

    /// The jobs of this run that are remembered.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// The jobs actor is being restarted, or does not answer.
    pub async fn jobs(&self) -> Result<Vec<JobHandle>, Error> {
        self.ask_jobs(JobsMsg::List).await
    }

    /// Resets the backoff and dials now; releases a parked or quarantined backend. A ready session is left alone
    /// unless `force`.
    ///
    /// # Cancel safety
    /// Safe; what was asked may still be done.
    ///
    /// # Errors
    /// An unknown backend.
    pub async fn reconnect(&self, id: &str, force: Force) -> Result<(), Error> {
        let slot = self.0.roster.named(id)?;
        let Some(connection) = self.0.roster.connection(&slot.config.id) else {
            // No incarnation lives: it waits for its restart or is quarantined. Its supervisor starts it now.
            let restart = self.0.tree.backends.restart(id).await;
            return restart.map_err(|_| Error::Restarting { actor: "backends" });
        };
        let command = match force {
            Force::No => Command::Reconnect,
            Force::Yes => Command::ForceReconnect,
        };
        connection
            .cast(ConnectionMsg::Command(command))
            .map_err(|_| Error::Restarting { actor: "connection" })
    }

    /// Drains a backend and keeps it away until [`Self::resume_backend`].
    ///
    /// # Errors
    /// An unknown backend, or its actor is being restarted.
    pub fn pause_backend(&self, id: &str) -> Result<(), Error> {
        self.command(id, Command::Pause { deadline: Instant::now() + PAUSE })
    }

    /// Ends a pause.
    ///
    /// # Errors
    /// As [`Self::pause_backend`].
    pub fn resume_backend(&self, id: &str) -> Result<(), Error> {
        self.command(id, Command::Resume)
    }

    /// Probes a backend now; the answer shows in the snapshot.
    ///
    /// # Errors
    /// An unknown backend, or health is being restarted.
    pub fn check(&self, id: &str) -> Result<(), Error> {
        let slot = self.0.roster.named(id)?;
        let health = self.0.tree.health().ok_or(Error::Restarting { actor: "health" })?;
        let check = HealthMsg::CheckNow(slot.config.id.clone());
        health.cast(check).map_err(|_| Error::Restarting { actor: "health" })
    }

    /// Makes a backend's connection actor panic: what the demo and the tests do to watch it heal.
    ///
    /// # Errors
    /// As [`Self::pause_backend`].
    #[cfg(feature = "sim")]
    pub fn inject_panic(&self, id: &str) -> Result<(), Error> {
        let slot = self.0.roster.named(id)?;
        let connection =
            self.0.roster.connection(&slot.config.id).ok_or(Error::Restarting { actor: "connection" })?;
        connection.cast(ConnectionMsg::Panic).map_err(|_| Error::Restarting { actor: "connection" })
    }

    fn command(&self, id: &str, command: Command) -> Result<(), Error> {
        let slot = self.0.roster.named(id)?;
        let restarting = Error::Restarting { actor: "connection" };
        let connection = self.0.roster.connection(&slot.config.id).ok_or(restarting.clone())?;
        connection.cast(ConnectionMsg::Command(command)).map_err(|_| restarting)
    }

    pub(super) async fn ask_jobs<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<T>) -> JobsMsg,
    ) -> Result<T, Error> {
        let actor = "jobs";
        let jobs = self.0.tree.jobs().ok_or(Error::Restarting { actor })?;
        let (reply, answer) = oneshot::channel();
        jobs.cast(make(reply)).map_err(|_| Error::Restarting { actor })?;
        await_answer(actor, answer).await
    }
}

/// Waits for an actor's answer, within its deadline.
pub(super) async fn await_answer<T>(actor: &'static str, answer: oneshot::Receiver<T>) -> Result<T, Error> {
    match tokio::time::timeout(ANSWER, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_dropped)) => Err(Error::Restarting { actor }),
        Err(_) => Err(Error::NoAnswer { actor, waited: ANSWER }),
    }
}

/// Whether a ready session is ended for a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Force {
    /// It is left alone.
    #[default]
    No,
    /// It is ended.
    Yes,
}

/// A reader of the events was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{missed} events were missed; the snapshot says what is now")]
pub struct Lagged {
    /// How many.
    pub missed: u64,
}

/// What happens, as it happens.
pub struct Events(Pin<Box<dyn Stream<Item = Result<Arc<Event>, Lagged>> + Send>>);

impl Events {
    fn new(receiver: broadcast::Receiver<Arc<Event>>) -> Self {
        let next = |mut receiver: broadcast::Receiver<Arc<Event>>| async move {
            match receiver.recv().await {
                Ok(event) => Some((Ok(event), receiver)),
                Err(broadcast::error::RecvError::Lagged(missed)) => Some((Err(Lagged { missed }), receiver)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        };
        Self(stream::unfold(receiver, next).fuse().boxed())
    }
}

impl Stream for Events {
    type Item = Result<Arc<Event>, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}
