//! The jobs that are remembered: what is known of each outlives the actor that works on them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use crate::{jobs::board::Board, model::JobId};

/// Ended jobs that are remembered in memory, give or take a sixteenth of all.
pub(crate) const REMEMBERED: usize = 1_000;
/// The part of all jobs that may come or end before it is counted again how many have ended.
const SLACK: usize = 16;

/// One job: its board, and its number in the journal once it has one.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) board: Arc<Board>,
    pub(crate) number: i64,
}

/// The jobs that are remembered, in the order of their acceptance.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    kept: IndexMap<JobId, Kept>,
    /// Calls of [`Shelf::bound`] since the ended ones were counted.
    calls: usize,
}

impl Shelf {
    /// Keeps a job, and answers the board of it: the first one, where two readers of the journal made one each.
    pub(crate) fn put(&self, board: Arc<Board>, number: i64) -> Arc<Board> {
        self.lock().kept.entry(board.id()).or_insert(Kept { board, number }).board.clone()
    }

    pub(crate) fn get(&self, id: JobId) -> Option<Kept> {
        self.lock().kept.get(&id).cloned()
    }

    pub(crate) fn take(&self, id: JobId) -> Option<Kept> {
        self.lock().kept.shift_remove(&id)
    }

    pub(crate) fn all(&self) -> Vec<Kept> {
        self.lock().kept.values().cloned().collect()
    }

    /// Forgets the oldest ended ones where there are too many. To be called for each job that came or ended; most calls
    /// look at none, since with ten thousand open jobs each would look at ten thousand.
    pub(crate) fn bound(&self) {
        let mut rows = self.lock();
        rows.calls += 1;
        if rows.kept.len() <= REMEMBERED || rows.calls * SLACK < rows.kept.len() {
            return;
        }
        rows.calls = 0;
        let ended = |one: &Kept| one.board.status().state.is_end();
        let mut surplus = rows.kept.values().filter(|one| ended(one)).count().saturating_sub(REMEMBERED);
        rows.kept.retain(|_, one| {
            let old = surplus > 0 && ended(one);
            surplus -= usize::from(old);
            !old
        });
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hub::Hub, model::JobState};

    #[test]
    fn ended_jobs_are_bounded_and_open_ones_stay() {
        let (shelf, hub) =
            (Shelf::default(), Arc::new(Hub::new(backline_supervisors::TreeSnapshot::down("root"))));
        for number in 0..5_000 {
            let board = Board::new(JobId::random(), "a", "chat", "kept in memory", hub.clone());
            if number % 2 == 0 {
                board.end(JobState::Done, "done", None);
            }
            shelf.put(board, number);
            shelf.bound();
        }
        let ended = |one: &&Kept| one.board.status().state.is_end();
        let all = shelf.all();
        let count = all.iter().filter(ended).count();
        assert_eq!(all.len() - count, 2_500, "an open one was forgotten");
        assert!((REMEMBERED..REMEMBERED + all.len() / SLACK).contains(&count), "{count} of {}", all.len());
        assert_eq!(all.iter().rfind(ended).unwrap().number, 4_998, "the newest are kept");
    }
}
