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
    reel::Past,
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
    archive: Archive,
    chapters: HashMap<BackendId, Arc<Mutex<Chapter>>>,
}

/// Whether what happens is noted for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Archive {
    Off,
    On,
    /// And what earlier runs left was read.
    Read,
}

impl Chronicle {
    pub(crate) fn new() -> Self {
        let clock = Clock::new(Timestamp::now().as_millisecond());
        let book = Book { clock, keep: Keep::default(), archive: Archive::Off, chapters: HashMap::new() };
        Self { begun: Instant::now(), book: Mutex::new(book) }
    }

    /// Keeps so much from now on. What is too old for it goes with the next tick.
    pub(crate) fn keep(&self, keep: Keep) {
        let mut book = self.book();
        book.keep = keep;
        book.chapters.values().for_each(|chapter| lock(chapter).tiers.keep(keep));
    }

    /// Notes from now on what is to be kept on disk; said before anything happens. Asked again, it changes nothing.
    pub(crate) fn archive(&self) {
        let mut book = self.book();
        if book.archive == Archive::Off {
            book.archive = Archive::On;
            book.chapters.values().for_each(|chapter| lock(chapter).tiers.archive());
        }
    }

    /// What earlier runs left was read.
    pub(super) fn read(&self) {
        self.book().archive = Archive::Read;
    }

    /// Whether it was: a restarted actor must not add it again.
    pub(super) fn was_read(&self) -> bool {
        self.book().archive == Archive::Read
    }

    /// Puts what earlier runs measured before a backend's history.
    pub(super) fn absorb(&self, id: &BackendId, past: &Past) {
        self.open(id, |chapter, now| chapter.absorb(past, now));
    }

    /// The time now, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        self.now(&mut self.book()).at_ms
    }

    /// What is kept of each tier.
    pub(super) fn kept(&self) -> [Duration; 3] {
        let keep = self.book().keep;
        [keep.seconds, keep.tens, keep.minutes]
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
            let (now, keep, archive) = (self.now(&mut book), book.keep, book.archive);
            let begin = || {
                let mut chapter = Chapter::new(keep, now);
                if archive != Archive::Off {
                    chapter.tiers.archive();
                }
                Arc::new(Mutex::new(chapter))
            };
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
