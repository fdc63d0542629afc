//! What an operation under way shares with its session: the session's end, its alarm, its count.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::model::{Class, Code, Fault};

/// What an operation under way shares with its session.
#[derive(Default)]
pub(super) struct Tie {
    over: CancellationToken,
    why: OnceLock<Fault>,
    alarm: Notify,
    flights: Arc<AtomicUsize>,
}

/// One operation under way; counted until it is dropped.
pub(super) struct Flight(Arc<AtomicUsize>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Tie {
    pub(super) fn fly(&self) -> Flight {
        self.flights.fetch_add(1, Relaxed);
        Flight(self.flights.clone())
    }

    pub(super) fn in_flight(&self) -> usize {
        self.flights.load(Relaxed)
    }

    /// Ends the session for this reason; the first one counts.
    pub(super) fn end(&self, why: Fault) {
        // A second reason changes nothing.
        let _ = self.why.set(why);
        self.over.cancel();
    }

    pub(super) fn ended(&self) -> Option<Fault> {
        self.why.get().cloned()
    }

    /// Returns once the session is over.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }

    pub(super) fn why(&self) -> Fault {
        self.ended().unwrap_or_else(|| Fault::new(Code::ConnectionClosed, "the session is over"))
    }

    /// Bounds one exchange: by the end of the session and by a limit.
    pub(super) async fn bounded<T>(
        &self,
        limit: Duration,
        place: &str,
        exchange: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let late = || Fault::new(Code::RequestTimeout, format!("{place}: no whole answer in {limit:?}"));
        tokio::select! {
            biased;
            () = self.over() => Err(self.why()),
            done = tokio::time::timeout(limit, exchange) => done.unwrap_or_else(|_| Err(late())),
        }
    }

    /// Real traffic met a fault: one that could mean the server's death is looked into at once.
    pub(super) fn suspect(&self, fault: &Fault) {
        if matches!(fault.class(), Class::Unreachable | Class::Timeout) {
            self.alarm.notify_one();
        }
    }

    /// Returns once there is a suspicion. One that came while nobody listened is kept.
    pub(super) async fn suspected(&self) {
        self.alarm.notified().await;
    }
}
