//! Sees one job to its end: finds a session, begins or follows an execution, and asks [`course`] what follows.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    backends::{Abilities, Attempt, Finished, Session, Setback, Start},
    connection::{Lease, slot::Slot},
    error::Error,
    jobs::{
        board::Board,
        course::{self, Next, Tally},
        outputs,
    },
    model::{BackendId, Code, Fault, JobState, Work},
    net::Address,
    roster::Roster,
};

/// How long one look for a session lasts; then the candidates are chosen anew.
const LOOK: Duration = Duration::from_secs(30);
/// How long a cancel may take to be heard by the backend.
const CANCEL: Duration = Duration::from_secs(10);

/// What a driver works with.
pub(crate) struct Driver {
    pub(crate) roster: Arc<Roster>,
    pub(crate) board: Arc<Board>,
    pub(crate) target: String,
    pub(crate) work: Work,
    pub(crate) save_to: Option<PathBuf>,
}

/// Which execution is under way, and where.
#[derive(Clone)]
struct Run {
    remote: String,
    backend: Option<BackendId>,
    /// The address that it went to: another one can prove nothing about it.
    place: Option<Address>,
    start: Start,
}

impl Run {
    fn fresh() -> Self {
        Self {
            remote: uuid::Uuid::new_v4().hyphenated().to_string(),
            backend: None,
            place: None,
            start: Start::Fresh,
        }
    }
}

impl Driver {
    pub(crate) async fn drive(self) {
        let mut tally = Tally::default();
        let mut run = Run::fresh();
        loop {
            let lease = tokio::select! {
                lease = self.find(run.backend.as_ref()) => lease,
                () = self.board.cancel.cancelled() => {
                    return self.board.end(JobState::Cancelled, "cancelled while it waited for a backend", None);
                }
            };
            let lease = match lease {
                Ok(lease) => lease,
                Err(error) if run.start == Start::Follow => {
                    let text = format!("its backend was taken out while it ran: {error}");
                    let fault = Fault::new(Code::Uncertain, text);
                    return self.board.end(
                        JobState::Uncertain,
                        "nobody can look it up any more",
                        Some(fault),
                    );
                }
                Err(error) => {
                    let fault = Fault::new(Code::NotFound, error.to_string()).with_fix(error.fix());
                    return self.board.end(JobState::Failed, "there is no such target", Some(fault));
                }
            };
            let place = self.roster.slot(lease.backend()).map(|slot| slot.config.url.clone());
            if run.start == Start::Follow && run.place != place {
                let text =
                    "its backend got another address while it ran; nothing there can prove how it ended";
                let fault = Fault::new(Code::Uncertain, text);
                return self.board.end(JobState::Uncertain, "the backend's address changed", Some(fault));
            }
            run.place = place;
            let abilities = lease.abilities();
            let setback = match self.attempt(&lease, &mut run, &mut tally).await {
                Ok(finished) => return self.finish(lease, finished).await,
                Err(setback) => setback,
            };
            drop(lease);
            if !self.follow_up(setback, &mut tally, &mut run, abilities).await {
                return;
            }
        }
    }

    /// One execution, begun or followed, with an ear for a cancel.
    async fn attempt(
        &self,
        lease: &Lease<dyn Session>,
        run: &mut Run,
        tally: &mut Tally,
    ) -> Result<Finished, Setback> {
        run.backend = Some(lease.backend().clone());
        if run.start == Start::Fresh {
            tally.attempts += 1;
        }
        let routed = format!("{}: ready, epoch {}", lease.backend(), lease.epoch());
        self.board.update(|status| {
            status.backend = Some(lease.backend().clone());
            status.kind = Some(lease.kind());
            status.guarantee = Some(course::guarantee(lease.abilities()));
            status.attempts = tally.attempts;
            status.remote_id = Some(run.remote.clone());
            status.routed = Some(routed);
        });
        let attempt = Attempt { work: self.work.clone(), remote: run.remote.clone(), start: run.start };
        let mut work = lease.session().clone().run(attempt, self.board.clone());
        tokio::select! {
            outcome = &mut work => return outcome,
            () = self.board.cancel.cancelled() => {}
        }
        let asked = tokio::time::timeout(CANCEL, lease.cancel(run.remote.clone())).await;
        if !matches!(asked, Ok(Ok(()))) {
            tracing::warn!(job = %self.board.id(), ?asked, "the backend did not take the cancel");
            return Err(Setback::Cancelled);
        }
        // The backend says how it ended; one that says nothing is not waited for.
        match tokio::time::timeout(CANCEL, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Setback::Cancelled),
        }
    }

    /// Whether there is another round.
    async fn follow_up(
        &self,
        setback: Setback,
        tally: &mut Tally,
        run: &mut Run,
        abilities: Abilities,
    ) -> bool {
        match course::after(setback, tally, abilities) {
            Next::End { state, fault } => {
                let evidence = fault.as_ref().map_or_else(|| state.to_string(), ToString::to_string);
                self.board.end(state, evidence, fault);
                false
            }
            Next::Follow { evidence } => {
                self.board.go(JobState::Sent, evidence, |_| {});
                run.start = Start::Follow;
                true
            }
            Next::Send { after, evidence } => {
                if tally.deaths == 0 {
                    // It never ran: this was no execution.
                    tally.attempts = tally.attempts.saturating_sub(1);
                }
                self.board.go(JobState::Queued, evidence, |status| status.attempts = tally.attempts);
                tokio::select! {
                    () = tokio::time::sleep(after) => {}
                    () = self.board.cancel.cancelled() => {
                        self.board.end(JobState::Cancelled, "cancelled before it was sent again", None);
                        return false;
                    }
                }
                *run = Run::fresh();
                true
            }
        }
    }

    async fn finish(&self, mut lease: Lease<dyn Session>, finished: Finished) {
        let Finished { files, result, notes } = finished;
        for note in notes {
            crate::backends::Sink::report(&*self.board, crate::backends::Report::Note(note));
        }
        self.board.update(|status| status.result = result);
        let Some(directory) = self.save_to.clone().filter(|_| !files.is_empty()) else {
            return self.board.end(
                JobState::Done,
                format!("finished, {} files at the backend", files.len()),
                None,
            );
        };
        self.board.go(JobState::Fetching, format!("finished; {} files to fetch", files.len()), |_| {});
        let mut saved = Vec::with_capacity(files.len());
        for (index, file) in files.into_iter().enumerate() {
            match outputs::save(&self.roster, &mut lease, &file, &directory, index).await {
                Ok(output) => saved.push(output),
                Err(fault) => {
                    let why = format!(
                        "`{}` could not be fetched: {fault}",
                        crate::model::fault::clean(&file.name, 80)
                    );
                    let fault = Fault::new(fault.code(), why).with_fix(fault.fix());
                    self.board.update(|status| status.outputs = saved);
                    return self.board.end(JobState::Failed, "an output could not be fetched", Some(fault));
                }
            }
        }
        let evidence = format!("{} files here, hashed", saved.len());
        self.board.go(JobState::Done, evidence, |status| status.outputs = saved);
    }

    /// Waits for a session: on the backend where the execution is, or on the first candidate that has one free.
    async fn find(&self, bound: Option<&BackendId>) -> Result<Lease<dyn Session>, Error> {
        loop {
            let candidates = match bound {
                Some(id) => vec![self.roster.named(id.as_str())?],
                None => self.roster.candidates(&self.target)?,
            };
            if candidates.is_empty() {
                let known = self
                    .roster
                    .slots()
                    .iter()
                    .map(|s| s.config.id.to_string())
                    .collect::<Vec<_>>()
                    .join(", ");
                return Err(Error::UnknownBackend { id: self.target.clone(), known });
            }
            if let Some(lease) = first(&candidates).await {
                return Ok(lease);
            }
        }
    }
}

/// The first candidate that lets us in; better ones are asked first.
async fn first(candidates: &[Arc<Slot>]) -> Option<Lease<dyn Session>> {
    for slot in candidates {
        if let Ok(pass) = slot.door.enter(Duration::ZERO).await {
            return Some(Lease::new(pass));
        }
    }
    let mut waits: FuturesUnordered<_> = candidates.iter().map(|slot| slot.door.enter(LOOK)).collect();
    while let Some(entered) = waits.next().await {
        match entered {
            Ok(pass) => return Some(Lease::new(pass)),
            // One of them was removed or set up anew: the choice is another.
            Err(_) if candidates.iter().any(|slot| slot.door.is_gone()) => return None,
            Err(_) => {}
        }
    }
    None
}
