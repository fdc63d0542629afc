//! The actor that owns the jobs' drivers: it takes jobs in, takes those of earlier runs up, and ends with all of them.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::oneshot, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    connection::alarm::Task,
    error::Error,
    jobs::{
        Job, JobHandle,
        board::{Board, Counted},
        clock::Clock,
        crew::Crew,
        drive::{Charge, Driver, Means},
        inputs::Held,
        intake::{self, Taken},
        journal::{Entry, Loaded},
        machine::{Event, Machine},
        setup::Setup,
        submitted::Submitted,
        upkeep,
    },
    model::{Code, Fault, JobId, JobState},
};

type Reply<T> = oneshot::Sender<Result<T, Error>>;

pub(crate) enum Msg {
    /// The files that it takes are here, and held until the journal names them.
    Submit(Box<Job>, Held, Reply<Submitted>),
    /// The journal has answered for a job.
    Taken(Box<Taken>, Reply<Submitted>),
    /// What the journal has of earlier runs.
    Loaded(Vec<Loaded>),
    Retry(JobId, Reply<()>),
    /// Takes nothing new from now on; answers when all that is under way has ended.
    Drain(oneshot::Sender<()>),
    /// Our process is about to end: what would die with it is judged. Answers when that is on the disk.
    Leave(oneshot::Sender<()>),
    /// A driver is about to end.
    Ending,
    Sweep,
}

pub(crate) struct Jobs;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Intake {
    Open,
    Closed,
}

pub(crate) struct State {
    myself: ActorRef<Msg>,
    setup: Setup,
    intake: Intake,
    crew: Crew,
    /// Acceptances on their way to the disk.
    accepting: JoinSet<()>,
    drained: Vec<oneshot::Sender<()>>,
    leaving: CancellationToken,
    _loading: Task,
    _sweeping: Task,
}

/// A job whose driver is gone must not look as if it ran. One on the disk goes on with the next driver.
impl Drop for State {
    fn drop(&mut self) {
        if !self.setup.journal.is_durable() {
            for kept in self.setup.shelf.all() {
                kept.board.abandon("its driver is gone", |state| match state {
                    JobState::Queued => {
                        let what = "Backline stopped before the job was sent; it never ran";
                        (JobState::Failed, Fault::new(Code::Closing, what))
                    }
                    _ => {
                        let what = "Backline stopped before the job ended; what runs at the backend goes on";
                        (JobState::Uncertain, Fault::new(Code::Closing, what))
                    }
                });
            }
        }
        self.setup.journal.abandon();
    }
}

impl Actor for Jobs {
    type Msg = Msg;
    type State = State;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<State, ActorProcessingErr> {
        Ok(State {
            _loading: Task::spawn(upkeep::load(setup.clone(), myself.clone())),
            _sweeping: Task::spawn(upkeep::keep_within_bounds(setup.clone())),
            myself,
            setup,
            intake: Intake::Open,
            crew: Crew::default(),
            accepting: JoinSet::new(),
            drained: Vec::new(),
            leaving: CancellationToken::new(),
        })
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Submit(job, held, reply) => state.submit(*job, held, reply),
            Msg::Taken(taken, reply) => state.taken(*taken, reply),
            Msg::Loaded(loaded) => loaded.into_iter().for_each(|loaded| state.take_up(loaded)),
            Msg::Retry(id, reply) => state.retry(id, reply),
            Msg::Drain(reply) => {
                state.intake = Intake::Closed;
                state.drained.push(reply);
                state.sweep();
            }
            Msg::Leave(reply) => {
                state.intake = Intake::Closed;
                // Without a disk nothing is left to be taken up: all that is open ends with this actor.
                if state.setup.journal.is_durable() {
                    state.leaving.cancel();
                    state.drained.push(reply);
                    state.sweep();
                }
            }
            Msg::Ending => {
                state.crew.note_ending();
                state.sweep();
            }
            Msg::Sweep => state.sweep(),
        }
        Ok(())
    }
}

impl State {
    /// Sends a job to the journal; the answer comes as [`Msg::Taken`]. Many go at once and share one commit.
    fn submit(&mut self, job: Job, held: Held, reply: Reply<Submitted>) {
        if self.intake == Intake::Closed {
            // Whoever asked may be gone.
            let _ = reply.send(Err(Error::Closing));
            return;
        }
        // A name that nobody has is told at once, not when the job ends.
        let entry = self.setup.roster.route(&job.target).and_then(|_| intake::entry(job, &held, &self.setup));
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        while self.accepting.try_join_next().is_some() {}
        let (setup, myself) = (self.setup.clone(), self.myself.clone());
        self.accepting.spawn(async move {
            let taken = intake::accept(&setup, entry).await;
            drop(held);
            match taken {
                Ok(taken) => {
                    // An actor that is gone leaves it to its next incarnation, which reads the journal.
                    let _ = myself.cast(Msg::Taken(Box::new(taken), reply));
                }
                Err(error) => {
                    let _ = reply.send(Err(error));
                }
            }
        });
    }

    fn taken(&mut self, taken: Taken, reply: Reply<Submitted>) {
        let submitted = match taken {
            Taken::Known(board) => Submitted::known(JobHandle::new(board)),
            Taken::New { entry, number } => {
                let board = self.board(&entry, number);
                // Who read the journal meanwhile may have taken it up.
                if board.status().state == JobState::Queued && !self.crew.drives(entry.id) {
                    let charge = Charge {
                        number,
                        target: entry.target,
                        work: self.setup.located(entry.request.work),
                        directory: self.setup.directory(entry.id, entry.request.save_to),
                        machine: Machine::accepted(entry.terms),
                        last_seq: 0,
                        clock: Clock::new(),
                    };
                    self.drive(board.clone(), charge, None);
                }
                Submitted::new(JobHandle::new(board))
            }
        };
        // Whoever asked may be gone; the job goes on.
        let _ = reply.send(Ok(submitted));
        self.sweep();
    }

    /// The board of a job that was accepted now.
    fn board(&self, entry: &Entry, number: i64) -> Arc<Board> {
        let kept = if self.setup.journal.is_durable() { "on disk" } else { "kept in memory" };
        let (work, hub) = (entry.request.work.name(), self.setup.hub.clone());
        self.setup.shelf.put(Board::new(entry.id, &entry.target, work, kept, hub), number)
    }

    /// Goes on with a job of an earlier run, or of an earlier incarnation of this actor.
    fn take_up(&mut self, loaded: Loaded) {
        if self.crew.drives(loaded.id) {
            return;
        }
        let board = intake::restored(&self.setup, &loaded, Counted::Now);
        if !loaded.machine.stage().is_end() {
            self.resume(board, loaded, Event::Resumed);
        }
    }

    fn resume(&mut self, board: Arc<Board>, loaded: Loaded, event: Event) {
        let event = match (&loaded.request, loaded.damage) {
            (Some(_), None) => event,
            (_, damage) => Event::Crashed(damage.unwrap_or_else(|| {
                Fault::new(Code::Internal, "what it asks for is not in the state database")
            })),
        };
        let request = loaded.request.unwrap_or_else(intake::nothing);
        let charge = Charge {
            number: loaded.number,
            target: loaded.target,
            work: self.setup.located(request.work),
            directory: self.setup.directory(loaded.id, request.save_to),
            machine: loaded.machine,
            last_seq: loaded.last_seq,
            clock: Clock::resumed(loaded.accepted_at, loaded.age),
        };
        self.drive(board, charge, Some(event));
    }

    fn drive(&mut self, board: Arc<Board>, charge: Charge, first: Option<Event>) {
        let means = Means {
            roster: self.setup.roster.clone(),
            journal: self.setup.journal.clone(),
            leaving: self.leaving.clone(),
        };
        let id = board.id();
        self.crew.send(id, Driver::new(means, board, charge), first, self.myself.clone());
    }

    /// Runs an ended job again, where the journal has all of it.
    fn retry(&mut self, id: JobId, reply: Reply<()>) {
        let (setup, myself) = (self.setup.clone(), self.myself.clone());
        if self.intake == Intake::Closed {
            let _ = reply.send(Err(Error::Closing));
            return;
        }
        self.accepting.spawn(async move {
            let answer = match setup.journal.find(id).await {
                Ok(Some(loaded)) => intake::again(&setup, loaded).await,
                Ok(None) => Err(Error::UnknownJob { id: id.to_string() }),
                Err(trouble) => Err(trouble.into()),
            };
            let answer = answer.map(|loaded| {
                let _ = myself.cast(Msg::Loaded(vec![loaded]));
            });
            let _ = reply.send(answer);
        });
    }

    /// Collects drivers that ended. One that panicked holds its job, with a report, and harms no other.
    fn sweep(&mut self) {
        for (id, panic) in self.crew.collect(&self.myself) {
            self.crashed(id, &panic);
        }
        self.setup.shelf.bound();
        if self.crew.is_empty() {
            for reply in self.drained.drain(..) {
                // Whoever asked may be gone.
                let _ = reply.send(());
            }
        }
    }

    fn crashed(&mut self, id: JobId, panic: &str) {
        let fault = Fault::new(Code::Internal, format!("the job's driver crashed: {panic}"));
        let Some(kept) = self.setup.shelf.get(id) else { return };
        if !self.setup.journal.is_durable() {
            return kept.board.end(JobState::Held, "its driver crashed", Some(fault));
        }
        let setup = self.setup.clone();
        self.accepting.spawn(intake::hold(setup, kept.board, fault));
    }
}
