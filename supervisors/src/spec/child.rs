//! What a supervisor is told of one child.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use ractor::{Actor, ActorCell};

use crate::{
    Branch, Down, OnIntensity, Restart, RestartDelay, StartContext, StartError,
    down::OnDown,
    start::{Born, Start, Starting, linked},
    table::Policy,
};

/// One child: how it is started, when it is restarted, how long it may take to stop.
#[derive(Clone)]
pub struct ChildSpec {
    pub(crate) id: Arc<str>,
    pub(crate) restart: Restart,
    pub(crate) on_intensity: OnIntensity,
    pub(crate) delay: RestartDelay,
    pub(crate) shutdown: Duration,
    pub(crate) start_deadline: Duration,
    pub(crate) start: Start,
    pub(crate) stop: Arc<dyn Fn(&ActorCell) + Send + Sync>,
    pub(crate) branch: Option<Branch>,
    pub(crate) on_down: Option<OnDown>,
}

impl ChildSpec {
    /// A child that is started by a closure: it must spawn the actor linked to [`StartContext::supervisor`].
    ///
    /// It runs in a task of its own and may take until the start's deadline; dropped there, it starts nothing.
    pub fn new<F, S>(id: impl Into<Arc<str>>, start: S) -> Self
    where
        F: Future<Output = Result<ActorCell, StartError>> + Send + 'static,
        S: Fn(StartContext) -> F + Send + Sync + 'static,
    {
        Self::born(id, move |context| {
            let starting = start(context);
            Box::pin(async move { Ok(Born { cell: starting.await?, task: None }) })
        })
    }

    /// A child that is an actor; the closure makes the actor and its arguments for each incarnation.
    ///
    /// Its next incarnation starts when the state of the former one is dropped, and not before.
    pub fn actor<A, F>(id: impl Into<Arc<str>>, make: F) -> Self
    where
        A: Actor,
        F: Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    {
        Self::born(id, move |context| {
            let (actor, arguments) = make();
            Box::pin(linked(actor, arguments, context))
        })
    }

    pub(crate) fn born(
        id: impl Into<Arc<str>>,
        start: impl Fn(StartContext) -> Starting + Send + Sync + 'static,
    ) -> Self {
        Self {
            id: id.into(),
            restart: Restart::default(),
            on_intensity: OnIntensity::default(),
            delay: RestartDelay::default(),
            shutdown: Duration::from_secs(5),
            start_deadline: Duration::from_secs(5),
            start: Arc::new(start),
            stop: Arc::new(|cell| cell.stop(None)),
            branch: None,
            on_down: None,
        }
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

    /// Called at each end, in the supervisor, before the restart: it must be quick. A panic in it is caught. Where the
    /// supervisor itself dies, it is called from there, with [`Next::Nothing`](crate::Next::Nothing).
    #[must_use]
    pub fn on_down(mut self, on_down: impl Fn(Down<'_>) + Send + Sync + 'static) -> Self {
        self.on_down = Some(Arc::new(on_down));
        self
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            restart: self.restart,
            on_intensity: self.on_intensity,
            delay: self.delay,
            shutdown: self.shutdown,
        }
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
