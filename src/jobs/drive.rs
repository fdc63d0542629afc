//! Sees one job to its end: takes what happens to the [`Machine`], and does what follows in its order.

mod report;

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;

use crate::{
    backends::{Attempt, Past, Setback, Start},
    connection::alarm::Task,
    jobs::{
        board::Board,
        clock::Clock,
        ear::{Ear, Heard, MOST},
        errand::{self, Haul, Search, Seat, Turn},
        journal::{Journal, Step},
        machine::{Effect, Event, Keep, Machine, Stage},
    },
    model::{Class, Code, Work},
    pool::{Ask, Life, Purpose},
    roster::Roster,
};

/// What all drivers work with.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) roster: Arc<Roster>,
    pub(crate) journal: Journal,
    /// Set once our process is about to end.
    pub(crate) leaving: CancellationToken,
}

/// What an errand says, and the session that it found.
type Word = (Heard, Option<Seat>);

/// The word of an errand about its own end.
fn word(round: u64, event: Event, seat: Option<Seat>) -> Word {
    (Heard { round, event, recorded: None }, seat)
}

/// A job to be seen to its end.
pub(crate) struct Charge {
    pub(crate) number: i64,
    pub(crate) target: String,
    pub(crate) work: Work,
    /// Where its files go; without one they are not fetched.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) machine: Machine,
    pub(crate) last_seq: u32,
    pub(crate) clock: Clock,
}

pub(crate) struct Driver {
    means: Means,
    board: Arc<Board>,
    charge: Charge,
    /// Counts executions and searches: what an earlier one says is not heard.
    round: u64,
    seat: Option<Seat>,
    /// The session on which the last execution stopped.
    former: Option<Life>,
    /// What the next search is.
    turn: Turn,
    errand: Option<Task>,
    cancelling: Option<Task>,
    tell: Sender<Word>,
    news: Receiver<Word>,
}

impl Driver {
    pub(crate) fn new(means: Means, board: Arc<Board>, charge: Charge) -> Self {
        let (tell, news) = channel(MOST);
        Self {
            means,
            board,
            charge,
            round: 0,
            seat: None,
            former: None,
            turn: Turn::First,
            errand: None,
            cancelling: None,
            tell,
            news,
        }
    }

    /// Begins with `first`, or with the search for a backend, and returns when the job has ended, or our process is to.
    pub(crate) async fn drive(mut self, first: Option<Event>) {
        match first {
            Some(event) => self.take(event).await,
            None => self.search(None, std::time::Duration::ZERO),
        }
        let (cancelled, leaving) = (self.board.cancelled(), self.means.leaving.clone());
        let mut asked = false;
        while !self.charge.machine.stage().is_end() {
            let due = self.charge.machine.due().map(|age| self.charge.clock.when(age));
            let (event, recorded) = tokio::select! {
                biased;
                // What can only be said now is written down before the session goes, with this driver.
                () = leaving.cancelled() => return self.take(Event::Leaving).await,
                () = cancelled.cancelled(), if !asked => {
                    asked = true;
                    (Event::Cancel, None)
                }
                Some((heard, seat)) = self.news.recv() => {
                    if heard.round != self.round {
                        continue;
                    }
                    if seat.is_some() {
                        self.seat = seat;
                    }
                    (heard.event, heard.recorded)
                }
                () = sleep_until(due) => (Event::Tick, None),
            };
            self.take(event).await;
            if let Some(recorded) = recorded {
                // An execution that is gone opens nothing.
                let _ = recorded.send(());
            }
        }
    }

    /// One event, and all that follows from it.
    async fn take(&mut self, event: Event) {
        let event = self.report(event);
        if let Event::Stopped(setback) = &event {
            self.doubt(setback);
            if let Setback::Adrift(fault) = setback {
                self.board.note(format!("the connection was lost, which says nothing of the job: {fault}"));
            }
            self.former = self.seat.take().map(|seat| (seat.backend().clone(), seat.epoch()));
        }
        if let Some(run) = self.charge.machine.stage().run() {
            self.board.toll().hear(&run.backend, &event);
        }
        if let (Event::Bound(_), Some(seat)) = (&event, &self.seat) {
            let routed = seat.routed_for(&self.ask(Purpose::New));
            tracing::info!(job = %self.board.id(), backend = %seat.backend(), routed, "routed");
            self.board.update(|status| status.routed = Some(routed));
        }
        let (machine, effects) = self.charge.machine.clone().step(event.clone(), self.charge.clock.age());
        self.charge.machine = machine;
        for effect in effects {
            match effect {
                Effect::Record { evidence } => self.record(&event, evidence).await,
                Effect::Find { backend, not_before } => self.search(backend, not_before),
                Effect::Send => self.run(Start::Fresh),
                Effect::Follow => self.run(Start::Follow),
                Effect::CancelRemote => self.cancel(),
                Effect::Fetch => self.fetch(),
                Effect::End(_) => (self.errand, self.seat) = (None, None),
            }
        }
    }

    /// A backend that does not know what it is asked for has changed since it was looked at.
    fn doubt(&self, setback: &Setback) {
        let (Setback::Refused(fault) | Setback::Unsent(fault) | Setback::Failed(fault)) = setback else {
            return;
        };
        let strange = fault.class() == Class::NotFound || fault.code() == Code::InvalidWorkflow;
        let slot = self.seat.as_ref().and_then(|seat| self.means.roster.slot(seat.backend()));
        if let Some(slot) = slot.filter(|_| strange) {
            slot.record.doubt();
        }
    }

    /// Writes a step down, as often as it takes, and shows it then. Work under way goes on meanwhile.
    async fn record(&mut self, event: &Event, evidence: String) {
        self.charge.last_seq += 1;
        let step = Step {
            seq: self.charge.last_seq,
            at: Timestamp::now(),
            age: self.charge.clock.age(),
            event: event.clone(),
            evidence: evidence.clone(),
            state: self.charge.machine.state(),
            keep_request: self.charge.machine.terms().keep == Keep::All,
        };
        while let Err(trouble) = self.means.journal.append(self.charge.number, self.board.id(), &step).await {
            tracing::warn!(job = %self.board.id(), %trouble, "a step could not be written down yet");
            self.means.journal.well().await;
            tokio::time::sleep(AGAIN).await;
        }
        if !self.board.step(&self.charge.machine, evidence) {
            // This task goes with its actor: nothing is sent for a job that was said to have ended.
            std::future::pending::<()>().await;
        }
    }

    fn search(&mut self, bound: Option<crate::model::BackendId>, not_before: std::time::Duration) {
        (self.errand, self.seat) = (None, None);
        let former = self.former.take();
        let search = Search {
            roster: self.means.roster.clone(),
            target: self.charge.target.clone(),
            ask: match &bound {
                Some(_) => self.ask(Purpose::TakeUp),
                // Where it has just come to nothing it is offered last.
                None => Ask { avoid: former.clone(), ..self.ask(Purpose::New) },
            },
            turn: std::mem::replace(&mut self.turn, Turn::Same),
            former: former.filter(|_| bound.is_some()).map(|(_, epoch)| epoch),
            bound,
            not_before: self.charge.clock.when(not_before),
        };
        let (round, tell) = self.next_round();
        self.errand = Some(Task::spawn(async move {
            let (event, seat) = search.go().await;
            // A driver that is gone looks for nothing.
            let _ = tell.send(word(round, event, seat)).await;
        }));
    }

    fn run(&mut self, start: Start) {
        let Some(run) = self.charge.machine.stage().run().cloned() else { return };
        let Some(seat) = self.seat.clone() else { return };
        let remote = match start {
            Start::Fresh => run.remote.clone(),
            Start::Follow => run.look_up().to_owned(),
        };
        let past = Past { boot: run.boot, seen: self.charge.machine.stage().seen() };
        let (round, tell) = self.next_round();
        let (told, mut heard) = channel::<Heard>(MOST);
        let ear = Ear::new(self.board.clone(), told, round);
        let attempt = Attempt { work: self.charge.work.clone(), remote, start, past };
        let board = self.board.clone();
        self.errand = Some(Task::spawn(async move {
            let running = errand::run(seat, attempt, ear);
            tokio::pin!(running);
            let (event, notes) = loop {
                tokio::select! {
                    biased;
                    Some(step) = heard.recv() => {
                        let _ = tell.send((step, None)).await;
                    }
                    ended = &mut running => break ended,
                }
            };
            while let Ok(step) = heard.try_recv() {
                let _ = tell.send((step, None)).await;
            }
            notes.into_iter().for_each(|note| board.note(note));
            let _ = tell.send(word(round, event, None)).await;
        }));
    }

    fn cancel(&mut self) {
        let Some(run) = self.charge.machine.stage().run() else { return };
        let Some(seat) = self.seat.clone() else { return };
        let remote = run.look_up().to_owned();
        self.cancelling = Some(Task::spawn(errand::cancel(seat, remote)));
    }

    fn fetch(&mut self) {
        let Stage::Fetching { files, outputs, .. } = self.charge.machine.stage() else { return };
        let (Some(seat), Some(directory)) = (self.seat.clone(), self.charge.directory.clone()) else {
            return;
        };
        let missing = files.iter().enumerate().filter(|(index, _)| outputs.get(*index) == Some(&None));
        let files = missing.map(|(index, file)| (index, file.clone())).collect();
        let haul = Haul { roster: self.means.roster.clone(), seat, directory, files };
        let (round, tell) = self.next_round();
        self.errand = Some(Task::spawn(haul.go(async move |event| {
            let _ = tell.send(word(round, event, None)).await;
        })));
    }

    fn next_round(&mut self) -> (u64, Sender<Word>) {
        self.round += 1;
        (self.round, self.tell.clone())
    }
}

/// Between tries to write a step down.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(250);

async fn sleep_until(when: Option<tokio::time::Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
