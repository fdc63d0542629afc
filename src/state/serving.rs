//! The owner at work: one loop that takes what waits to the database, and nobody else does.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Trouble, batch,
    shared::Shared,
    turn::{self, Turn},
};
use crate::connection::alarm::Task;

/// The owner of a store at work. Dropping it stops it after the batch that it is at; the store then waits for another.
pub struct Serving {
    shared: Arc<Shared>,
    ended: watch::Receiver<End>,
    _task: Task,
}

/// How the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    NotYet,
    Closed,
    /// It was aborted, or it panicked.
    Broken,
}

impl Serving {
    pub(super) fn start(shared: Arc<Shared>, told: impl FnOnce(End) + Send + 'static) -> Self {
        let (tell, ended) = watch::channel(End::NotYet);
        let leaving = Leaving { tell, told: Some(Box::new(told)), end: End::Broken };
        let work = shared.clone();
        shared.reopen_intake();
        let task = Task::spawn(async move {
            work_at(&work).await;
            leaving.orderly();
        });
        Self { shared, ended, _task: task }
    }

    /// Takes what waits to the disk, lazy writes as far as `limit` allows, and closes the database.
    ///
    /// # Cancel safety
    /// Dropping the future drops the owner: what waits stays where it is.
    pub async fn close(self, limit: Duration) {
        self.begin_close(limit);
        let mut ended = self.ended.clone();
        // An owner that is gone needs no close.
        let _ = tokio::time::timeout(limit, ended.wait_for(|end| *end != End::NotYet)).await;
    }

    pub(super) fn begin_close(&self, limit: Duration) {
        self.shared.begin_close(Instant::now() + limit);
    }
}

/// Says how the loop ended, however it ended.
struct Leaving {
    tell: watch::Sender<End>,
    told: Option<Box<dyn FnOnce(End) + Send>>,
    end: End,
}

impl Leaving {
    fn orderly(mut self) {
        self.end = End::Closed;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.tell.send_replace(self.end);
        if let Some(told) = self.told.take() {
            told(self.end);
        }
    }
}

async fn work_at(shared: &Arc<Shared>) {
    loop {
        let turn = turn::next(shared.queue().view(), Instant::now());
        match turn {
            Turn::End => return,
            Turn::Wait(Some(until)) => tokio::select! {
                () = shared.bell.notified() => {}
                () = sleep_until(until) => {}
            },
            Turn::Wait(None) => shared.bell.notified().await,
            Turn::Asked => blocking(shared, asked).await,
            Turn::Lazy => blocking(shared, lazy).await,
            Turn::Open => blocking(shared, open).await,
            Turn::Close => blocking(shared, close).await,
        }
    }
}

/// Runs a piece of work where it may block.
async fn blocking(shared: &Arc<Shared>, work: impl FnOnce(&Shared) + Send + 'static) {
    let shared = shared.clone();
    let done = tokio::task::spawn_blocking(move || {
        work(&shared);
        shared.leave_if_closed();
    });
    if let Err(error) = done.await {
        match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down: this task ends with it.
            Err(_) => std::future::pending().await,
        }
    }
}

fn asked(shared: &Shared) {
    let bench = shared.bench();
    let Some(connection) = bench.connection() else {
        drop(bench);
        return open(shared);
    };
    let (writes, reads) = shared.queue().take_some();
    let (answers, outcome) = batch::durable(connection, writes, &shared.seam);
    if let Err(trouble) = outcome {
        drop(bench);
        let answers = answers.into_iter().chain(batch::fail(reads, &trouble)).collect();
        return refuse(shared, trouble, answers);
    }
    // They wait for no read.
    batch::tell(answers);
    let (answers, outcome) = batch::reads(connection, reads);
    let outcome = outcome.and_then(|()| bench.tidy());
    drop(bench);
    match outcome {
        Ok(()) => batch::tell(answers),
        Err(trouble) => refuse(shared, trouble, answers),
    }
}

fn lazy(shared: &Shared) {
    let bench = shared.bench();
    let writes = shared.queue().take_lazy();
    let Some(connection) = bench.connection() else {
        shared.queue().give_back(writes);
        drop(bench);
        return open(shared);
    };
    let (back, outcome) = batch::lazy(connection, writes, &shared.seam, || shared.is_urgent());
    let outcome = outcome.and_then(|()| bench.tidy());
    drop(bench);
    shared.queue().give_back(back);
    shared.rested.notify_waiters();
    if let Err(trouble) = outcome {
        refuse(shared, trouble, Vec::new());
    }
}

/// The database is closed. Who asked is told when the condition says so, too.
fn refuse(shared: &Shared, trouble: Trouble, answers: batch::Answers) {
    shared.bench().discard();
    shared.refuse(trouble);
    batch::tell(answers);
}

fn open(shared: &Shared) {
    let opened = shared.bench().open(&shared.seam);
    match opened {
        Ok(opening) => shared.opened(opening),
        Err(trouble) => shared.refuse(trouble),
    }
}

fn close(shared: &Shared) {
    shared.bench().close();
    shared.closed();
}
