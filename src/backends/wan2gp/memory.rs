//! What outlives a session: the server's names for our jobs, and how far we saw them.
//!
//! The server mints the id of a job and has no list of them: a job whose answer was lost cannot be found again. And it
//! keeps its jobs for as long as it lives, so an id that it does not know was given by a process that is gone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use tokio::time::Instant;

use crate::backends::wan2gp::watched::Watched;

/// The most jobs that are remembered.
const JOBS_CAP: usize = 1_024;

/// What outlives a session.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<IndexMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    standing: Standing,
    wish: Wish,
    watched: Watched,
    death: Option<Instant>,
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is being made ready, and nothing of it was sent.
    Preparing,
    /// It was sent, and no answer came yet.
    Sent,
    /// The server has it, under this id.
    Known(String),
}

/// What its owner wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Run,
    Cancel,
}

impl Memory {
    /// A job is being made ready.
    pub(super) fn prepare(&self, remote: &str) {
        let mut jobs = self.lock();
        if jobs.len() >= JOBS_CAP {
            jobs.shift_remove_index(0);
        }
        let entry = Entry {
            standing: Standing::Preparing,
            wish: Wish::Run,
            watched: Watched::default(),
            death: None,
        };
        jobs.insert(remote.to_owned(), entry);
    }

    /// A job of another process of ours, which left us the server's own id.
    pub(super) fn adopt(&self, job: &str) {
        if self.standing(job).is_none() {
            self.prepare(job);
            self.stands(job, Standing::Known(job.to_owned()));
        }
    }

    pub(super) fn stands(&self, remote: &str, standing: Standing) {
        self.change(remote, |entry| entry.standing = standing);
    }

    /// It was seen under way, and so far.
    pub(super) fn looked(&self, remote: &str, percent: Option<f64>) {
        let now = Instant::now();
        self.change(remote, |entry| entry.watched.look(now, percent));
    }

    /// The server is gone: nothing listens any more where a moment ago it did.
    pub(super) fn died(&self) {
        let now = Instant::now();
        self.lock().values_mut().for_each(|entry| {
            entry.death.get_or_insert(now);
        });
    }

    /// Whether we watched it, unfinished, up to its server's death. Where nobody saw the death it was before now.
    pub(super) fn died_unfinished(&self, remote: &str) -> bool {
        let now = Instant::now();
        let jobs = self.lock();
        jobs.get(remote).is_some_and(|e| e.watched.unfinished_at(e.death.unwrap_or(now)))
    }

    pub(super) fn standing(&self, remote: &str) -> Option<Standing> {
        self.lock().get(remote).map(|entry| entry.standing.clone())
    }

    /// Wants it cancelled; says what is known of it.
    pub(super) fn wish_cancel(&self, remote: &str) -> Option<Standing> {
        let mut jobs = self.lock();
        let entry = jobs.get_mut(remote)?;
        entry.wish = Wish::Cancel;
        Some(entry.standing.clone())
    }

    pub(super) fn wish(&self, remote: &str) -> Wish {
        self.lock().get(remote).map_or(Wish::Run, |entry| entry.wish)
    }

    /// It is over; nothing more will be asked of it.
    pub(super) fn forget(&self, remote: &str) {
        self.lock().shift_remove(remote);
    }

    fn change(&self, remote: &str, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().get_mut(remote) {
            change(entry);
        }
    }

    fn lock(&self) -> MutexGuard<'_, IndexMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
