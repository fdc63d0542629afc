//! What a supervisor is told of its children.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use ractor::{Actor, ActorCell};
use tokio::time::Instant;

use crate::{Branch, Exit, Intensity, RestartDelay};

/// Who is restarted when a child crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The child alone. The default.
    #[default]
    OneForOne,
    /// All children.
    OneForAll,
    /// The child and those after it.
    RestForOne,
}

/// After which ends a child is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// After every end. The default.
    #[default]
    Permanent,
    /// After an abnormal end.
    Transient,
    /// Never.
    Temporary,
}

/// What happens when a child crashes more often than is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnIntensity {
    /// The supervisor gives up: it stops its children and crashes itself. Crashes of such children count together.
    /// The default.
    #[default]
    Escalate,
    /// The child is set aside, and its siblings live on. It has an intensity of its own; it is tried again by itself
    /// after a wait that doubles, and at once when it is released.
    Quarantine {
        /// How many restarts are allowed.
        intensity: Intensity,
        /// The first wait.
        trial: Duration,
        /// The longest wait.
        trial_cap: Duration,
    },
}

impl OnIntensity {
    /// Quarantine after 5 restarts in 30 s; tried again after 10 min, doubling to 6 h.
    pub const QUARANTINE: Self = Self::Quarantine {
        intensity: Intensity::new(5, Duration::from_secs(30)),
        trial: Duration::from_secs(600),
        trial_cap: Duration::from_secs(6 * 3600),
    };
}

/// What a start closure is given.
#[derive(Debug, Clone)]
pub struct StartContext {
    /// The supervisor, to link the child to.
    pub supervisor: ActorCell,
    /// The child's id.
    pub id: Arc<str>,
    /// Which start this is, counted from 1.
    pub incarnation: u64,
}

/// Why a child did not start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// What comes after a child's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// A restart, at this time.
    Restart(Instant),
    /// Quarantine; a trial at this time.
    Quarantine(Instant),
    /// Nothing: it ended, was removed, or its supervisor stops.
    Nothing,
}

/// A child went down: told to [`ChildSpec::on_down`], so that somebody speaks for it while no incarnation lives.
#[derive(Debug, Clone)]
pub struct Down<'a> {
    /// The child's id.
    pub id: &'a str,
    /// How it ended.
    pub exit: &'a Exit,
    /// What comes next.
    pub next: Next,
    /// Restarts after crashes so far, this one included.
    pub restarts: u64,
}

pub(crate) type Starting = Pin<Box<dyn Future<Output = Result<ActorCell, StartError>> + Send>>;
pub(crate) type OnDown = Arc<dyn Fn(Down<'_>) + Send + Sync>;

/// One child: how it is started, when it is restarted, how long it may take to stop.
#[derive(Clone)]
pub struct ChildSpec {
    pub(crate) id: Arc<str>,
    pub(crate) restart: Restart,
    pub(crate) on_intensity: OnIntensity,
    pub(crate) delay: RestartDelay,
    pub(crate) shutdown: Duration,
    pub(crate) start_deadline: Duration,
    pub(crate) start: Arc<dyn Fn(StartContext) -> Starting + Send + Sync>,
    pub(crate) stop: Arc<dyn Fn(&ActorCell) + Send + Sync>,
    pub(crate) branch: Option<Branch>,
    pub(crate) on_down: Option<OnDown>,
}

impl ChildSpec {
    /// A child that is started by a closure: it must spawn the actor linked to [`StartContext::supervisor`].
    pub fn new<F, S>(id: impl Into<Arc<str>>, start: S) -> Self
    where
        F: Future<Output = Result<ActorCell, StartError>> + Send + 'static,
        S: Fn(StartContext) -> F + Send + Sync + 'static,
    {
        Self {
            id: id.into(),
            restart: Restart::default(),
            on_intensity: OnIntensity::default(),
            delay: RestartDelay::default(),
            shutdown: Duration::from_secs(5),
            start_deadline: Duration::from_secs(5),
            start: Arc::new(move |context| Box::pin(start(context))),
            stop: Arc::new(|cell| cell.stop(None)),
            branch: None,
            on_down: None,
        }
    }

    /// A child that is an actor; the closure makes the actor and its arguments for each incarnation.
    pub fn actor<A, F>(id: impl Into<Arc<str>>, make: F) -> Self
    where
        A: Actor,
        F: Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    {
        Self::new(id, move |context| {
            let (actor, arguments) = make();
            async move {
                let (actor, _task) = Actor::spawn_linked(None, actor, arguments, context.supervisor).await?;
                Ok(actor.get_cell())
            }
        })
    }

    /// After which ends it is restarted. Default permanent.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// What happens when it crashes too often. Default: the supervisor gives up.
    #[must_use]
    pub fn on_intensity(mut self, on_intensity: OnIntensity) -> Self {
        self.on_intensity = on_intensity;
        self
    }

    /// The wait before its restarts.
    #[must_use]
    pub fn delay(mut self, delay: RestartDelay) -> Self {
        self.delay = delay;
        self
    }

    /// How long it may take to stop before it is killed. Default 5 s.
    #[must_use]
    pub fn shutdown(mut self, deadline: Duration) -> Self {
        self.shutdown = deadline;
        self
    }

    /// How long its start may take. Default 5 s.
    #[must_use]
    pub fn start_deadline(mut self, deadline: Duration) -> Self {
        self.start_deadline = deadline;
        self
    }

    /// How it is asked to stop; ractor's `stop` unless set. It must lead to the actor's end.
    #[must_use]
    pub fn stop_with(mut self, stop: impl Fn(&ActorCell) + Send + Sync + 'static) -> Self {
        self.stop = Arc::new(stop);
        self
    }

    /// Called at each end, in the supervisor, before the restart: it must be quick. A panic in it is caught.
    #[must_use]
    pub fn on_down(mut self, on_down: impl Fn(Down<'_>) + Send + Sync + 'static) -> Self {
        self.on_down = Some(Arc::new(on_down));
        self
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec")
            .field("id", &self.id)
            .field("restart", &self.restart)
            .field("on_intensity", &self.on_intensity)
            .finish_non_exhaustive()
    }
}

/// Gives the children of a supervisor at each of its starts, after the fixed ones.
pub(crate) type Wanted = Arc<dyn Fn() -> Vec<ChildSpec> + Send + Sync>;

/// One supervisor: its strategy, its patience, its children.
#[derive(Clone)]
pub struct SupervisorSpec {
    pub(crate) id: Arc<str>,
    pub(crate) strategy: Strategy,
    pub(crate) intensity: Intensity,
    pub(crate) children: Vec<ChildSpec>,
    pub(crate) wanted: Option<Wanted>,
    pub(crate) seed: u64,
}

impl SupervisorSpec {
    /// A supervisor without children: one_for_one, 3 restarts in 60 s.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self {
            id: id.into(),
            strategy: Strategy::default(),
            intensity: Intensity::default(),
            children: Vec::new(),
            wanted: None,
            seed: fastrand::u64(..),
        }
    }

    /// Who is restarted with whom.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// When it gives up.
    #[must_use]
    pub fn intensity(mut self, restarts: u32, within: Duration) -> Self {
        self.intensity = Intensity::new(restarts, within);
        self
    }

    /// Adds a child after the others.
    #[must_use]
    pub fn child(mut self, child: ChildSpec) -> Self {
        self.children.push(child);
        self
    }

    /// Children that are asked for at each start: so a supervisor that was restarted itself has the children that are
    /// wanted now, not those of its first start.
    #[must_use]
    pub fn wanted(mut self, wanted: impl Fn() -> Vec<ChildSpec> + Send + Sync + 'static) -> Self {
        self.wanted = Some(Arc::new(wanted));
        self
    }

    /// Fixes the dice of the restart delays.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}
