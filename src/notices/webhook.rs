//! Tells a server of a person's own when a notice is raised and when it ends. Nothing else waits for it.
//!
//! Each is one `POST` of the event as the API's stream has it: `{"revision","at","type","data"}`, `type` being
//! `notice.raised` or `notice.cleared` and `data` the notice. A notice that goes on is not told again.

mod letter;
mod outbox;

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt, future::BoxFuture};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::Instant,
};

use self::outbox::{Outbox, Told};
use crate::{
    connection::alarm::Task,
    hub::Hub,
    model::{Code, Event, Fault, Severity},
    notices::{desk::Desk, draft::Draft},
    settings::standing::Standing,
};

/// Failures in a row before a person is told.
const TELLING: u32 = 2;

/// What it works with.
#[derive(Clone)]
pub(crate) struct Setup {
    hub: Arc<Hub>,
    desk: Desk,
    standing: Arc<Standing>,
    /// Heard from before the tree starts, for the first incarnation: others of the tree tell things as they start.
    early: Arc<Mutex<Option<broadcast::Receiver<Arc<Event>>>>>,
}

impl Setup {
    pub(crate) fn new(hub: Arc<Hub>, desk: Desk, standing: Arc<Standing>) -> Self {
        let early = Arc::new(Mutex::new(Some(hub.events())));
        Self { hub, desk, standing, early }
    }
}

pub(crate) enum Msg {
    /// What carries the letters panicked: a bug, which a restart answers.
    Broke,
}

/// Tells the webhook that is configured then. A child of the tree; what waited goes with an incarnation that crashed.
pub(crate) struct Messenger;

impl Actor for Messenger {
    type Msg = Msg;
    type State = Task;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<Task, ActorProcessingErr> {
        let Setup { hub, desk, standing, early } = setup;
        let early = early.lock().unwrap_or_else(PoisonError::into_inner).take();
        let events = early.unwrap_or_else(|| hub.events());
        let courier = Courier { hub, desk, standing, outbox: Outbox::default(), failures: 0 };
        Ok(Task::spawn(async move {
            if AssertUnwindSafe(courier.carry(events)).catch_unwind().await.is_err() {
                // An actor that is gone takes no word.
                let _ = myself.cast(Msg::Broke);
            }
        }))
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, _: &mut Task) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Broke => Err("what tells the webhook panicked".into()),
        }
    }
}

struct Courier {
    hub: Arc<Hub>,
    desk: Desk,
    standing: Arc<Standing>,
    outbox: Outbox,
    /// In a row.
    failures: u32,
}

impl Courier {
    async fn carry(mut self, mut events: broadcast::Receiver<Arc<Event>>) {
        let mut sending: Option<BoxFuture<'static, Result<(), Fault>>> = None;
        loop {
            if sending.is_none() {
                sending = self.next();
            }
            let due = self.outbox.due().filter(|_| sending.is_none());
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => self.hear(event),
                    Err(RecvError::Lagged(missed)) => self.dropped(missed, "our own events came too fast"),
                    Err(RecvError::Closed) => return,
                },
                outcome = finish(&mut sending) => {
                    sending = None;
                    self.came_back(outcome);
                }
                () = until(due) => {}
            }
        }
    }

    fn hear(&mut self, event: Arc<Event>) {
        if self.standing.now().config.notices.webhook.is_none() {
            self.outbox = Outbox::default();
            self.failures = 0;
            return;
        }
        let dropped = self.outbox.take(event);
        if dropped > 0 {
            self.dropped(dropped, "too many waited");
        }
    }

    /// The next letter on its way, where one is due.
    fn next(&mut self) -> Option<BoxFuture<'static, Result<(), Fault>>> {
        let webhook = self.standing.now().config.notices.webhook.clone()?;
        let event = self.outbox.first(Instant::now())?;
        Some(Box::pin(async move { letter::send(&webhook, &event).await }))
    }

    fn came_back(&mut self, outcome: Result<(), Fault>) {
        match outcome {
            Ok(()) => {
                self.hub.meter.webhook(Told::Delivered.as_str(), 1);
                self.outbox.delivered();
                self.failures = 0;
                self.desk.clear(Code::WebhookFailing, None);
            }
            Err(fault) => {
                self.failures = self.failures.saturating_add(1);
                self.hub.meter.webhook(Told::Failed.as_str(), 1);
                let told = self.outbox.failed(&fault, Instant::now());
                if told == Told::Dropped {
                    self.hub.meter.webhook(told.as_str(), 1);
                }
                tracing::debug!(%fault, waiting = self.outbox.waiting(), "the webhook took no notice");
                if self.failures >= TELLING || told == Told::Dropped {
                    self.complain(&fault);
                }
            }
        }
    }

    fn dropped(&self, count: u64, why: &str) {
        self.hub.meter.webhook(Told::Dropped.as_str(), count);
        tracing::warn!(count, why, "notices for the webhook were dropped");
    }

    fn complain(&self, fault: &Fault) {
        let (waiting, dropped) = (self.outbox.waiting(), self.outbox.dropped());
        let message = format!("{}; {waiting} wait, {dropped} were dropped", fault.message());
        let draft = Draft::new(Code::WebhookFailing, Severity::Warning).message(message);
        // The catalogue's remedy, unless the fault knows a better one.
        self.desk.raise(if fault.code() == Code::BadConfig { draft.fix(fault.fix()) } else { draft });
    }
}

async fn finish(sending: &mut Option<BoxFuture<'static, Result<(), Fault>>>) -> Result<(), Fault> {
    match sending {
        Some(sending) => sending.await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
