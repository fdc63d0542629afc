//! What work came to at each backend, on its way from the jobs to the notices.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::{
    backends::Setback,
    jobs::machine::Event,
    model::{BackendId, Code, Fault},
};

/// Most that waits to be looked at; beyond, the oldest is forgotten.
const WAITING: usize = 512;

/// One thing that work came to.
#[derive(Debug, Clone)]
pub(crate) enum Heard {
    /// It met this.
    Trouble(BackendId, Fault),
    /// It went well.
    Well(BackendId),
}

/// What waits for the watcher. Jobs write in it, and never wait.
pub(crate) struct Toll {
    waiting: Mutex<VecDeque<Heard>>,
    changes: watch::Sender<u64>,
}

/// Whether a person is told of this cause of a job's failure beyond the job: the server or our disk is to be mended.
pub(crate) fn is_told(code: Code) -> bool {
    matches!(
        code,
        Code::MissingNode
            | Code::MissingModel
            | Code::OutOfMemory
            | Code::QueueFull
            | Code::RateLimited
            | Code::Disk
    )
}

impl Toll {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Takes down what an event of a job says of its backend.
    pub(crate) fn hear(&self, backend: &BackendId, event: &Event) {
        let heard = match event {
            Event::Stopped(Setback::Refused(fault) | Setback::Unsent(fault) | Setback::Failed(fault))
            | Event::Unfetched(fault)
                if is_told(fault.code()) =>
            {
                Heard::Trouble(backend.clone(), fault.clone())
            }
            Event::Finished { .. } | Event::Fetched { .. } => Heard::Well(backend.clone()),
            _ => return,
        };
        let mut waiting = self.lock();
        // A thousand jobs that go well say it once.
        if matches!((&heard, waiting.back()), (Heard::Well(now), Some(Heard::Well(last))) if now == last) {
            return;
        }
        waiting.push_back(heard);
        if waiting.len() > WAITING {
            waiting.pop_front();
        }
        self.changes.send_modify(|count| *count += 1);
    }

    /// What was heard since the last call, in order.
    pub(crate) fn take(&self) -> VecDeque<Heard> {
        std::mem::take(&mut *self.lock())
    }

    /// Changes when something was heard.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Heard>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
