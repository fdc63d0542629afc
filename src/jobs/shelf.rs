//! The jobs that are remembered: what is known of each outlives the actor that works on them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use crate::{jobs::board::Board, model::JobId};

/// Ended jobs that are remembered in memory.
pub(crate) const REMEMBERED: usize = 1_000;

/// One job: its board, and its number in the journal once it has one.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) board: Arc<Board>,
    pub(crate) number: i64,
}

/// The jobs that are remembered, in the order of their acceptance.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<IndexMap<JobId, Kept>>);

impl Shelf {
    /// Keeps a job, and answers the board of it: the first one, where two readers of the journal made one each.
    pub(crate) fn put(&self, board: Arc<Board>, number: i64) -> Arc<Board> {
        self.lock().entry(board.id()).or_insert(Kept { board, number }).board.clone()
    }

    pub(crate) fn get(&self, id: JobId) -> Option<Kept> {
        self.lock().get(&id).cloned()
    }

    pub(crate) fn take(&self, id: JobId) -> Option<Kept> {
        self.lock().shift_remove(&id)
    }

    pub(crate) fn all(&self) -> Vec<Kept> {
        self.lock().values().cloned().collect()
    }

    /// Forgets the oldest ended ones where there are too many.
    pub(crate) fn bound(&self) {
        let mut kept = self.lock();
        let ended = |one: &Kept| one.board.status().state.is_end();
        let mut surplus = kept.values().filter(|one| ended(one)).count().saturating_sub(REMEMBERED);
        kept.retain(|_, one| {
            let old = surplus > 0 && ended(one);
            surplus -= usize::from(old);
            !old
        });
    }

    fn lock(&self) -> MutexGuard<'_, IndexMap<JobId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
