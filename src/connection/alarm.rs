//! One timer of an actor: set anew when its time moves, gone with its owner.

use std::time::Duration;

use tokio::{task::JoinHandle, time::Instant};

/// One timer. At its time it runs what it was given, once.
#[derive(Default)]
pub(crate) struct Alarm {
    set: Option<(Instant, Task)>,
}

/// A task that ends with its owner.
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    /// Starts a task that is aborted when this is dropped.
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the owner that aborts it")]
        Self(tokio::spawn(work))
    }
}

impl Task {
    /// Waits for its own end, at most `limit`; aborts it then.
    pub(crate) async fn ended(mut self, limit: Duration) {
        // A task that panicked has ended, too.
        let _ = tokio::time::timeout(limit, &mut self.0).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Alarm {
    /// Sets it, moves it, or, without a time, takes it off.
    pub(crate) fn set(&mut self, at: Option<Instant>, ring: impl FnOnce() + Send + 'static) {
        let Some(at) = at else {
            self.set = None;
            return;
        };
        if self.set.as_ref().is_some_and(|(set, task)| *set == at && !task.0.is_finished()) {
            return;
        }
        let task = Task::spawn(async move {
            tokio::time::sleep_until(at).await;
            ring();
        });
        self.set = Some((at, task));
    }
}
