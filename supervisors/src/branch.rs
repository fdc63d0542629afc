//! The address of a supervisor: it outlives the supervisor's own restarts.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ractor::{Actor, ActorCell, ActorRef};
use serde::Serialize;
use tokio::sync::{oneshot, watch};

use crate::{
    Bus, ChildSpec, Exit, ExitKind, NodeState, OnIntensity, RootHandle, SupervisorError, SupervisorSpec,
    TreeSnapshot,
    shell::{Msg, Supervisor},
};

/// How long a supervisor has to answer a request.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a supervisor that is a child may take to stop: its own children's deadlines count, not this.
const STOP: Duration = Duration::from_secs(3600);

/// A supervisor's address: cheap to clone, and good across the supervisor's own restarts.
#[derive(Clone)]
pub struct Branch(Arc<Address>);

struct Address {
    bus: Bus,
    spec: SupervisorSpec,
    now: Mutex<Now>,
    end: watch::Sender<Option<GaveUp>>,
}

/// What the running incarnation shows of itself.
#[derive(Default)]
struct Now {
    actor: Option<ActorRef<Msg>>,
    rows: Vec<Row>,
}

/// One child as its supervisor shows it.
pub(crate) struct Row {
    pub(crate) shown: TreeSnapshot,
    pub(crate) cell: Option<ActorCell>,
    pub(crate) branch: Option<Branch>,
}

/// Why a supervisor is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GaveUp {
    /// The supervisor.
    pub supervisor: String,
    /// The child that brought it down; its own id where none did.
    pub child: String,
    /// How that child last ended.
    pub exit: Exit,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` gave up because `{}` {}", self.supervisor, self.child, self.exit)
    }
}

impl Branch {
    /// The address of a supervisor that is not started yet.
    pub fn new(bus: &Bus, spec: SupervisorSpec) -> Self {
        let now = Mutex::default();
        Self(Arc::new(Address { bus: bus.clone(), spec, now, end: watch::Sender::new(None) }))
    }

    /// The supervisor's id.
    pub fn id(&self) -> &str {
        &self.0.spec.id
    }

    /// This supervisor as a child of another. It stops in order, as long as its own children need.
    pub fn child(&self) -> ChildSpec {
        let branch = self.clone();
        let mut child = ChildSpec::new(self.0.spec.id.clone(), move |context| {
            let branch = branch.clone();
            async move {
                let (actor, _task) =
                    Actor::spawn_linked(None, Supervisor, branch, context.supervisor).await?;
                Ok(actor.get_cell())
            }
        })
        .shutdown(STOP)
        .on_intensity(OnIntensity::Escalate)
        .stop_with(|cell| {
            // A supervisor that is gone needs no stop.
            let _ = ActorRef::<Msg>::from(cell.clone()).cast(Msg::Shutdown);
        });
        child.branch = Some(self.clone());
        child
    }

    /// Starts it as the root of a tree.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the tree running; it ends with the runtime then.
    ///
    /// # Errors
    /// [`SupervisorError::NotStarted`].
    pub async fn start_root(&self) -> Result<RootHandle, SupervisorError> {
        let (actor, _task) = Actor::spawn(None, Supervisor, self.clone())
            .await
            .map_err(|e| SupervisorError::NotStarted(self.id().to_owned(), e.to_string()))?;
        Ok(RootHandle::new(self.clone(), actor.get_cell()))
    }

    /// Adds a child after the others; it starts at once. Ok means that it is in the table, not that it runs.
    ///
    /// # Cancel safety
    /// Safe; what was asked may still be done.
    ///
    /// # Errors
    /// A duplicate id, or a supervisor that is restarting, stopping or deaf.
    pub async fn add(&self, child: ChildSpec) -> Result<(), SupervisorError> {
        self.ask(|reply| Msg::Add(Box::new(child), reply), ANSWER).await
    }

    /// Stops a child and forgets it; Ok once it is gone. Waits as long as the child's own deadline and 5 s.
    ///
    /// # Cancel safety
    /// Safe; what was asked may still be done.
    ///
    /// # Errors
    /// An unknown id, or a supervisor that is restarting or deaf.
    pub async fn remove(&self, id: &str) -> Result<(), SupervisorError> {
        let patience = self.lock().rows.iter().find(|r| r.shown.id == id).map_or(ANSWER, |_| ANSWER + STOP);
        self.ask(|reply| Msg::Remove(id.into(), reply), patience).await
    }

    /// Restarts a child, or starts one that waits, has ended or is quarantined; that counts as no crash.
    ///
    /// # Cancel safety
    /// Safe; what was asked may still be done.
    ///
    /// # Errors
    /// An unknown id, or a supervisor that is restarting, stopping or deaf.
    pub async fn restart(&self, id: &str) -> Result<(), SupervisorError> {
        self.ask(|reply| Msg::Restart(id.into(), reply), ANSWER).await
    }

    /// The tree from here on, asked of the supervisor itself: an answer proves that it lives.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// A supervisor that is restarting or deaf.
    pub async fn describe(&self, patience: Duration) -> Result<TreeSnapshot, SupervisorError> {
        self.call(Msg::Describe, patience).await
    }

    /// The actor of a child that runs now.
    pub fn cell(&self, id: &str) -> Option<ActorCell> {
        self.lock().rows.iter().find(|r| r.shown.id == id).and_then(|r| r.cell.clone())
    }

    /// The tree from here on.
    pub fn snapshot(&self) -> TreeSnapshot {
        let now = self.lock();
        let mut shown = TreeSnapshot::down(self.id());
        if now.actor.is_some() {
            shown.state = NodeState::Running;
        }
        shown.children = now.rows.iter().map(Row::snapshot).collect();
        shown
    }

    async fn ask(
        &self,
        make: impl FnOnce(oneshot::Sender<Result<(), SupervisorError>>) -> Msg,
        patience: Duration,
    ) -> Result<(), SupervisorError> {
        self.call(make, patience).await?
    }

    async fn call<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<T>) -> Msg,
        patience: Duration,
    ) -> Result<T, SupervisorError> {
        let restarting = || SupervisorError::Restarting(self.id().to_owned());
        let actor = self.lock().actor.clone().ok_or_else(restarting)?;
        let (reply, answer) = oneshot::channel();
        actor.cast(make(reply)).map_err(|_| restarting())?;
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_dropped)) => Err(restarting()),
            Err(_) => Err(SupervisorError::NoAnswer(self.id().to_owned())),
        }
    }

    /// Why it ended, once it has.
    pub(crate) fn end(&self) -> watch::Receiver<Option<GaveUp>> {
        self.0.end.subscribe()
    }

    pub(crate) fn spec(&self) -> &SupervisorSpec {
        &self.0.spec
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.0.bus
    }

    pub(crate) fn begin(&self, actor: ActorRef<Msg>) {
        self.0.end.send_replace(None);
        self.lock().actor = Some(actor);
        self.0.bus.changed();
    }

    pub(crate) fn show(&self, rows: Vec<Row>) {
        self.lock().rows = rows;
        self.0.bus.changed();
    }

    /// The incarnation is over; `why` where it gave up.
    pub(crate) fn finish(&self, why: Option<GaveUp>) {
        {
            let mut now = self.lock();
            now.actor = None;
            for row in &mut now.rows {
                row.cell = None;
                row.shown.state = NodeState::Down;
            }
        }
        let own = || GaveUp {
            supervisor: self.id().to_owned(),
            child: self.id().to_owned(),
            exit: Exit::new(ExitKind::Normal, "stopped"),
        };
        self.0.end.send_replace(Some(why.unwrap_or_else(own)));
        self.0.bus.changed();
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Branch").field(&self.id()).finish()
    }
}

impl Row {
    fn snapshot(&self) -> TreeSnapshot {
        let mut shown = self.shown.clone();
        if let Some(branch) = &self.branch {
            shown.children = branch.snapshot().children;
        }
        shown
    }
}
