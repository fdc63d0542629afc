//! The supervisor's actor: it carries out what the table decides.

mod carry;
mod starts;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

use self::starts::Starts;
use crate::{
    Branch, ChildSpec, Exit, GaveUp, SupervisorError, TreeSnapshot,
    table::{Input, Policy, Refusal, Table},
};

pub(crate) type Reply = oneshot::Sender<Result<(), SupervisorError>>;

/// What a supervisor is told; each message about a child carries its incarnation.
pub(crate) enum Msg {
    Started {
        id: Arc<str>,
        incarnation: u64,
        cell: ActorCell,
    },
    NotStarted {
        id: Arc<str>,
        incarnation: u64,
        exit: Exit,
    },
    Tick,
    Add(Box<ChildSpec>, Reply),
    Remove(Arc<str>, Reply),
    Restart(Arc<str>, Reply),
    /// Answers with the tree from here on: asked of the actor, an answer proves that it lives.
    Describe(oneshot::Sender<TreeSnapshot>),
    Shutdown,
}

/// The actor.
pub(crate) struct Supervisor;

/// How many ends of actors that are not known yet are kept: an actor may end before its start is reported.
const EARLY: usize = 64;

pub(crate) struct Shell {
    myself: ActorRef<Msg>,
    branch: Branch,
    table: Table,
    specs: HashMap<Arc<str>, ChildSpec>,
    cells: HashMap<Arc<str>, (u64, ActorCell)>,
    early: VecDeque<(ActorId, Exit)>,
    starts: Starts,
    alarm: Option<(Instant, Alarm)>,
    removals: HashMap<Arc<str>, Vec<Reply>>,
    end: Option<GaveUp>,
}

/// A timer that ends with its owner.
struct Alarm(JoinHandle<()>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// However the incarnation ends, its address learns it: a kill drops the state and runs nothing else.
impl Drop for Shell {
    fn drop(&mut self) {
        self.branch.finish(self.end.take());
    }
}

impl Actor for Supervisor {
    type Msg = Msg;
    type State = Shell;
    type Arguments = Branch;

    async fn pre_start(&self, myself: ActorRef<Msg>, branch: Branch) -> Result<Shell, ActorProcessingErr> {
        let spec = branch.spec();
        let table = Table::new(spec.strategy, spec.intensity, spec.seed);
        branch.begin(myself.clone());
        Ok(Shell {
            myself,
            table,
            specs: HashMap::new(),
            cells: HashMap::new(),
            early: VecDeque::new(),
            starts: Starts::default(),
            alarm: None,
            removals: HashMap::new(),
            end: None,
            branch,
        })
    }

    async fn post_start(&self, _: ActorRef<Msg>, shell: &mut Shell) -> Result<(), ActorProcessingErr> {
        let spec = shell.branch.spec().clone();
        let wanted = spec.wanted.map(|wanted| wanted()).unwrap_or_default();
        for child in spec.children.into_iter().chain(wanted) {
            let id = child.id.clone();
            // Fixed children come first; a wanted one of the same name harms nobody.
            if shell.add(child).is_err() {
                tracing::warn!(supervisor = shell.branch.id(), child = %id, "a second child of this id is left out");
            }
        }
        shell.step(Input::Begin)
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, shell: &mut Shell) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Started { id, incarnation, cell } => shell.started(id, incarnation, cell),
            Msg::NotStarted { id, incarnation, exit } => shell.not_started(id, incarnation, exit),
            Msg::Tick => shell.step(Input::Tick),
            Msg::Add(child, reply) => shell.asked_to_add(*child, reply),
            Msg::Remove(id, reply) => shell.asked_to_remove(id, reply),
            Msg::Restart(id, reply) => shell.asked_to_restart(&id, reply),
            Msg::Describe(reply) => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(shell.branch.snapshot());
                Ok(())
            }
            Msg::Shutdown => shell.step(Input::Shutdown),
        }
    }

    /// ractor's own handler would stop the supervisor when any child ends.
    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg>,
        event: SupervisionEvent,
        shell: &mut Shell,
    ) -> Result<(), ActorProcessingErr> {
        let Some(exit) = Exit::classify(&event) else { return Ok(()) };
        let Some(actor) = event.actor_id() else { return Ok(()) };
        shell.ended(actor, exit)
    }
}

impl Shell {
    fn add(&mut self, child: ChildSpec) -> Result<Vec<crate::table::Output>, Refusal> {
        let policy = Policy {
            restart: child.restart,
            on_intensity: child.on_intensity,
            delay: child.delay,
            shutdown: child.shutdown,
        };
        // Only a child that is new may replace what is known under its id.
        match self.table.add(child.id.clone(), policy, Instant::now()) {
            Ok(outputs) => {
                self.specs.insert(child.id.clone(), child);
                Ok(outputs)
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn asked_to_add(&mut self, child: ChildSpec, reply: Reply) -> Result<(), ActorProcessingErr> {
        let id = child.id.clone();
        match self.add(child) {
            Ok(outputs) => {
                let carried = self.carry(outputs);
                // Whoever asked may have stopped waiting.
                let _ = reply.send(Ok(()));
                carried
            }
            Err(refusal) => self.refuse(&id, refusal, reply),
        }
    }

    fn asked_to_remove(&mut self, id: Arc<str>, reply: Reply) -> Result<(), ActorProcessingErr> {
        match self.table.remove(&id, Instant::now()) {
            Ok(outputs) => {
                self.removals.entry(id).or_default().push(reply);
                self.carry(outputs)
            }
            Err(refusal) => self.refuse(&id, refusal, reply),
        }
    }

    fn asked_to_restart(&mut self, id: &Arc<str>, reply: Reply) -> Result<(), ActorProcessingErr> {
        match self.table.restart(id, Instant::now()) {
            Ok(outputs) => {
                let carried = self.carry(outputs);
                let _ = reply.send(Ok(()));
                carried
            }
            Err(refusal) => self.refuse(id, refusal, reply),
        }
    }

    fn refuse(&self, id: &str, refusal: Refusal, reply: Reply) -> Result<(), ActorProcessingErr> {
        let error = match refusal {
            Refusal::Duplicate => SupervisorError::DuplicateId(id.to_owned()),
            Refusal::Unknown => SupervisorError::UnknownChild(id.to_owned()),
            Refusal::Leaving => SupervisorError::ShuttingDown(self.branch.id().to_owned()),
        };
        let _ = reply.send(Err(error));
        Ok(())
    }

    fn started(&mut self, id: Arc<str>, incarnation: u64, cell: ActorCell) -> Result<(), ActorProcessingErr> {
        self.starts.forget(&id, incarnation);
        let actor = cell.get_id();
        let current = self.table.children().iter().any(|c| c.id == id && c.incarnation == incarnation);
        if !current {
            // Its start was given up just as it succeeded.
            cell.kill();
            return Ok(());
        }
        self.cells.insert(id.clone(), (incarnation, cell));
        self.step(Input::Started { id: id.clone(), incarnation })?;
        // It may have ended before its start was reported.
        match self.early.iter().position(|(early, _)| *early == actor) {
            Some(at) => {
                let (_, exit) = self.early.remove(at).expect("the place was just found");
                self.exited(id, incarnation, exit)
            }
            None => Ok(()),
        }
    }

    fn not_started(&mut self, id: Arc<str>, incarnation: u64, exit: Exit) -> Result<(), ActorProcessingErr> {
        self.starts.forget(&id, incarnation);
        self.step(Input::Exited { id, incarnation, exit })
    }

    fn ended(&mut self, actor: ActorId, exit: Exit) -> Result<(), ActorProcessingErr> {
        let known = self.cells.iter().find(|(_, (_, cell))| cell.get_id() == actor);
        match known.map(|(id, (incarnation, _))| (id.clone(), *incarnation)) {
            Some((id, incarnation)) => self.exited(id, incarnation, exit),
            None => {
                if self.early.len() == EARLY {
                    self.early.pop_front();
                }
                self.early.push_back((actor, exit));
                Ok(())
            }
        }
    }

    fn exited(&mut self, id: Arc<str>, incarnation: u64, exit: Exit) -> Result<(), ActorProcessingErr> {
        self.cells.remove(&id);
        self.step(Input::Exited { id, incarnation, exit })
    }

    fn step(&mut self, input: Input) -> Result<(), ActorProcessingErr> {
        let outputs = self.table.step(input, Instant::now());
        self.carry(outputs)
    }
}
