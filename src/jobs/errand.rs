//! What a driver sends for: a session, an execution, its files. Each errand is one task, and says what came of it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    backends::{Attempt, RemoteFile, Session, Setback},
    connection::Lease,
    error::Error,
    jobs::{
        ear::Ear,
        machine::{Event, Run, Watch},
        outputs,
    },
    model::{BackendId, Code, Epoch, Fault},
    net::witness::for_a_job,
    pool::{Ask, pass::Pass, route::Route},
    roster::Roster,
};

/// How often who waits for a session looks whether the target is still what it was.
const LOOK: Duration = Duration::from_secs(30);
/// Longer than anybody stands in line.
const LONG: Duration = Duration::from_secs(10 * 365 * 86_400);
/// How long a cancel may take to be heard by the backend.
const CANCEL: Duration = Duration::from_secs(10);

/// Between looks at a session that does not answer and is not over yet.
const AGAIN: Duration = Duration::from_millis(50);

/// Between looks at a budget of retries that is spent.
const SPENT: Duration = Duration::from_millis(500);

/// A session for the job.
pub(crate) type Seat = Arc<Lease<dyn Session>>;

/// What is looked for.
pub(crate) struct Search {
    pub(crate) roster: Arc<Roster>,
    pub(crate) target: String,
    pub(crate) ask: Ask,
    /// Where the execution is, or none for the best member of the target.
    pub(crate) bound: Option<BackendId>,
    pub(crate) not_before: Instant,
    /// The session on which the execution was lost.
    pub(crate) former: Option<Epoch>,
    pub(crate) turn: Turn,
}

/// Whether it is asked for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    First,
    /// It failed before it ran: it goes out again within the budget of retries.
    Retry,
    /// What it goes on with is no request of its own.
    Same,
}

impl Search {
    /// A session with a free slot, in turn with the others, and what that means for the job.
    pub(crate) async fn go(self) -> (Event, Option<Seat>) {
        tokio::time::sleep_until(self.not_before).await;
        match self.seat().await {
            Ok((seat, origin)) => {
                let event = match self.bound {
                    Some(_) => Event::TakenUp { origin },
                    None => Event::Bound(Box::new(begin(&seat, origin).await)),
                };
                (event, Some(seat))
            }
            Err(error) => {
                let fault = Fault::new(Code::NotFound, error.to_string()).with_fix(error.fix());
                (Event::Unbindable(fault), None)
            }
        }
    }

    async fn seat(&self) -> Result<(Seat, String), Error> {
        let target = self.bound.as_ref().map_or(&*self.target, BackendId::as_str);
        let mut turn = self.turn;
        loop {
            let route = self.roster.route(target)?;
            route.fits(&self.ask)?;
            match turn {
                Turn::First => route.budget().ask(Instant::now()),
                Turn::Retry if !route.budget().try_retry(Instant::now()) => {
                    tokio::time::sleep(SPENT).await;
                    continue;
                }
                Turn::Retry | Turn::Same => {}
            }
            turn = Turn::Same;
            let Some(pass) = self.stand_in_line(target, &route).await else {
                tokio::task::yield_now().await;
                continue;
            };
            let lease = Lease::new(pass);
            let Some(slot) = self.roster.slot(lease.backend()) else { continue };
            // Where the backend died, the session may not have heard of it yet: it has to speak first.
            if self.former != Some(lease.epoch()) || lease.probe().await.is_ok() {
                return Ok((Arc::new(lease), slot.config.url.to_string()));
            }
            drop(lease);
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// A slot by this way, or none where the target has another one now. Nobody leaves the line to look: with many who
    /// wait since the same moment, others would go before them meanwhile.
    async fn stand_in_line(&self, target: &str, route: &Arc<Route>) -> Option<Pass> {
        let entered = self.roster.line.enter(route, &self.ask, Instant::now() + LONG);
        tokio::pin!(entered);
        loop {
            tokio::select! {
                biased;
                entered = &mut entered => return entered.ok(),
                () = tokio::time::sleep(LOOK) => {
                    let same = self.roster.route(target).is_ok_and(|now| Arc::ptr_eq(&now, route));
                    if !same || route.fits(&self.ask).is_err() {
                        return None;
                    }
                }
            }
        }
    }
}

/// A fresh execution, under an id of ours.
async fn begin(seat: &Seat, origin: String) -> Run {
    Run {
        remote: uuid::Uuid::new_v4().hyphenated().to_string(),
        named: None,
        backend: seat.backend().clone(),
        kind: seat.kind(),
        origin,
        boot: seat.session().boot().await,
        abilities: seat.abilities(),
        watch: Watch::Whole,
        mark: Default::default(),
    }
}

/// Runs or follows an execution to its end.
pub(crate) async fn run(seat: Seat, attempt: Attempt, ear: Ear) -> (Event, Vec<String>) {
    // What came of it is told by the driver.
    match for_a_job(seat.session().clone().run(attempt, Arc::new(ear))).await {
        Ok(finished) => {
            let result = finished.result.map(|json| json.get().to_owned());
            (Event::Finished { files: finished.files, result }, finished.notes)
        }
        Err(setback) => (Event::Stopped(setback), Vec::new()),
    }
}

/// Asks the backend to stop an execution. How it ended the execution itself says.
pub(crate) async fn cancel(seat: Seat, remote: String) {
    let asked = tokio::time::timeout(CANCEL, seat.cancel(remote)).await;
    if !matches!(asked, Ok(Ok(()))) {
        tracing::warn!(?asked, "the backend did not take the cancel");
    }
}

/// What is still to be fetched, and where to.
pub(crate) struct Haul {
    pub(crate) roster: Arc<Roster>,
    pub(crate) seat: Seat,
    pub(crate) directory: PathBuf,
    pub(crate) files: Vec<(usize, RemoteFile)>,
}

impl Haul {
    async fn is_lost(&self) -> bool {
        self.seat.ended().is_some() || self.seat.probe().await.is_err()
    }

    /// Fetches one file after the other, telling each.
    pub(crate) async fn go(mut self, tell: impl AsyncFn(Event)) {
        for (index, file) in std::mem::take(&mut self.files) {
            match outputs::save(&self.roster, &mut self.seat, &file, &self.directory, index).await {
                Ok(output) => tell(Event::Fetched { index, output }).await,
                // Away is no verdict. The session may not have heard of it yet: it is asked.
                Err(fault) if fault.is_retryable() && self.is_lost().await => {
                    return tell(Event::Stopped(Setback::Adrift(fault))).await;
                }
                Err(fault) => {
                    let name = crate::model::fault::clean(&file.name, 80);
                    let why = format!("`{name}` could not be fetched: {fault}");
                    return tell(Event::Unfetched(Fault::new(fault.code(), why).with_fix(fault.fix()))).await;
                }
            }
        }
    }
}
