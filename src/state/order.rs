//! What waits to be done with the database: an operation, and who waits for its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Transaction;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Cause, Trouble, sorting};

/// A read or a durable write of somebody who waits.
pub(super) trait Order: Send {
    fn what(&self) -> &'static str;
    /// Whoever asked has gone.
    fn is_deserted(&self) -> bool;
    /// Does it; the result is kept until the answer.
    fn run(&mut self, on: &Transaction<'_>) -> Result<(), Failure>;
    /// Tells the result, or why there is none.
    fn answer(self: Box<Self>, verdict: Result<(), Trouble>);
}

/// How an operation failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It alone: its savepoint is rolled back.
    Own(Trouble),
    /// The database: the whole batch is lost.
    Database(Trouble),
}

impl Failure {
    pub(super) fn of(what: &str, error: &rusqlite::Error) -> Self {
        let trouble = sorting::trouble(what, error);
        if sorting::is_own(error) { Self::Own(trouble) } else { Self::Database(trouble) }
    }
}

/// Runs an operation; a panic in it is its own failure.
pub(super) fn guarded<T>(what: &str, op: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(op)) {
        Ok(result) => result.map_err(|e| Failure::of(what, &e)),
        Err(_) => Err(Failure::Own(Trouble::new(what, Cause::Rejected, "the operation panicked"))),
    }
}

/// One caller's operation, and the line to the caller.
pub(super) struct Asked<Op, T> {
    pub(super) what: &'static str,
    pub(super) op: Option<Op>,
    pub(super) result: Option<T>,
    pub(super) reply: oneshot::Sender<Result<T, Trouble>>,
    /// The caller's place in the queue; given back with the answer.
    pub(super) _place: OwnedSemaphorePermit,
}

impl<Op, T> Order for Asked<Op, T>
where
    Op: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn what(&self) -> &'static str {
        self.what
    }

    fn is_deserted(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, on: &Transaction<'_>) -> Result<(), Failure> {
        let Some(op) = self.op.take() else { return Ok(()) };
        self.result = Some(guarded(self.what, || op(on))?);
        Ok(())
    }

    fn answer(self: Box<Self>, verdict: Result<(), Trouble>) {
        let (what, result) = (self.what, self.result);
        let undone = || Trouble::new(what, Cause::Closed, "it was never done");
        // Whoever asked may have stopped waiting.
        let _ = self.reply.send(verdict.and_then(|()| result.ok_or_else(undone)));
    }
}

/// A lazy write: it can be done again, and nobody waits for it.
pub(super) struct Lazy {
    pub(super) what: &'static str,
    pub(super) op: Again,
}

/// An operation that can be done again.
type Again = Box<dyn Fn(&Transaction<'_>) -> rusqlite::Result<()> + Send>;
