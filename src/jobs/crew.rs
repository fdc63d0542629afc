//! The drivers under way, each a task of its own: one that panics harms no other.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use ractor::ActorRef;
use tokio::{
    task::{Id, JoinSet},
    time::Instant,
};

use crate::{
    connection::alarm::Alarm,
    jobs::{actor::Msg, drive::Driver, machine::Event},
    model::JobId,
};

/// Between a driver's last word and the end of its task.
const A_MOMENT: Duration = Duration::from_millis(5);

#[derive(Default)]
pub(super) struct Crew {
    tasks: JoinSet<()>,
    by_task: HashMap<Id, JobId>,
    driven: HashSet<JobId>,
    /// Drivers that said that they end and are not joined yet.
    ending: usize,
    alarm: Alarm,
}

impl Crew {
    /// Sets a driver off; `myself` hears when it ends, however it ends.
    pub(super) fn send(&mut self, id: JobId, driver: Driver, first: Option<Event>, myself: ActorRef<Msg>) {
        let span = tracing::info_span!("job", job = %id);
        let drive = async move {
            let _told = Ending(myself);
            driver.drive(first).await;
        };
        let task = self.tasks.spawn(tracing::Instrument::instrument(drive, span));
        self.by_task.insert(task.id(), id);
        self.driven.insert(id);
    }

    pub(super) fn drives(&self, id: JobId) -> bool {
        self.driven.contains(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// A driver said that it ends.
    pub(super) fn note_ending(&mut self) {
        self.ending += 1;
    }

    /// Collects those that ended; answers those that panicked, and why. Comes back by itself where one that said
    /// that it ends has not yet: it says so from inside its task.
    pub(super) fn collect(&mut self, myself: &ActorRef<Msg>) -> Vec<(JobId, String)> {
        let mut crashed = Vec::new();
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ending = self.ending.saturating_sub(1);
            let (task, panic) = match ended {
                Ok((task, ())) => (task, None),
                Err(error) => (error.id(), Some(error.to_string())),
            };
            let Some(id) = self.by_task.remove(&task) else { continue };
            self.driven.remove(&id);
            crashed.extend(panic.map(|panic| (id, panic)));
        }
        if self.ending > 0 {
            let myself = myself.clone();
            self.alarm.set(Some(Instant::now() + A_MOMENT), move || {
                // An actor that is gone has no crew.
                let _ = myself.cast(Msg::Sweep);
            });
        }
        crashed
    }
}

/// Tells the actor when a driver ends, however it ends.
struct Ending(ActorRef<Msg>);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.cast(Msg::Ending);
    }
}
