//! The histories of all backends of one supervisor: written where things happen, read by anybody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    chapter::{Chapter, Figures, timestamp},
    clock::{Clock, Moment},
    report::HistoryReport,
    tier::Keep,
    timeline::Step,
};
use crate::model::{BackendId, BackendStatus, Phase};

/// The histories of all backends. Like the metrics it is a cell and no actor's own: a probe never waits for it, and a
/// crash of the actor that keeps it in shape loses no sample.
pub(crate) struct Chronicle {
    begun: Instant,
    book: Mutex<Book>,
}

struct Book {
    clock: Clock,
    keep: Keep,
    chapters: HashMap<BackendId, Arc<Mutex<Chapter>>>,
}

impl Chronicle {
    pub(crate) fn new() -> Self {
        let clock = Clock::new(Timestamp::now().as_millisecond());
        let book = Book { clock, keep: Keep::default(), chapters: HashMap::new() };
        Self { begun: Instant::now(), book: Mutex::new(book) }
    }

    /// Keeps so much from now on. What is too old for it goes with the next tick.
    pub(crate) fn keep(&self, keep: Keep) {
        let mut book = self.book();
        book.keep = keep;
        book.chapters.values().for_each(|chapter| lock(chapter).tiers.keep(keep));
    }

    /// A backend entered a phase.
    pub(crate) fn entered(&self, status: &BackendStatus) {
        let code = status.reason.as_ref().and(status.last_error.as_ref()).map(|e| e.code.as_str());
        self.open(&status.id, |chapter, now| {
            // Not begun: nothing is recorded until it is.
            if status.phase != Phase::Idle || chapter.phase().is_some() {
                let at = timestamp(now.at_ms);
                chapter.entered(now, Step::new(at, status.phase, code, status.reason.as_deref()));
            }
        });
    }

    /// A probe of a backend was answered after so long, or was not.
    pub(crate) fn probed(&self, id: &BackendId, answer: Option<Duration>) {
        self.open(id, |chapter, now| chapter.probed(now, answer));
    }

    #[allow(dead_code, reason = "sessions tell it next")]
    /// A request of a session was answered after so long.
    pub(crate) fn requested(&self, id: &BackendId, took: Duration) {
        self.open(id, |chapter, now| chapter.requested(now, took));
    }

    /// A job on a backend ended well after so long.
    pub(crate) fn job_ended(&self, id: &BackendId, took: Duration) {
        self.open(id, |chapter, now| chapter.job_ended(now, took));
    }

    /// Drops the histories of those who are gone.
    pub(crate) fn retain(&self, wanted: impl Fn(&BackendId) -> bool) {
        self.book().chapters.retain(|id, _| wanted(id));
    }

    /// What the snapshot shows of each backend now.
    pub(crate) fn figures(&self, id: &BackendId) -> Option<Figures> {
        self.look(id, |chapter, now| chapter.figures(now))
    }

    /// The history of a backend over a window ending now. Empty before its first phase.
    pub(crate) fn report(&self, id: &BackendId, window: Duration) -> HistoryReport {
        self.open(id, |chapter, now| chapter.report(id.clone(), now, window))
    }

    /// Changes a backend's history, which begins with that.
    pub(super) fn open<T>(&self, id: &BackendId, change: impl FnOnce(&mut Chapter, Moment) -> T) -> T {
        let (chapter, now) = {
            let mut book = self.book();
            let (now, keep) = (self.now(&mut book), book.keep);
            let begin = || Arc::new(Mutex::new(Chapter::new(keep, now)));
            (book.chapters.entry(id.clone()).or_insert_with(begin).clone(), now)
        };
        change(&mut lock(&chapter), now)
    }

    /// Changes a backend's history where it has begun.
    pub(super) fn look<T>(
        &self,
        id: &BackendId,
        change: impl FnOnce(&mut Chapter, Moment) -> T,
    ) -> Option<T> {
        let (chapter, now) = {
            let mut book = self.book();
            (book.chapters.get(id)?.clone(), self.now(&mut book))
        };
        Some(change(&mut lock(&chapter), now))
    }

    fn now(&self, book: &mut Book) -> Moment {
        book.clock.read(self.begun.elapsed(), Timestamp::now().as_millisecond())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(chapter: &Mutex<Chapter>) -> MutexGuard<'_, Chapter> {
    chapter.lock().unwrap_or_else(PoisonError::into_inner)
}
