//! The journal of a process without a state directory.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Accepted, Entry, Step, Swept};
use tokio::sync::watch;

use crate::{
    config::JobsConfig,
    error::Error,
    model::{Code, Fault, JobId, JobState},
};

/// Keys that are remembered; the ones of the oldest jobs go then.
const KEYS: usize = 10_000;

/// What was accepted in this process.
#[derive(Debug)]
pub(crate) struct Memory {
    bounds: watch::Receiver<JobsConfig>,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    last: i64,
    open: u32,
    keys: HashMap<String, Kept>,
}

/// What a key stands for.
#[derive(Debug)]
struct Kept {
    number: i64,
    id: JobId,
    request: String,
    end: Option<JobState>,
}

impl Memory {
    pub(crate) fn new(bounds: watch::Receiver<JobsConfig>) -> Self {
        Self { bounds, book: Mutex::default() }
    }

    pub(super) fn accept(&self, entry: &Entry) -> Result<Accepted, Error> {
        let text = serde_json::to_value((&entry.target, &entry.request, &entry.terms));
        let request =
            text.map_err(|e| Fault::new(Code::BadRequest, format!("the work cannot be kept: {e}")))?;
        let request = request.to_string();
        let mut book = self.lock();
        if let Some((key, known)) = entry.key.as_ref().and_then(|key| Some((key, book.keys.get(key)?))) {
            let (id, state) = (known.id, known.end);
            return if known.request == request {
                Ok(Accepted::Known { id, state })
            } else {
                let text = format!("the key `{key}` stands for another request, which became the job {id}");
                Err(Error::Fault(Fault::new(Code::KeyConflict, text)))
            };
        }
        if book.open >= self.bounds.borrow().open {
            let text = format!("{} jobs are under way or wait already", book.open);
            return Err(Error::Fault(Fault::new(Code::JournalFull, text)));
        }
        book.last += 1;
        book.open += 1;
        let number = book.last;
        if let Some(key) = &entry.key {
            book.keys.insert(key.clone(), Kept { number, id: entry.id, request, end: None });
            book.bound();
        }
        Ok(Accepted::New { number })
    }

    pub(super) fn note(&self, number: i64, id: JobId, step: &Step) {
        let mut book = self.lock();
        let end = step.state.is_end().then_some(step.state);
        if end.is_some() {
            book.open = book.open.saturating_sub(1);
        } else if matches!(step.event, crate::jobs::machine::Event::Retry) {
            book.open += 1;
        }
        for kept in book.keys.values_mut().filter(|kept| kept.number == number && kept.id == id) {
            kept.end = end;
        }
    }

    /// Jobs that nobody works on any more.
    pub(crate) fn abandon(&self) {
        self.lock().open = 0;
    }

    pub(super) fn erase(&self, id: JobId) -> Swept {
        Swept { jobs: vec![id.to_string()], ..Swept::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn bound(&mut self) {
        while self.keys.len() > KEYS {
            let ended = self.keys.iter().filter(|(_, kept)| kept.end.is_some());
            let Some(oldest) = ended.min_by_key(|(_, kept)| kept.number).map(|(key, _)| key.clone()) else {
                return;
            };
            self.keys.remove(&oldest);
        }
    }
}
