//! Where a supervisor can be found: it outlives the supervisor's incarnations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ractor::{ActorId, ActorRef, ActorStatus};
use tokio::{sync::watch, task::JoinHandle};

use crate::{Bus, Exit, ExitKind, GaveUp, NodeState, SupervisorSpec, TreeSnapshot, row::Row, shell::Msg};

pub(crate) struct Address {
    pub(crate) bus: Bus,
    pub(crate) spec: SupervisorSpec,
    pub(crate) end: watch::Sender<Option<GaveUp>>,
    now: Mutex<Now>,
}

/// What the running incarnation shows of itself, and what the last one left.
#[derive(Default)]
pub(crate) struct Now {
    pub(crate) actor: Option<ActorRef<Msg>>,
    pub(crate) rows: Vec<Row>,
    last_exit: Option<Exit>,
    floor: u64,
    remains: Vec<JoinHandle<()>>,
    killed: Vec<Arc<str>>,
}

/// Why an incarnation ended, and what it leaves to the next one.
pub(crate) struct Legacy {
    pub(crate) why: Option<GaveUp>,
    /// The highest number of a child's incarnation.
    pub(crate) floor: u64,
    /// The tasks of the children that were up.
    pub(crate) remains: Vec<JoinHandle<()>>,
}

impl Address {
    pub(crate) fn new(bus: Bus, spec: SupervisorSpec) -> Self {
        Self { bus, spec, end: watch::Sender::new(None), now: Mutex::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An incarnation begins; gives the highest number of a child's incarnation so far. `None` where another lives:
    /// two supervisors at one address would each speak for the other's children.
    pub(crate) fn begin(&self, actor: ActorRef<Msg>) -> Option<u64> {
        let mut now = self.lock();
        if now.actor.as_ref().is_some_and(|a| a.get_status() < ActorStatus::Stopping) {
            return None;
        }
        now.actor = Some(actor);
        now.killed.clear();
        let floor = now.floor;
        drop(now);
        self.end.send_replace(None);
        self.bus.changed();
        Some(floor)
    }

    /// The incarnation is over. One that is replaced already has nothing to say any more.
    pub(crate) fn finish(&self, actor: ActorId, legacy: Legacy) {
        let own = || GaveUp {
            supervisor: self.spec.id.to_string(),
            child: self.spec.id.to_string(),
            exit: Exit::new(ExitKind::Killed, ""),
        };
        let why = legacy.why.unwrap_or_else(own);
        {
            let mut now = self.lock();
            if now.actor.as_ref().is_none_or(|a| a.get_id() != actor) {
                return;
            }
            now.actor = None;
            now.rows.iter_mut().for_each(Row::lower);
            now.last_exit = Some(why.exit.clone());
            now.floor = now.floor.max(legacy.floor);
            now.remains = legacy.remains;
        }
        self.end.send_replace(Some(why));
        self.bus.changed();
    }

    /// The tasks of the last incarnation's children, for whoever waits for them.
    pub(crate) fn take_remains(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.lock().remains)
    }

    /// A child had to be killed when it should have stopped.
    pub(crate) fn killed(&self, child: Arc<str>) {
        self.lock().killed.push(child);
    }

    /// The paths of the children below that had to be killed when they should have stopped.
    pub(crate) fn all_killed(&self) -> Vec<String> {
        let now = self.lock();
        let mut paths: Vec<String> = now.killed.iter().map(|id| id.to_string()).collect();
        for row in &now.rows {
            let below = row.branch().map(|branch| branch.address().all_killed()).unwrap_or_default();
            paths.extend(below.into_iter().map(|path| format!("{}/{path}", row.id())));
        }
        paths
    }

    pub(crate) fn snapshot(&self) -> TreeSnapshot {
        let now = self.lock();
        let mut shown = TreeSnapshot::down(&*self.spec.id);
        if now.actor.is_some() {
            shown.state = NodeState::Running;
        }
        shown.last_exit = now.last_exit.clone();
        shown.children = now.rows.iter().map(Row::snapshot).collect();
        shown
    }
}
