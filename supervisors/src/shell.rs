//! The supervisor's actor: it carries out what the table decides.

mod alarm;
mod carry;
mod lives;
mod request;
mod starts;

use std::{collections::HashMap, sync::Arc};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::{sync::oneshot, time::Instant};

pub(crate) use self::request::Reply;
use self::{alarm::Alarm, lives::Lives, starts::Starts};
use crate::{
    Branch, ChildSpec, Down, Exit, ExitKind, GaveUp, Next, TreeSnapshot,
    address::Legacy,
    down,
    start::Born,
    table::{Input, Table},
};

/// What a supervisor is told; each message about a child carries its incarnation.
pub(crate) enum Msg {
    /// A start has succeeded.
    Started {
        id: Arc<str>,
        incarnation: u64,
        born: Born,
    },
    /// A start has failed, or is late.
    NotStarted {
        id: Arc<str>,
        incarnation: u64,
        exit: Exit,
    },
    /// Nothing of a start that did not succeed runs any more.
    StartOver {
        id: Arc<str>,
        incarnation: u64,
    },
    /// A child that had ended is gone with all that it held.
    Gone {
        id: Arc<str>,
        incarnation: u64,
        exit: Exit,
    },
    Tick,
    Add(Box<ChildSpec>, Reply),
    Remove(Arc<str>, Reply),
    Restart(Arc<str>, Reply),
    Release(Arc<str>, Reply),
    /// Answers with the tree from here on: asked of the actor, an answer proves that it lives.
    Describe(oneshot::Sender<TreeSnapshot>),
    Shutdown,
}

/// The actor.
pub(crate) struct Supervisor;

pub(crate) struct Shell {
    myself: ActorRef<Msg>,
    branch: Branch,
    table: Table,
    specs: HashMap<Arc<str>, ChildSpec>,
    lives: Lives,
    starts: Starts,
    alarm: Option<Alarm>,
    removals: HashMap<Arc<str>, Vec<Reply>>,
    end: Option<GaveUp>,
}

/// However the incarnation ends, its address learns it: a kill drops the state and runs nothing else.
impl Drop for Shell {
    fn drop(&mut self) {
        let mut remains = Vec::new();
        for (id, life) in self.lives.drain() {
            // ractor spares the children of a dead parent that are in their clean-up: one that is stuck there would
            // stay for ever.
            life.cell.kill();
            remains.extend(life.task);
            let child = self.table.children().iter().find(|c| c.id == id);
            if let (Some(on_down), Some(child)) =
                (self.specs.get(&id).and_then(|s| s.on_down.as_ref()), child)
            {
                let exit = Exit::new(ExitKind::Killed, "its supervisor ended");
                down::tell(
                    on_down,
                    Down { id: &id, exit: &exit, next: Next::Nothing, restarts: child.restarts },
                );
            }
        }
        let legacy = Legacy { why: self.end.take(), floor: self.table.highest(), remains };
        self.branch.address().finish(self.myself.get_id(), legacy);
    }
}

impl Actor for Supervisor {
    type Msg = Msg;
    type State = Shell;
    type Arguments = Branch;

    async fn pre_start(&self, myself: ActorRef<Msg>, branch: Branch) -> Result<Shell, ActorProcessingErr> {
        let Some(floor) = branch.address().begin(myself.clone()) else {
            return Err("it runs already".into());
        };
        let spec = &branch.address().spec;
        Ok(Shell {
            myself,
            table: Table::new(spec.strategy, spec.intensity, spec.seed, floor),
            specs: HashMap::new(),
            lives: Lives::default(),
            starts: Starts::default(),
            alarm: None,
            removals: HashMap::new(),
            end: None,
            branch,
        })
    }

    async fn post_start(&self, _: ActorRef<Msg>, shell: &mut Shell) -> Result<(), ActorProcessingErr> {
        let spec = shell.branch.address().spec.clone();
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
            Msg::Started { id, incarnation, born } => shell.started(id, incarnation, born),
            Msg::NotStarted { id, incarnation, exit } => shell.step(Input::Exited { id, incarnation, exit }),
            Msg::StartOver { id, incarnation } => shell.start_over(&id, incarnation),
            Msg::Gone { id, incarnation, exit } => shell.gone(id, incarnation, exit),
            Msg::Tick => shell.step(Input::Tick),
            Msg::Add(child, reply) => shell.asked_to_add(*child, reply),
            Msg::Remove(id, reply) => shell.asked_to_remove(id, reply),
            Msg::Restart(id, reply) => shell.asked(&id, reply, Table::restart),
            Msg::Release(id, reply) => shell.asked(&id, reply, Table::release),
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
        let (exit, actor) = (Exit::classify(&event), event.actor_id());
        // The event carries the state of a child that stopped: what it holds is released before anything follows.
        drop(event);
        let (Some(exit), Some(actor)) = (exit, actor) else { return Ok(()) };
        match shell.lives.ended(actor, exit, shell.starts.len(), &shell.myself) {
            Some((id, incarnation, exit)) => shell.gone(id, incarnation, exit),
            None => Ok(()),
        }
    }
}

impl Shell {
    fn started(&mut self, id: Arc<str>, incarnation: u64, born: Born) -> Result<(), ActorProcessingErr> {
        self.starts.forget(&id, incarnation);
        let current = self.table.children().iter().any(|c| c.id == id && c.incarnation == incarnation);
        if !current {
            // Its start was given up just as it succeeded.
            born.cell.kill();
            return Ok(());
        }
        let early = self.lives.begin(id.clone(), incarnation, born);
        self.step(Input::Started { id: id.clone(), incarnation })?;
        match early {
            Some(exit) => self.gone(id, incarnation, exit),
            None => Ok(()),
        }
    }

    /// A start that was given up may have left an actor behind that nobody knows. Which of the unknown ones it is
    /// cannot be told while other starts are under way.
    fn start_over(&mut self, id: &Arc<str>, incarnation: u64) -> Result<(), ActorProcessingErr> {
        self.starts.forget(id, incarnation);
        if self.starts.len() == 0 {
            for cell in self.myself.get_children() {
                if !self.lives.knows(cell.get_id()) {
                    cell.kill();
                }
            }
        }
        Ok(())
    }

    fn gone(&mut self, id: Arc<str>, incarnation: u64, exit: Exit) -> Result<(), ActorProcessingErr> {
        self.lives.forget(&id, incarnation);
        self.step(Input::Exited { id, incarnation, exit })
    }

    fn step(&mut self, input: Input) -> Result<(), ActorProcessingErr> {
        let outputs = self.table.step(input, Instant::now());
        self.carry(outputs)
    }
}
