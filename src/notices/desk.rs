//! Where notices are raised, cleared and read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::watch, time::Instant};

use crate::{
    error::Error,
    hub::Hub,
    model::{
        BackendId, Code, EventBody,
        notice::{Notice, NoticeId, Severity},
    },
    notices::{
        book::{Book, Turn},
        draft::Draft,
        group::{Group, Mute},
        moment::Moment,
    },
};

/// Which notices are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// The open ones that nobody has hidden.
    #[default]
    Shown,
    /// All: hidden and ended ones too.
    All,
}

/// Where the parts of Backline raise and clear notices. Cheap to clone; no call waits for anything but a short lock.
#[derive(Clone)]
pub struct Desk(Arc<Shared>);

struct Shared {
    book: Mutex<Book>,
    hub: Arc<Hub>,
    /// The book's revision, for those who write it down or wait for what is owed.
    changes: watch::Sender<u64>,
}

impl Desk {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self(Arc::new(Shared { book: Mutex::default(), hub, changes: watch::Sender::new(0) }))
    }

    /// One more occurrence of a cause. The first opens a notice; the others are counted.
    pub fn raise(&self, draft: Draft) {
        self.change(|book, now| book.raise(draft, now));
    }

    /// The cause is gone: its notices end, whatever their subject. Nothing happens where there is none.
    pub fn clear(&self, code: Code, backend: Option<&BackendId>) {
        self.change(|book, now| book.clear(code, backend, now));
    }

    /// As [`Self::clear`], for one subject.
    pub fn clear_subject(&self, code: Code, backend: Option<&BackendId>, subject: &str) {
        self.clear_subjects(code, backend, |own| own == Some(subject));
    }

    /// As [`Self::clear`], where the subject fits.
    pub(crate) fn clear_subjects(
        &self,
        code: Code,
        backend: Option<&BackendId>,
        fits: impl Fn(Option<&str>) -> bool,
    ) {
        self.change(|book, now| book.clear_subjects(code, backend, now, fits));
    }

    /// The notices: open ones first, the worst at the top; then ended ones, the newest at the top.
    pub fn list(&self, wanted: Wanted) -> Vec<Notice> {
        let now = Moment::now();
        let book = self.lock();
        let mut list = book.open(now);
        match wanted {
            Wanted::Shown => list.retain(|n| n.hidden.is_none()),
            Wanted::All => list.extend(book.ended().cloned()),
        }
        list
    }

    /// Hides a notice until its cause comes again after its end.
    ///
    /// # Errors
    /// No notice has this id.
    pub fn dismiss(&self, id: &str) -> Result<Notice, Error> {
        self.person(id, |book, id, now| match book.dismiss(id, now) {
            Some(notice) => Some(notice),
            // One that has ended needs no hiding.
            None => book.find(id, now),
        })
    }

    /// Hides a notice's cause at its backend, for a time or for good; `None` takes that off again.
    ///
    /// # Errors
    /// No notice has this id.
    pub fn mute(&self, id: &str, mute: Option<Mute>) -> Result<Notice, Error> {
        self.person(id, |book, id, now| book.mute(id, mute, now))
    }

    /// Ends every notice whose group fits.
    pub(crate) fn clear_where(&self, fits: impl Fn(&Group) -> bool) {
        self.change(|book, now| book.clear_where(now, fits));
    }

    /// Tells what has become due, and says when the next is.
    pub(crate) fn catch_up(&self) -> Option<Instant> {
        let now = Moment::now();
        let mut book = self.lock();
        let turns = book.due(now);
        self.publish(&turns);
        book.next_due(now)
    }

    /// The book's revision, as it changes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// What changed since the last call, to be written down; nothing before the past was read.
    #[cfg(feature = "state")]
    pub(crate) fn unsaved(&self, saved: &mut super::keep::Saved) -> Option<super::keep::Delta> {
        let book = self.lock();
        book.is_restored().then(|| saved.delta(&book)).flatten()
    }

    /// Takes in what an earlier run left.
    #[cfg(feature = "state")]
    pub(crate) fn restore(&self, notices: Vec<Notice>, mutes: Vec<(Group, Mute)>) {
        self.change(|book, now| {
            book.restore(notices, mutes, now);
            Vec::new()
        });
    }

    /// Whether what an earlier run left has been taken in.
    #[cfg(feature = "state")]
    pub(crate) fn is_restored(&self) -> bool {
        self.lock().is_restored()
    }

    fn person(
        &self,
        id: &str,
        act: impl FnOnce(&mut Book, NoticeId, Moment) -> Option<Notice>,
    ) -> Result<Notice, Error> {
        let unknown = || Error::UnknownNotice { id: crate::model::fault::clean(id, 80) };
        let name = id.parse().map_err(|_| unknown())?;
        let mut book = self.lock();
        let done = act(&mut book, name, Moment::now()).ok_or_else(unknown);
        self.changed(&book);
        done
    }

    fn change(&self, act: impl FnOnce(&mut Book, Moment) -> Vec<Turn>) {
        let mut book = self.lock();
        let turns = act(&mut book, Moment::now());
        // Under the lock: a raise and the clear after it must not overtake each other on the way.
        self.publish(&turns);
        self.changed(&book);
    }

    fn changed(&self, book: &Book) {
        let revision = book.revision();
        self.0.changes.send_if_modified(|seen| std::mem::replace(seen, revision) != revision);
    }

    fn publish(&self, turns: &[Turn]) {
        for turn in turns {
            let body = match turn {
                Turn::Raised(notice) => {
                    log(notice);
                    EventBody::NoticeRaised(Box::new(notice.clone()))
                }
                Turn::Recounted(notice) => EventBody::NoticeRaised(Box::new(notice.clone())),
                Turn::Cleared(notice) => {
                    tracing::info!(code = %notice.code, backend = of(notice), count = notice.count, "notice ended");
                    EventBody::NoticeCleared(Box::new(notice.clone()))
                }
            };
            self.0.hub.tell(body);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("book", &*self.lock()).finish()
    }
}

fn of(notice: &Notice) -> &str {
    notice.backend.as_ref().map_or("", BackendId::as_str)
}

/// Each notice once, in its own words.
fn log(notice: &Notice) {
    let (code, backend) = (notice.code, of(notice));
    let (message, fix) = (&notice.message, &notice.fix);
    match notice.severity {
        Severity::Error => tracing::error!(%code, backend, what = %message, %fix, "notice"),
        Severity::Warning => tracing::warn!(%code, backend, what = %message, %fix, "notice"),
        Severity::Info => tracing::info!(%code, backend, what = %message, %fix, "notice"),
    }
}
