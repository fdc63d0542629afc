//! The address of a supervisor, as its users hold it.

use std::{fmt, sync::Arc, time::Duration};

use ractor::{ActorCell, ActorRef, ActorRuntime};
use tokio::sync::{broadcast, oneshot};

use crate::{
    Bus, ChildSpec, OnIntensity, RootHandle, SupervisorError, SupervisorSpec, TreeEvent, TreeSnapshot,
    TreeWatch,
    address::Address,
    shell::{Msg, Supervisor},
    start::linked,
    table::KILL_GRACE,
};

/// How long a supervisor has to answer a request.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a supervisor that is a child may take to stop: its own children's deadlines count, not this.
const STOP: Duration = Duration::from_secs(3600);

/// A supervisor's address: cheap to clone, and good across the supervisor's own restarts.
///
/// Where a request names a child, a path goes further down: `backends/comfy-a` at the root is `comfy-a` at `backends`.
#[derive(Clone)]
pub struct Branch(Arc<Address>);

impl Branch {
    /// The address of a supervisor that is not started yet.
    pub fn new(bus: &Bus, spec: SupervisorSpec) -> Self {
        Self(Arc::new(Address::new(bus.clone(), spec)))
    }

    /// The supervisor's id.
    pub fn id(&self) -> &str {
        &self.0.spec.id
    }

    /// This supervisor as a child of another. It stops in order, as long as its own children need. It starts anew when
    /// the children of its former incarnation are gone, or after a second where one of them blocks its thread.
    pub fn child(&self) -> ChildSpec {
        let branch = self.clone();
        let mut child = ChildSpec::born(self.0.spec.id.clone(), move |context| {
            let branch = branch.clone();
            Box::pin(async move {
                let remains = branch.0.take_remains();
                let gone = async {
                    for task in remains {
                        // However it ended: ractor's tasks catch the panics of their actors.
                        let _ = task.await;
                    }
                };
                // Who is late blocks its thread; it must not hold up the rest.
                let _ = tokio::time::timeout(KILL_GRACE, gone).await;
                linked(Supervisor, branch, context).await
            })
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
    /// Dropping the future kills the tree.
    ///
    /// # Errors
    /// [`SupervisorError::NotStarted`], where it runs already.
    pub async fn start_root(&self) -> Result<RootHandle, SupervisorError> {
        let refused = |why: String| SupervisorError::NotStarted(self.id().to_owned(), why);
        let (actor, started) = ActorRuntime::spawn_instant(None, Supervisor, self.clone())
            .map_err(|e| refused(e.to_string()))?;
        let root = RootHandle::new(self.clone(), actor.get_cell());
        match started.await {
            Ok(Ok(_task)) => Ok(root),
            Ok(Err(error)) => Err(refused(error.to_string())),
            Err(error) => Err(refused(error.to_string())),
        }
    }

    /// Adds a child after the others; it starts at once. Ok means that it is in the table, not that it runs.
    ///
    /// # Cancel safety
    /// Safe. What the supervisor has not begun by then is not done; the rest goes on.
    ///
    /// # Errors
    /// A duplicate id, or a supervisor that is restarting, stopping or deaf.
    pub async fn add(&self, child: ChildSpec) -> Result<(), SupervisorError> {
        self.ask(|reply| Msg::Add(Box::new(child), reply), ANSWER).await
    }

    /// Stops a child and forgets it; Ok once it is gone. Waits as long as the child's own deadline and 6 s.
    ///
    /// # Cancel safety
    /// Safe. What the supervisor has not begun by then is not done; the rest goes on.
    ///
    /// # Errors
    /// An unknown id, or a supervisor that is restarting or deaf.
    pub async fn remove(&self, path: &str) -> Result<(), SupervisorError> {
        let (branch, id) = self.resolve(path);
        let own = branch.0.lock().rows.iter().find(|r| r.id() == id).map(|row| row.shutdown());
        let patience = own.unwrap_or_default().saturating_add(KILL_GRACE + ANSWER);
        branch.ask(|reply| Msg::Remove(id.into(), reply), patience).await
    }

    /// Restarts a child, or starts one that waits, has ended or is quarantined; that counts as no crash.
    ///
    /// # Cancel safety
    /// Safe. What the supervisor has not begun by then is not done; the rest goes on.
    ///
    /// # Errors
    /// An unknown id, or a supervisor that is restarting, stopping or deaf.
    pub async fn restart(&self, path: &str) -> Result<(), SupervisorError> {
        let (branch, id) = self.resolve(path);
        branch.ask(|reply| Msg::Restart(id.into(), reply), ANSWER).await
    }

    /// Starts a child that is quarantined, with its crashes forgotten; one that is not is left alone.
    ///
    /// # Cancel safety
    /// Safe. What the supervisor has not begun by then is not done; the rest goes on.
    ///
    /// # Errors
    /// An unknown id, or a supervisor that is restarting, stopping or deaf.
    pub async fn release(&self, path: &str) -> Result<(), SupervisorError> {
        let (branch, id) = self.resolve(path);
        branch.ask(|reply| Msg::Release(id.into(), reply), ANSWER).await
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

    /// The supervisor further down at this path; `None` where there is none.
    pub fn at(&self, path: &str) -> Option<Self> {
        let (branch, id) = self.resolve(path);
        branch.below(id)
    }

    /// The actor of a child that runs now.
    pub fn cell(&self, path: &str) -> Option<ActorCell> {
        let (branch, id) = self.resolve(path);
        let now = branch.0.lock();
        now.rows.iter().find(|r| r.id() == id).and_then(|r| r.cell().cloned())
    }

    /// The tree from here on.
    pub fn snapshot(&self) -> TreeSnapshot {
        self.0.snapshot()
    }

    /// The tree from here on, for whoever follows it.
    pub fn watch(&self) -> TreeWatch {
        TreeWatch::new(self.clone())
    }

    /// The events of the whole tree from now on. A listener that is 256 behind is told how many it missed.
    pub fn events(&self) -> broadcast::Receiver<Arc<TreeEvent>> {
        self.0.bus.events()
    }

    pub(crate) fn address(&self) -> &Address {
        &self.0
    }

    fn below(&self, id: &str) -> Option<Self> {
        self.0.lock().rows.iter().find(|r| r.id() == id).and_then(|r| r.branch().cloned())
    }

    /// The supervisor that minds the child at this path, and the child's id there. An id may have a slash in it.
    fn resolve<'a>(&self, path: &'a str) -> (Self, &'a str) {
        let known = self.0.lock().rows.iter().any(|r| r.id() == path);
        match path.split_once('/') {
            Some((first, rest)) if !known => match self.below(first) {
                Some(branch) => branch.resolve(rest),
                None => (self.clone(), path),
            },
            _ => (self.clone(), path),
        }
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
        let actor = self.0.lock().actor.clone().ok_or_else(restarting)?;
        let (reply, answer) = oneshot::channel();
        actor.cast(make(reply)).map_err(|_| restarting())?;
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_dropped)) => Err(restarting()),
            Err(_) => Err(SupervisorError::NoAnswer(self.id().to_owned())),
        }
    }
}

impl fmt::Debug for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Branch").field(&self.id()).finish()
    }
}
