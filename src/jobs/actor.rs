//! The actor that owns the jobs' drivers.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::oneshot, task::JoinSet, time::Instant};

use crate::{
    connection::alarm::Alarm,
    error::Error,
    hub::Hub,
    jobs::{Job, JobHandle, board::Board, drive::Driver},
    model::{Code, Fault, JobState},
    roster::Roster,
};

/// Ended jobs that are remembered.
const REMEMBERED: usize = 1_000;
/// Jobs that may be under way at once.
const LIMIT: usize = 10_000;
/// Between a driver's last word and the end of its task.
const A_MOMENT: Duration = Duration::from_millis(5);

pub(crate) enum Msg {
    Submit(Box<Job>, oneshot::Sender<Result<JobHandle, Error>>),
    List(oneshot::Sender<Vec<JobHandle>>),
    /// Takes nothing new from now on; answers when all that is under way has ended.
    Drain(oneshot::Sender<()>),
    /// A driver is about to end.
    Ending,
    Sweep,
}

pub(crate) struct Jobs;

pub(crate) struct Setup {
    pub(crate) roster: Arc<Roster>,
    pub(crate) hub: Arc<Hub>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Intake {
    Open,
    Closed,
}

pub(crate) struct State {
    myself: ActorRef<Msg>,
    setup: Setup,
    intake: Intake,
    boards: Vec<Arc<Board>>,
    drivers: JoinSet<()>,
    by_task: HashMap<tokio::task::Id, Arc<Board>>,
    drained: Vec<oneshot::Sender<()>>,
    /// Drivers that said that they end and are not joined yet.
    ending: usize,
    alarm: Alarm,
}

/// A job whose driver is gone must not look as if it ran.
impl Drop for State {
    fn drop(&mut self) {
        for board in &self.boards {
            let (state, what) = match board.status().state {
                JobState::Queued => {
                    (JobState::Failed, "Backline stopped before the job was sent; it never ran")
                }
                _ => (
                    JobState::Uncertain,
                    "Backline stopped before the job ended; what runs at the backend goes on",
                ),
            };
            board.end(state, "its driver is gone", Some(Fault::new(Code::Closing, what)));
        }
    }
}

impl Actor for Jobs {
    type Msg = Msg;
    type State = State;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<State, ActorProcessingErr> {
        Ok(State {
            myself,
            setup,
            intake: Intake::Open,
            boards: Vec::new(),
            drivers: JoinSet::new(),
            by_task: HashMap::new(),
            drained: Vec::new(),
            ending: 0,
            alarm: Alarm::default(),
        })
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Submit(job, reply) => {
                let answer = state.submit(*job);
                // Whoever asked may be gone; the job goes on.
                let _ = reply.send(answer);
            }
            Msg::List(reply) => {
                let _ = reply.send(state.boards.iter().cloned().map(JobHandle::new).collect());
            }
            Msg::Drain(reply) => {
                state.intake = Intake::Closed;
                state.drained.push(reply);
                state.sweep();
            }
            Msg::Ending => {
                state.ending += 1;
                state.sweep();
            }
            Msg::Sweep => state.sweep(),
        }
        Ok(())
    }
}

impl State {
    fn submit(&mut self, job: Job) -> Result<JobHandle, Error> {
        if self.intake == Intake::Closed {
            return Err(Error::Closing);
        }
        let work = job.work.clone()?;
        // A name that nobody has is told at once, not when the job ends.
        self.setup.roster.candidates(&job.target)?;
        if self.drivers.len() >= LIMIT {
            let fault = Fault::new(Code::QueueFull, format!("{LIMIT} jobs are under way already"));
            return Err(Error::Fault(fault));
        }
        self.sweep();
        let board = Board::new(&job, self.setup.hub.clone());
        let driver = Driver {
            roster: self.setup.roster.clone(),
            board: board.clone(),
            target: job.target,
            work,
            save_to: job.save_to,
        };
        let myself = self.myself.clone();
        let span = tracing::info_span!("job", job = %board.id());
        let drive = async move {
            let _told = Ending(myself);
            driver.drive().await;
        };
        let task = self.drivers.spawn(tracing::Instrument::instrument(drive, span));
        self.by_task.insert(task.id(), board.clone());
        self.boards.push(board.clone());
        Ok(JobHandle::new(board))
    }

    /// Collects drivers that ended. One that panicked holds its job, with a report, and harms no other.
    fn sweep(&mut self) {
        while let Some(ended) = self.drivers.try_join_next_with_id() {
            self.ending = self.ending.saturating_sub(1);
            let (task, panic) = match ended {
                Ok((task, ())) => (task, None),
                Err(error) => (error.id(), Some(error)),
            };
            if let (Some(board), Some(panic)) = (self.by_task.remove(&task), panic) {
                let fault = Fault::new(Code::Internal, format!("the job's driver crashed: {panic}"));
                board.end(JobState::Held, "its driver crashed", Some(fault));
            }
        }
        let ended = |b: &Arc<Board>| b.status().state.is_end();
        let surplus = self.boards.iter().filter(|b| ended(b)).count().saturating_sub(REMEMBERED);
        let mut dropped = 0;
        self.boards.retain(|b| {
            let old = dropped < surplus && ended(b);
            dropped += usize::from(old);
            !old
        });
        if self.ending > 0 {
            // It said so from inside its task, which ends a moment later.
            let myself = self.myself.clone();
            self.alarm.set(Some(Instant::now() + A_MOMENT), move || {
                let _ = myself.cast(Msg::Sweep);
            });
        }
        if self.drivers.is_empty() {
            for reply in self.drained.drain(..) {
                let _ = reply.send(());
            }
        }
    }
}

/// Tells the actor when a driver ends, however it ends.
struct Ending(ActorRef<Msg>);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.cast(Msg::Ending);
    }
}
