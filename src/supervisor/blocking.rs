//! A supervisor for a host that has no tokio of its own.

use std::{future::Future, ops::Deref, thread, time::Duration};

use backline_supervisors::GaveUp;
use tokio::sync::{oneshot, watch};

use super::{Builder, Handle, ShutdownReport, Supervisor};
use crate::error::Error;

/// A supervisor on a thread and a runtime of its own, for a host that has no tokio. Whatever [`Handle`] says at once is
/// said here, too; what it awaits goes through [`Self::block_on`].
///
/// Dropping it ends everything at once and waits for nothing; use [`Self::shutdown`] for an orderly end.
///
/// ```no_run
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use backline::{Supervisor, Wanted, config::Config};
///
/// let supervisor = Supervisor::builder().config(Config::load()?).start_blocking()?;
/// supervisor.block_on(supervisor.ready(Wanted::Required, Duration::from_secs(10)))?;
/// println!("{:?}", supervisor.snapshot().overall);
/// supervisor.shutdown(Duration::from_secs(5));
/// # Ok(()) }
/// ```
pub struct BlockingSupervisor {
    handle: Handle,
    runtime: tokio::runtime::Handle,
    gave_up: watch::Receiver<Option<GaveUp>>,
    end: oneshot::Sender<End>,
}

/// An orderly end, and who waits for it.
struct End {
    grace: Duration,
    report: oneshot::Sender<ShutdownReport>,
}

/// What the host gets of the thread.
struct Begun {
    handle: Handle,
    runtime: tokio::runtime::Handle,
    gave_up: watch::Receiver<Option<GaveUp>>,
}

impl Builder {
    /// As [`Self::start`], on a thread and a runtime that the supervisor owns.
    ///
    /// # Errors
    /// As [`Self::start`]; [`Error::Setup`] too where the caller is in a tokio runtime, which must not be blocked, or
    /// where the system gives no thread.
    pub fn start_blocking(self) -> Result<BlockingSupervisor, Error> {
        if tokio::runtime::Handle::try_current().is_ok() {
            let text =
                "`start_blocking` was called in a tokio runtime, which it would block: await `start` there";
            return Err(Error::Setup(text.to_owned()));
        }
        let (begun, beginning) = oneshot::channel();
        let (end, ending) = oneshot::channel();
        let run = move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                runtime.block_on(live(self, begun, ending));
                // A blocking task that hangs (a name server) must not hold the host.
                runtime.shutdown_background();
            }
            Err(error) => {
                let error = Error::Setup(format!("no runtime can be made: {error}"));
                // The caller waits below.
                let _ = begun.send(Err(error));
            }
        };
        let started = thread::Builder::new().name("backline".to_owned()).spawn(run);
        started.map_err(|error| Error::Setup(format!("no thread can be started: {error}")))?;
        let lost = |_| Err(Error::Setup("the supervisor's thread ended before it had started".to_owned()));
        let Begun { handle, runtime, gave_up } = beginning.blocking_recv().unwrap_or_else(lost)?;
        Ok(BlockingSupervisor { handle, runtime, gave_up, end })
    }
}

/// The whole life of a supervisor on its own thread.
async fn live(
    builder: Builder,
    begun: oneshot::Sender<Result<Begun, Error>>,
    ending: oneshot::Receiver<End>,
) {
    let supervisor = match builder.start().await {
        Ok(supervisor) => supervisor,
        Err(error) => {
            // The caller waits for one or the other.
            let _ = begun.send(Err(error));
            return;
        }
    };
    let (tell, gave_up) = watch::channel(None);
    let (handle, runtime) = (supervisor.handle(), tokio::runtime::Handle::current());
    if begun.send(Ok(Begun { handle, runtime, gave_up })).is_err() {
        return;
    }
    // Without an end in good order the host has dropped it: what falls here ends at once.
    if let Ok(end) = until_the_end(&supervisor, ending, &tell).await {
        // A host that waits no longer has its end all the same.
        let _ = end.report.send(supervisor.shutdown(end.grace).await);
    }
}

async fn until_the_end(
    supervisor: &Supervisor,
    mut ending: oneshot::Receiver<End>,
    tell: &watch::Sender<Option<GaveUp>>,
) -> Result<End, oneshot::error::RecvError> {
    tokio::select! {
        end = &mut ending => return end,
        report = supervisor.closed() => { tell.send_replace(Some(report)); }
    }
    ending.await
}

impl BlockingSupervisor {
    /// Waits on this thread for something that a [`Handle`] awaits.
    ///
    /// # Panics
    /// In a tokio runtime, which must not be blocked.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// A cheap, cloneable handle for the parts of a host. It does not keep the supervisor alive.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the tree has given up, and says which child brought it down and how; `None` where its thread ended
    /// before.
    pub fn closed(&self) -> Option<GaveUp> {
        let mut gave_up = self.gave_up.clone();
        self.block_on(async move {
            gave_up.wait_for(Option::is_some).await.ok().and_then(|report| report.clone())
        })
    }

    /// Takes nothing new, waits at most `grace` for jobs, then closes the connections and stops the tree in order.
    /// `None` where its thread has ended before.
    pub fn shutdown(self, grace: Duration) -> Option<ShutdownReport> {
        let (report, ended) = oneshot::channel();
        self.end.send(End { grace, report }).ok()?;
        ended.blocking_recv().ok()
    }
}

impl Deref for BlockingSupervisor {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl std::fmt::Debug for BlockingSupervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockingSupervisor")
            .field("snapshot", &self.handle.snapshot().overall)
            .finish_non_exhaustive()
    }
}
