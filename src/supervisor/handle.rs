//! What the parts of a host hold of a supervisor.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use super::{Core, Events};
use crate::{
    connection::{actor::Msg as ConnectionMsg, machine::Command},
    error::Error,
    health::actor::Msg as HealthMsg,
    hub::Resumed,
    jobs::{self, Job, JobHandle, Page, Selection, Submitted, actor::Msg as JobsMsg, inputs, intake},
    model::{JobId, Snapshot},
    state::{Condition, Store},
};

/// How long an actor has to answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);
/// How long an acceptance may take: a disk that is slower says so itself before.
const ACCEPT: Duration = Duration::from_secs(25);
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

    /// Where state is kept; nowhere without a state directory.
    #[cfg(feature = "dashboard")]
    pub(crate) fn store(&self) -> Option<Store> {
        self.0.store.clone()
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

    /// Takes a piece of work. With a state directory it is on the disk once this is Ok, and survives a lost socket, a
    /// restarted backend, a crash of any actor and the end of this process; without one, all but the last.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the job accepted; with a [`Job::key`] it can be asked for again.
    ///
    /// # Errors
    /// An unknown target, work that is no JSON, a file that is not there, a key of another request, too many open jobs,
    /// a disk that cannot keep it, or a supervisor that is closing.
    pub async fn submit(&self, mut job: Job) -> Result<Submitted, Error> {
        let setup = &self.0.jobs;
        // A name that nobody has is told before anything is copied.
        setup.roster.route(&job.target)?;
        let (work, held) = inputs::gather(setup.inputs.as_ref(), job.work?, job.paths).await?;
        job.work = Ok(work);
        self.ask_jobs_within(ACCEPT, |reply| JobsMsg::Submit(Box::new(job), held, reply)).await?
    }

    /// As [`Self::submit`], where nobody asks whether the job is new.
    ///
    /// # Cancel safety
    /// As [`Self::submit`].
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn run(&self, job: Job) -> Result<JobHandle, Error> {
        self.submit(job).await.map(|submitted| submitted.job)
    }

    /// Jobs in pages, the newest first: all that the state database has, or without one all that are remembered.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// [`Error::UnknownJob`]: there is no job [`Selection::before`].
    pub async fn list_jobs(&self, asked: &Selection) -> Result<Page, Error> {
        jobs::page::page(&self.0.jobs, asked).await
    }

    /// The jobs that are remembered: all that are open, and the last thousand that ended. Never waits.
    pub fn jobs(&self) -> Vec<JobHandle> {
        self.0.jobs.shelf.all().into_iter().map(|kept| JobHandle::new(kept.board)).collect()
    }

    /// One job, also one that ended long ago, as long as the state database has it.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// There is none with this id; the disk's.
    pub async fn job(&self, id: JobId) -> Result<JobHandle, Error> {
        intake::known(&self.0.jobs, id).await.map(JobHandle::new)
    }

    /// Runs an ended job again that is not done.
    ///
    /// # Cancel safety
    /// Dropping the future may leave it running.
    ///
    /// # Errors
    /// There is none with this id in the state database, it is open or done, its request was not kept; the disk's.
    pub async fn retry_job(&self, id: JobId) -> Result<(), Error> {
        self.ask_jobs_within(ACCEPT, |reply| JobsMsg::Retry(id, reply)).await?
    }

    /// Erases an ended job, with the files of it that lie in the state directory. Its key stays for its time.
    ///
    /// # Cancel safety
    /// Dropping the future may leave its files.
    ///
    /// # Errors
    /// There is none with this id, or it has not ended; the disk's.
    pub async fn erase_job(&self, id: JobId) -> Result<(), Error> {
        intake::erase(&self.0.jobs, id).await
    }

    /// The files that jobs take; none without a state directory.
    #[cfg(feature = "dashboard")]
    pub(crate) fn inputs(&self) -> Option<Arc<crate::jobs::inputs::Inputs>> {
        self.0.jobs.inputs.clone()
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

    /// Makes the actor of a backend's connection, or of a pool, panic: what the demo and the tests do to watch it heal.
    ///
    /// # Errors
    /// As [`Self::pause_backend`].
    #[cfg(feature = "sim")]
    pub fn inject_panic(&self, id: &str) -> Result<(), Error> {
        if let Some(pool) = self.0.roster.pool_branch().and_then(|pools| pools.cell(id)) {
            let panic = crate::pool::actor::Msg::Panic;
            return ractor::ActorRef::from(pool)
                .cast(panic)
                .map_err(|_| Error::Restarting { actor: "pools" });
        }
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

    async fn ask_jobs_within<T>(
        &self,
        limit: Duration,
        make: impl FnOnce(oneshot::Sender<T>) -> JobsMsg,
    ) -> Result<T, Error> {
        let actor = "jobs";
        let jobs = self.0.tree.jobs().ok_or(Error::Restarting { actor })?;
        let (reply, answer) = oneshot::channel();
        jobs.cast(make(reply)).map_err(|_| Error::Restarting { actor })?;
        await_answer_within(limit, actor, answer).await
    }
}

/// Waits for an actor's answer, within its deadline.
pub(super) async fn await_answer<T>(actor: &'static str, answer: oneshot::Receiver<T>) -> Result<T, Error> {
    await_answer_within(ANSWER, actor, answer).await
}

async fn await_answer_within<T>(
    limit: Duration,
    actor: &'static str,
    answer: oneshot::Receiver<T>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_dropped)) => Err(Error::Restarting { actor }),
        Err(_) => Err(Error::NoAnswer { actor, waited: limit }),
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
