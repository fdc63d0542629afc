//! What waits for the database, and how much of it may wait.

use std::collections::VecDeque;

use tokio::{sync::watch, time::Instant};

use super::{
    Trouble,
    order::{Lazy, Order},
    turn::{Standing, View},
};

/// Writes and reads that may wait at once; who comes then waits for a place.
pub(super) const PLACES: usize = 1_024;
/// Lazy writes that may wait; the oldest goes then.
pub(super) const LAZY: usize = 8_192;
/// Operations of one transaction.
pub(super) const BATCH: usize = 256;

type Orders = Vec<Box<dyn Order>>;

/// What waits, and for what.
pub(super) struct Queue {
    pub(super) writes: VecDeque<Box<dyn Order>>,
    pub(super) reads: VecDeque<Box<dyn Order>>,
    pub(super) lazy: VecDeque<Lazy>,
    /// When the oldest lazy write came.
    pub(super) lazy_since: Option<Instant>,
    /// Lazy writes that are being done.
    pub(super) lazy_now: usize,
    /// Somebody wants the lazy writes done now.
    pub(super) hurry: Hurry,
    /// Lazy writes that were dropped since the start, for whoever tells a person.
    pub(super) dropped: watch::Sender<u64>,
    pub(super) standing: Standing,
    /// Troubles since the database was open last.
    pub(super) failures: u32,
    /// Why nothing is taken at present.
    pub(super) refusal: Option<Trouble>,
}

/// Whether lazy writes are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hurry {
    No,
    Yes,
}

impl Queue {
    pub(super) fn new(standing: Standing, refusal: Option<Trouble>) -> Self {
        Self {
            writes: VecDeque::new(),
            reads: VecDeque::new(),
            lazy: VecDeque::new(),
            lazy_since: None,
            lazy_now: 0,
            hurry: Hurry::No,
            dropped: watch::Sender::new(0),
            standing,
            failures: 0,
            refusal,
        }
    }

    pub(super) fn view(&self) -> View {
        View {
            asked: self.writes.len() + self.reads.len(),
            lazy: self.lazy.len(),
            lazy_since: self.lazy_since,
            hurry: self.hurry,
            standing: self.standing,
        }
    }

    /// Takes a lazy write; the oldest makes room for it where none is.
    pub(super) fn push_lazy(&mut self, lazy: Lazy) {
        if self.lazy.len() >= LAZY {
            self.lazy.pop_front();
            self.drop_more(1);
        }
        self.lazy.push_back(lazy);
        self.lazy_since.get_or_insert_with(Instant::now);
    }

    /// The next lazy writes.
    pub(super) fn take_lazy(&mut self) -> Vec<Lazy> {
        let some = self.lazy.len().min(BATCH);
        let taken: Vec<_> = self.lazy.drain(..some).collect();
        self.lazy_since = (!self.lazy.is_empty()).then(Instant::now);
        self.lazy_now = taken.len();
        taken
    }

    /// Gives back what could not be written, in front of what came since.
    pub(super) fn give_back(&mut self, back: Vec<Lazy>) {
        self.lazy_now = 0;
        for lazy in back.into_iter().rev() {
            self.lazy.push_front(lazy);
        }
        let surplus = self.lazy.len().saturating_sub(LAZY);
        self.lazy.drain(..surplus);
        self.drop_more(surplus as u64);
        if self.lazy.is_empty() {
            self.hurry = Hurry::No;
        } else {
            self.lazy_since.get_or_insert_with(Instant::now);
        }
    }

    fn drop_more(&self, more: u64) {
        self.dropped.send_if_modified(|dropped| {
            *dropped += more;
            more > 0
        });
    }

    /// The next durable writes and the reads.
    pub(super) fn take_some(&mut self) -> (Orders, Orders) {
        let some = self.writes.len().min(BATCH);
        (self.writes.drain(..some).collect(), self.reads.drain(..).collect())
    }

    /// All that waits for an answer.
    pub(super) fn take_asked(&mut self) -> Vec<Box<dyn Order>> {
        self.writes.drain(..).chain(self.reads.drain(..)).collect()
    }
}
