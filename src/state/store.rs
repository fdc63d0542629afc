//! The handle on the state database.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use rusqlite::{Connection, Transaction};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use super::{
    Cause, Condition, Serving, Trouble,
    bench::Place,
    order::{Asked, Lazy},
    shared::{Line, Shared},
};

/// How long a caller waits for a place in the queue, and again for the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state database. Cheap to clone, and good across restarts of its owner.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

impl Store {
    /// Opens the database in a state directory, which is made where it is missing. Trouble with the disk is no error:
    /// it is the store's [`Condition`], and is retried. Nothing is done until an owner [serves](Self::serve).
    ///
    /// # Cancel safety
    /// Dropping the future may leave a new, empty database.
    ///
    /// # Errors
    /// What does not pass by itself: a newer or foreign database, another process, an unsafe directory.
    pub async fn open(directory: impl Into<PathBuf>) -> Result<Self, Trouble> {
        Self::at(Place::Directory(directory.into())).await
    }

    /// A database that ends with the process.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// None is known.
    pub async fn in_memory() -> Result<Self, Trouble> {
        Self::at(Place::Memory).await
    }

    async fn at(place: Place) -> Result<Self, Trouble> {
        let opened = tokio::task::spawn_blocking(move || Shared::open(place)).await;
        let shared = opened.map_err(|e| {
            Trouble::new("the state database", Cause::Rejected, format!("its opening failed: {e}"))
        })?;
        if let Condition::Refusing { cause, .. } = &*shared.condition.borrow()
            && (!cause.is_retryable() || cause.cause() == Cause::InUse)
        {
            return Err(cause.clone());
        }
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Makes an owner that works for this store. In a [`Supervisor`](crate::Supervisor) an actor keeps it; one at a
    /// time.
    #[must_use = "dropped, it serves nobody"]
    pub fn serve(&self) -> Serving {
        Serving::start(self.shared.clone(), |_| {})
    }

    /// Ends all at once: what waits is not done, and the directory is given back.
    pub(crate) fn hang_up(&self) {
        self.shared.hang_up();
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Writes: durable once it is Ok. Writes that wait together share one transaction; an operation that fails undoes
    /// only what itself did. `what` names it in messages: "the job's intent".
    ///
    /// The operation runs once, on another thread, and blocks all others: it only reads and writes the database.
    ///
    /// # Cancel safety
    /// Dropping the future, it may happen or not.
    ///
    /// # Errors
    /// [`Trouble`]: the operation's own error, or the database's, at once while it is refusing. Its
    /// [`outcome`](Trouble::outcome) says whether the write may have happened all the same.
    pub async fn write<T: Send + 'static>(
        &self,
        what: &'static str,
        op: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Trouble> {
        self.ask(what, op, Line::Writes).await.map_err(|trouble| match trouble.cause() {
            Cause::Slow => trouble.doubtful(),
            _ => trouble,
        })
    }

    /// Reads what was written and acknowledged; lazy writes show when they are done. The operation sees one state
    /// of the database, and cannot change it.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// [`Trouble`], at once while the database is refusing.
    pub async fn read<T: Send + 'static>(
        &self,
        what: &'static str,
        op: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Trouble> {
        self.ask(what, move |on: &Transaction<'_>| op(on), Line::Reads).await
    }

    /// Writes some time: gathered for a second, never in the way of a durable write, kept across trouble with the disk
    /// and done again after it. Where more than 8192 wait, the oldest is [dropped](Self::dropped) and counted. A power
    /// failure may take the last ones.
    pub fn later(
        &self,
        what: &'static str,
        op: impl Fn(&Transaction<'_>) -> rusqlite::Result<()> + Send + 'static,
    ) {
        self.shared.push_lazy(Lazy { what, op: Box::new(op) });
    }

    /// Waits until the lazy writes that wait now are done, or are given back in trouble, at most `limit`. Says whether
    /// all were done.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn flush(&self, limit: Duration) -> bool {
        timeout(limit, self.shared.flushed()).await.is_ok()
    }

    /// The condition of the database, as it changes.
    pub fn watch(&self) -> watch::Receiver<Condition> {
        self.shared.condition.subscribe()
    }

    /// How many lazy writes were dropped since the start.
    pub fn dropped(&self) -> watch::Receiver<u64> {
        self.shared.queue().dropped.subscribe()
    }

    async fn ask<T: Send + 'static>(
        &self,
        what: &'static str,
        op: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
        line: Line,
    ) -> Result<T, Trouble> {
        let place = timeout(PATIENCE, self.shared.places.clone().acquire_owned())
            .await
            .map_err(|_| {
                Trouble::new(what, Cause::Busy, format!("no place in the queue within {PATIENCE:?}"))
            })?
            .expect("the semaphore is never closed");
        let (reply, answer) = oneshot::channel();
        self.shared.push(Box::new(Asked { what, op: Some(op), result: None, reply, _place: place }), line);
        match timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                Err(Trouble::new(what, Cause::Closed, "its owner ended before it was done").doubtful())
            }
            Err(_) => {
                Err(Trouble::new(what, Cause::Slow, format!("the disk did not answer within {PATIENCE:?}")))
            }
        }
    }
}

#[cfg(any(test, feature = "sim"))]
impl Store {
    /// For a test: the nth commit from now fails (from 1), and `times - 1` more after it, as if the disk did.
    pub fn fail_commits(&self, nth: u64, times: u64) {
        self.shared.seam.fail_commits(nth, times);
    }

    /// For a test: the next openings fail, as if the disk did.
    pub fn fail_openings(&self, times: u64) {
        self.shared.seam.fail_openings(times);
    }

    /// For a test: how many failures were played so far.
    pub fn failures_played(&self) -> u64 {
        self.shared.seam.played()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("condition", &*self.shared.condition.borrow()).finish()
    }
}

#[cfg(test)]
mod tests;
