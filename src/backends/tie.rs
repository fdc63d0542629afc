//! What an operation under way shares with its session: the session's end, its alarm, its count.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::model::{Class, Code, Fault};

/// What an operation under way shares with its session.
#[derive(Clone, Default)]
pub(super) struct Tie {
    over: CancellationToken,
    why: Arc<OnceLock<Fault>>,
    alarm: Arc<Notify>,
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
    /// Counts an operation.
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

    /// Why the session ended, once it has.
    pub(super) fn ended(&self) -> Option<Fault> {
        self.why.get().cloned()
    }

    /// Returns once the session is over.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }

    /// The work's outcome, or the session's end where that comes first.
    pub(super) async fn bound<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            () = self.over() => Err(self.why()),
            done = work => done,
        }
    }

    /// Bounds one exchange with `place`: by the end of the session and by a limit.
    #[cfg(feature = "wan2gp")]
    pub(super) async fn bounded<T>(
        &self,
        limit: std::time::Duration,
        place: &str,
        exchange: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let late = || Fault::new(Code::RequestTimeout, format!("{place}: no whole answer in {limit:?}"));
        let timed = tokio::time::timeout(limit, exchange);
        self.bound(async { timed.await.unwrap_or_else(|_| Err(late())) }).await
    }

    pub(super) fn why(&self) -> Fault {
        self.ended().unwrap_or_else(|| Fault::new(Code::ConnectionClosed, "the session is over"))
    }

    /// Real traffic met a fault: one that could mean the server's death is looked into at once.
    pub(super) fn suspect(&self, fault: &Fault) {
        let deadly = matches!(fault.class(), Class::Unreachable | Class::Timeout)
            || matches!(fault.code(), Code::Truncated);
        if deadly {
            self.alarm.notify_one();
        }
    }

    /// Returns once there is a suspicion. One that came while nobody listened is kept.
    pub(super) async fn suspected(&self) {
        self.alarm.notified().await;
    }
}
