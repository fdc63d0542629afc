//! What is known of one job: written by its driver, read by anybody without waiting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    backends::{Report, Sink},
    hub::Hub,
    jobs::Job,
    model::{EventBody, Fault, JobId, JobState, JobStatus, job::TimelineStep},
};

/// Text that is kept of a job, at most; what comes after is counted and not kept.
const TEXT_CAP: usize = 16 * 1024 * 1024;
/// Notes and steps that are kept.
const TIMELINE_CAP: usize = 256;

/// What is known of one job.
pub(crate) struct Board {
    hub: Arc<Hub>,
    status: Mutex<JobStatus>,
    latest: watch::Sender<Arc<JobStatus>>,
    text: Mutex<String>,
    length: watch::Sender<usize>,
    preview: watch::Sender<Option<Bytes>>,
    /// Set when somebody wants the job to end.
    pub(crate) cancel: CancellationToken,
}

impl Board {
    pub(crate) fn new(job: &Job, hub: Arc<Hub>) -> Arc<Self> {
        let status = JobStatus {
            id: JobId::random(),
            target: job.target.clone(),
            backend: None,
            kind: None,
            work: job.work.as_ref().map_or("unknown", |w| w.name()),
            state: JobState::Queued,
            guarantee: None,
            remote_id: None,
            attempts: 0,
            routed: None,
            progress: None,
            outputs: Vec::new(),
            result: None,
            error: None,
            timeline: Vec::new(),
        };
        let board = Self {
            latest: watch::Sender::new(Arc::new(status.clone())),
            status: Mutex::new(status),
            text: Mutex::default(),
            length: watch::Sender::new(0),
            preview: watch::Sender::new(None),
            cancel: CancellationToken::new(),
            hub,
        };
        board.enter(None, JobState::Queued, "accepted; kept in memory".to_owned(), |_| {});
        Arc::new(board)
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

    /// Enters a state, with the evidence. An end is final: what comes after it changes nothing.
    pub(crate) fn go(
        &self,
        state: JobState,
        evidence: impl Into<String>,
        change: impl FnOnce(&mut JobStatus),
    ) {
        let before = self.lock().state;
        if !before.is_end() {
            self.enter(Some(before), state, evidence.into(), change);
        }
    }

    /// Ends it.
    pub(crate) fn end(&self, state: JobState, evidence: impl Into<String>, fault: Option<Fault>) {
        self.go(state, evidence, |status| status.error = fault);
    }

    fn enter(
        &self,
        from: Option<JobState>,
        to: JobState,
        evidence: String,
        change: impl FnOnce(&mut JobStatus),
    ) {
        let mut status = self.lock();
        status.state = to;
        if status.timeline.len() < TIMELINE_CAP || to.is_end() {
            status.timeline.push(TimelineStep {
                at: Timestamp::now(),
                state: to,
                evidence: evidence.clone(),
            });
        }
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
        self.hub.move_job(from, to, body);
        self.latest.send_replace(Arc::new(status.clone()));
    }

    fn note(&self, text: String) {
        self.update(|status| {
            if status.timeline.len() < TIMELINE_CAP {
                let state = status.state;
                status.timeline.push(TimelineStep { at: Timestamp::now(), state, evidence: text });
            }
        });
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

/// From the first time that it was sent until its last step: what a backend takes, without the wait for one.
fn took(status: &JobStatus) -> Option<std::time::Duration> {
    let sent = status.timeline.iter().find(|step| step.state == JobState::Sent)?;
    status.timeline.last()?.at.duration_since(sent.at).try_into().ok()
}

impl Sink for Board {
    fn report(&self, report: Report) {
        match report {
            Report::Accepted { remote } => {
                self.go(JobState::Sent, "the backend has it", |status| status.remote_id = Some(remote));
            }
            Report::Waiting { position } => {
                let place = position.map_or_else(|| "it waits".to_owned(), |p| format!("{p} before it"));
                self.update(|status| status.progress.get_or_insert_default().message = Some(place));
            }
            Report::Started => {
                if self.status().state != JobState::Running {
                    self.go(JobState::Running, "the backend works on it", |_| {});
                }
            }
            Report::Progress(progress) => {
                let job = self.id();
                self.update(|status| status.progress = Some(progress.clone()));
                self.hub.tell(EventBody::JobProgress { job, progress });
            }
            Report::Delta(text) => self.append(&text),
            Report::Preview(bytes) => {
                self.preview.send_replace(Some(bytes));
            }
            Report::Partial(json) => self.update(|status| {
                status.progress.get_or_insert_default().message =
                    Some(crate::model::fault::clean(&json, 200));
            }),
            Report::Note(text) => self.note(text),
        }
    }
}
