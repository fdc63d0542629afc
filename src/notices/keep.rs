//! Keeps the notices in the state database: reads what an earlier run left, once, and writes lazily what changes.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use ractor::ActorRef;
use tokio::time::Instant;

use crate::{
    connection::alarm::Task,
    model::{
        Notice,
        notice::{Hidden, NoticeId},
    },
    notices::{
        book::Book,
        desk::Desk,
        group::{Group, Mute},
        table::{self, Rows},
        watch::Msg,
    },
    state::{Store, Trouble},
};

/// Between writes: what changes faster is written together.
const GATHER: Duration = Duration::from_secs(1);
/// Before another try to read what an earlier run left.
const AGAIN: Duration = Duration::from_secs(5);

/// Reads once, then writes.
pub(super) struct Keeper {
    store: Store,
    saved: Saved,
    reading: Option<Task>,
    /// When it reads or writes next at the earliest.
    next: Option<Instant>,
}

impl Keeper {
    pub(super) fn new(store: Store) -> Self {
        Self { store, saved: Saved::default(), reading: None, next: None }
    }

    /// Does what is due, and says when to come again.
    pub(super) fn turn(&mut self, desk: &Desk, watcher: &ActorRef<Msg>, now: Instant) -> Option<Instant> {
        if let Some(next) = self.next.filter(|next| now < *next) {
            return Some(next);
        }
        if desk.is_restored() {
            // A change calls for the next turn; this only keeps the next write from coming too soon.
            self.next = self.save(desk).then(|| now + GATHER);
        } else if self.reading.is_none() {
            self.read(watcher.clone());
        }
        None
    }

    /// Takes in what was read; a failure is tried again.
    pub(super) fn restored(&mut self, desk: &Desk, outcome: Result<Rows, Trouble>) {
        self.reading = None;
        match outcome {
            Ok(rows) => desk.restore(rows.notices, rows.mutes),
            Err(trouble) => {
                tracing::debug!(%trouble, "the notices of the last run cannot be read yet");
                self.next = Some(Instant::now() + AGAIN);
            }
        }
    }

    /// Writes what changed; whether anything did.
    pub(super) fn save(&mut self, desk: &Desk) -> bool {
        let Some(delta) = desk.unsaved(&mut self.saved) else { return false };
        self.store.later("the notices", move |on| table::write(on, &delta));
        true
    }

    fn read(&mut self, watcher: ActorRef<Msg>) {
        let store = self.store.clone();
        self.reading = Some(Task::spawn(async move {
            let rows = store.read("the notices of the last run", table::read).await;
            // A watcher that is gone reads again when it comes back.
            let _ = watcher.cast(Msg::Restored(rows));
        }));
    }
}

/// What was handed to the database last, told by what changes of a notice.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    revision: Option<u64>,
    notices: HashMap<NoticeId, Stamp>,
    mutes: Vec<(Group, Mute)>,
}

type Stamp = (u64, Timestamp, Option<Timestamp>, Option<Hidden>);

/// What changed.
#[derive(Debug)]
pub(crate) struct Delta {
    pub(super) notices: Vec<Notice>,
    pub(super) mutes: Option<Vec<(Group, Mute)>>,
    pub(super) at: Timestamp,
}

impl Saved {
    /// What changed since the last call.
    pub(super) fn delta(&mut self, book: &Book) -> Option<Delta> {
        if self.revision.replace(book.revision()) == Some(book.revision()) {
            return None;
        }
        let (mut notices, mut stamps) = (Vec::new(), HashMap::new());
        for (notice, hidden) in book.kept() {
            let stamp = (notice.count, notice.last_at, notice.cleared_at, hidden);
            if self.notices.get(&notice.id) != Some(&stamp) {
                notices.push(Notice { hidden, ..notice.clone() });
            }
            stamps.insert(notice.id, stamp);
        }
        self.notices = stamps;
        let mutes: Vec<_> = book.mutes().map(|(group, mute)| (group.clone(), mute)).collect();
        let changed = (self.mutes != mutes).then(|| mutes.clone());
        self.mutes = mutes;
        Some(Delta { notices, mutes: changed, at: Timestamp::now() })
    }
}
