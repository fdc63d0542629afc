//! What the handles of a store share with its owner. It outlives each incarnation of the owner.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{
    sync::{Notify, Semaphore, watch},
    time::Instant,
};

use super::{
    Condition, Opening, Trouble,
    bench::{Bench, Place},
    order::{Lazy, Order},
    queue::{PLACES, Queue},
    seam::Seam,
    turn::{Standing, backoff},
};

pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// Rung when something came.
    pub(super) bell: Notify,
    pub(super) places: Arc<Semaphore>,
    bench: Mutex<Bench>,
    pub(super) condition: watch::Sender<Condition>,
    pub(super) seam: Seam,
}

impl Shared {
    /// Opens the database, or notes why not.
    pub(super) fn open(place: Place) -> Self {
        let mut bench = Bench::new(place);
        let seam = Seam::default();
        let opened = bench.open(&seam);
        let shared = Self {
            queue: Mutex::new(Queue::new(Standing::Open, None)),
            bell: Notify::new(),
            places: Arc::new(Semaphore::new(PLACES)),
            bench: Mutex::new(bench),
            condition: watch::Sender::new(Condition::Closed),
            seam,
        };
        match opened {
            Ok(opening) => shared.opened(opening),
            Err(trouble) => shared.refuse(trouble),
        }
        shared
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Taken only where a thread may block.
    pub(super) fn bench(&self) -> MutexGuard<'_, Bench> {
        self.bench.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody waits for an answer.
    pub(super) fn is_urgent(&self) -> bool {
        self.queue().view().asked > 0
    }

    pub(super) fn push(&self, order: Box<dyn Order>, line: Line) {
        let mut queue = self.queue();
        if let Some(refusal) = &queue.refusal {
            let trouble = refusal.about(order.what());
            drop(queue);
            return order.answer(Err(trouble));
        }
        match line {
            Line::Writes => queue.writes.push_back(order),
            Line::Reads => queue.reads.push_back(order),
        }
        drop(queue);
        self.bell.notify_one();
    }

    pub(super) fn push_lazy(&self, lazy: Lazy) {
        self.queue().push_lazy(lazy);
        self.bell.notify_one();
    }

    pub(super) fn opened(&self, opening: Opening) {
        let mut queue = self.queue();
        if !matches!(queue.standing, Standing::Closing { .. }) {
            queue.standing = Standing::Open;
        }
        queue.refusal = None;
        queue.failures = 0;
        drop(queue);
        self.condition.send_replace(Condition::Open { opening: Arc::new(opening) });
    }

    /// Takes nothing until the next try, and tells everybody who waits.
    pub(super) fn refuse(&self, trouble: Trouble) {
        let mut queue = self.queue();
        queue.failures += 1;
        let wait = backoff(queue.failures);
        queue.standing = match queue.standing {
            // It was to be closed anyway.
            Standing::Closing { .. } => Standing::Closing { deadline: Instant::now() },
            _ => Standing::Refusing { retry: Instant::now() + wait },
        };
        let first = queue.refusal.is_none();
        queue.refusal = Some(trouble.clone());
        let asked = queue.take_asked();
        drop(queue);
        for order in asked {
            let what = order.what();
            order.answer(Err(trouble.about(what)));
        }
        if first {
            tracing::error!(%trouble, fix = trouble.fix(), "nothing can be kept in the state database");
        }
        self.show_refusing(trouble, wait);
    }

    fn show_refusing(&self, cause: Trouble, wait: std::time::Duration) {
        let now = jiff::Timestamp::now();
        let next_try = now.saturating_add(wait).unwrap_or(now);
        self.condition.send_modify(|condition| {
            let since = match condition {
                Condition::Refusing { since, .. } => *since,
                _ => now,
            };
            *condition = Condition::Refusing { cause, since, next_try };
        });
    }

    pub(super) fn begin_close(&self, deadline: Instant) {
        self.queue().standing = Standing::Closing { deadline };
        self.bell.notify_one();
    }

    /// A new owner: what was closed is opened again.
    pub(super) fn reopen_intake(&self) {
        let mut queue = self.queue();
        if matches!(queue.standing, Standing::Closing { .. } | Standing::Closed) {
            queue.standing = Standing::Refusing { retry: Instant::now() };
        }
    }
}

/// Which of the two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Writes,
    Reads,
}
