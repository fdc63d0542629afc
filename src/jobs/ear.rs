//! Hears what an execution reports: what is a step of the job goes to its driver, all else to its board.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc::Sender, oneshot};

use crate::{
    backends::{Report, Sink},
    jobs::{board::Board, machine::Event},
};

/// What happened, and in which execution.
pub(crate) struct Heard {
    /// The execution's or the search's number.
    pub(crate) round: u64,
    pub(crate) event: Event,
    /// Told once the event is written down.
    pub(crate) recorded: Option<oneshot::Sender<()>>,
}

/// Steps that one execution tells, at most.
pub(crate) const MOST: usize = 5;

/// The ear of one execution.
pub(crate) struct Ear {
    board: Arc<Board>,
    /// Has places for [`MOST`].
    driver: Sender<Heard>,
    execution: u64,
    arrived: AtomicBool,
    started: AtomicBool,
    spoke: AtomicBool,
    opening: AtomicBool,
}

impl Ear {
    pub(crate) fn new(board: Arc<Board>, driver: Sender<Heard>, execution: u64) -> Self {
        let [arrived, started, spoke, opening] = [(); 4].map(|()| AtomicBool::new(false));
        Self { board, driver, execution, arrived, started, spoke, opening }
    }

    fn tell(&self, once: &AtomicBool, events: impl IntoIterator<Item = Event>) {
        if !once.swap(true, Ordering::Relaxed) {
            for event in events {
                let heard = Heard { round: self.execution, event, recorded: None };
                // Each is told once, so that there is a place; a driver that is gone sees nothing through.
                let _ = self.driver.try_send(heard);
            }
        }
    }

    async fn record_opening(&self) {
        if self.opening.swap(true, Ordering::Relaxed) {
            return;
        }
        let (told, recorded) = oneshot::channel();
        let heard = Heard { round: self.execution, event: Event::Opening, recorded: Some(told) };
        if self.driver.try_send(heard).is_err() || recorded.await.is_err() {
            // The driver is gone, and this execution goes with it: nothing is opened off the record.
            std::future::pending::<()>().await;
        }
    }
}

impl Sink for Ear {
    fn report(&self, report: Report) {
        match report {
            Report::Accepted { remote } => {
                self.tell(&self.arrived, [Event::Arrived, Event::Named { remote }]);
            }
            Report::Started => self.tell(&self.started, [Event::Started]),
            Report::Delta(_) => {
                self.tell(&self.spoke, [Event::Spoke]);
                self.board.report(report);
            }
            other => self.board.report(other),
        }
    }

    fn opening(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.record_opening())
    }
}
