//! A timer that ends with its owner.

use ractor::ActorRef;
use tokio::{task::JoinHandle, time::Instant};

use super::Msg;

pub(super) struct Alarm {
    at: Instant,
    task: JoinHandle<()>,
}

impl Alarm {
    /// Tells `myself` when it is time.
    pub(super) fn set(at: Instant, myself: ActorRef<Msg>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "owned by the alarm, aborted when it is dropped")]
        let task = tokio::spawn(async move {
            tokio::time::sleep_until(at).await;
            // A supervisor that is gone has no deadlines.
            let _ = myself.cast(Msg::Tick);
        });
        Self { at, task }
    }

    /// Whether it will still ring, and at this time.
    pub(super) fn is_set_for(&self, at: Instant) -> bool {
        self.at == at && !self.task.is_finished()
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.task.abort();
    }
}
