//! What is known of one job: written by its driver, read by anybody without waiting.

mod shown;
mod sink;

pub(crate) use self::shown::of_loaded;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::shown::{jot, show, took};
use crate::jobs::journal::Loaded;
use crate::{
    hub::Hub,
    jobs::machine::Machine,
    model::{EventBody, Fault, JobId, JobState, JobStatus},
};

/// Text that is kept of a job, at most; what comes after is counted and not kept.
const TEXT_CAP: usize = 16 * 1024 * 1024;

/// Whether a job counts in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// From now on.
    Now,
    /// With its next state: it ended long ago, and was only looked up.
    Later,
}

/// What is known of one job.
pub(crate) struct Board {
    hub: Arc<Hub>,
    status: Mutex<JobStatus>,
    latest: watch::Sender<Arc<JobStatus>>,
    text: Mutex<String>,
    length: watch::Sender<usize>,
    preview: watch::Sender<Option<Bytes>>,
    /// What a person wants of it.
    wishes: Mutex<CancellationToken>,
    /// Whether the execution ends where we do.
    dies_with_us: AtomicBool,
    /// Written under the lock of the status: the last word has been said.
    sealed: AtomicBool,
    /// Written under the same lock: the job counts in the snapshot.
    counted: AtomicBool,
    /// Set when nobody works on it any more in this process, though it has not ended.
    pub(crate) left: CancellationToken,
}

impl Board {
    /// A job that was accepted now.
    pub(crate) fn new(id: JobId, target: &str, work: &'static str, kept: &str, hub: Arc<Hub>) -> Arc<Self> {
        let board = Self::of(shown::blank(id, target, work), hub, Counted::Later);
        board.enter(board.lock(), None, JobState::Queued, format!("accepted; {kept}"), |_| {});
        Arc::new(board)
    }

    /// A job of an earlier run.
    pub(crate) fn restored(loaded: &Loaded, hub: Arc<Hub>, counted: Counted) -> Arc<Self> {
        let board = Self::of(of_loaded(loaded), hub, counted);
        board.note_abilities(&loaded.machine);
        let text = loaded.said();
        board.length.send_replace(text.len());
        *board.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
        if counted == Counted::Now {
            let status = board.status();
            let evidence = "it was accepted by an earlier run".to_owned();
            let (state, backend) = (status.state, status.backend.clone());
            let body = EventBody::JobState { job: loaded.id, state, backend, evidence };
            board.hub.move_job(None, state, body);
        }
        Arc::new(board)
    }

    fn of(status: JobStatus, hub: Arc<Hub>, counted: Counted) -> Self {
        Self {
            latest: watch::Sender::new(Arc::new(status.clone())),
            status: Mutex::new(status),
            text: Mutex::default(),
            length: watch::Sender::new(0),
            preview: watch::Sender::new(None),
            wishes: Mutex::default(),
            dies_with_us: AtomicBool::new(false),
            counted: AtomicBool::new(counted == Counted::Now),
            sealed: AtomicBool::new(false),
            left: CancellationToken::new(),
            hub,
        }
    }

    /// Set when somebody wants the job to end.
    pub(crate) fn cancelled(&self) -> CancellationToken {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets that somebody wanted it to end: it is to run again.
    pub(crate) fn renew(&self) {
        *self.wishes.lock().unwrap_or_else(PoisonError::into_inner) = CancellationToken::new();
    }

    /// Shows a step of the job; false where the last word has been said, so that nothing may follow from the step.
    pub(crate) fn step(&self, machine: &Machine, evidence: String) -> bool {
        self.note_abilities(machine);
        let mut status = self.lock();
        if self.sealed.load(Ordering::Relaxed) {
            return false;
        }
        let (before, now) = (status.state, machine.state());
        if before == now {
            jot(&mut status, evidence);
            show(&mut status, machine);
            self.latest.send_replace(Arc::new(status.clone()));
        } else {
            self.enter(status, Some(before), now, evidence, |status| show(status, machine));
        }
        true
    }

    /// Whether the execution that is under way ends where we do, and nobody can say afterwards how.
    pub(crate) fn dies_with_us(&self) -> bool {
        self.dies_with_us.load(Ordering::Relaxed)
    }

    fn note_abilities(&self, machine: &Machine) {
        if let Some(run) = machine.stage().run() {
            self.dies_with_us.store(run.dies_with_us(), Ordering::Relaxed);
        }
    }

    /// Where it is told what work came to.
    pub(crate) fn toll(&self) -> &crate::notices::Toll {
        &self.hub.toll
    }

    pub(crate) fn id(&self) -> JobId {
        self.lock().id
    }

    pub(crate) fn status(&self) -> Arc<JobStatus> {
        self.latest.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<JobStatus>> {
        self.latest.subscribe()
    }

    pub(crate) fn preview(&self) -> watch::Receiver<Option<Bytes>> {
        self.preview.subscribe()
    }

    pub(crate) fn length(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    /// The text from this byte on.
    pub(crate) fn text_from(&self, offset: usize) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.get(offset..).unwrap_or_default().to_owned()
    }

    /// Changes what is known, without a new state.
    pub(crate) fn update(&self, change: impl FnOnce(&mut JobStatus)) {
        let mut status = self.lock();
        change(&mut status);
        self.latest.send_replace(Arc::new(status.clone()));
    }

    /// Ends it.
    pub(crate) fn end(&self, state: JobState, evidence: impl Into<String>, fault: Option<Fault>) {
        let status = self.lock();
        let before = status.state;
        if !before.is_end() {
            self.enter(status, Some(before), state, evidence.into(), |status| status.error = fault);
        }
    }

    /// Ends it for good, by the state that it is in: its driver, which may be in the middle of a step, takes no
    /// further one.
    pub(crate) fn abandon(&self, evidence: &str, verdict: impl FnOnce(JobState) -> (JobState, Fault)) {
        let status = self.lock();
        self.sealed.store(true, Ordering::Relaxed);
        let before = status.state;
        if !before.is_end() {
            let (state, fault) = verdict(before);
            self.enter(status, Some(before), state, evidence.to_owned(), |s| s.error = Some(fault));
        }
    }

    fn enter(
        &self,
        mut status: MutexGuard<'_, JobStatus>,
        from: Option<JobState>,
        to: JobState,
        evidence: String,
        change: impl FnOnce(&mut JobStatus),
    ) {
        shown::enter(&mut status, to, evidence.clone());
        change(&mut status);
        let body =
            EventBody::JobState { job: status.id, state: to, backend: status.backend.clone(), evidence };
        tracing::info!(job = %status.id, state = %to, backend = ?status.backend, "job");
        if to.is_end() {
            let backend = status.backend.as_ref().map_or("none", |b| b.as_str());
            self.hub.meter.job_ended(backend, to);
            if let (JobState::Done, Some(backend), Some(took)) = (to, &status.backend, took(&status)) {
                self.hub.chronicle.job_ended(backend, took);
            }
        }
        let was_counted = self.counted.swap(true, Ordering::Relaxed);
        let from = from.filter(|_| was_counted);
        self.hub.move_job(from, to, body);
        self.latest.send_replace(Arc::new(status.clone()));
    }

    pub(crate) fn note(&self, text: String) {
        self.update(|status| jot(status, text));
    }

    fn append(&self, delta: &str) {
        let offset = {
            let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
            if text.len() + delta.len() > TEXT_CAP {
                return;
            }
            let offset = text.len();
            text.push_str(delta);
            offset
        };
        self.length.send_replace(offset + delta.len());
        let offset = offset as u64;
        self.hub.tell(EventBody::JobDelta { job: self.id(), offset, text: delta.to_owned() });
    }

    fn lock(&self) -> MutexGuard<'_, JobStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
