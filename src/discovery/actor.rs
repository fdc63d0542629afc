//! The actor that sweeps: at the start, on demand, and gently in the background. What it finds it hands on.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::oneshot, time::Instant};

use crate::{
    config::DiscoveryConfig,
    connection::alarm::{Alarm, Task},
    discovery::{
        Scope, Swept,
        agenda::{Agenda, Cause},
        sweep,
    },
};

/// Who waits for a sweep; refused where too many wait.
pub(crate) type Reply = oneshot::Sender<Result<Swept, Refused>>;

/// Takes each sweep that has ended. It is called in the actor: it must not wait.
pub(crate) type Sink = Arc<dyn Fn(Sweep) + Send + Sync>;

/// Too many different sweeps wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// A sweep that has ended.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// What was looked at.
    pub scope: Scope,
    /// Why.
    pub cause: Cause,
    /// What was found.
    pub swept: Swept,
}

pub(crate) enum Msg {
    /// The configuration was changed.
    Configured,
    /// It may be time.
    Turn,
    Discover(Scope, Reply),
    Swept(Swept),
    /// The sweep panicked: a bug, which a restart answers.
    Broke,
}

pub(crate) struct Explorer;

/// What survives a restart of the actor.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) config: Arc<ArcSwap<DiscoveryConfig>>,
    pub(crate) sink: Sink,
    /// When it last swept unasked: a crash does not make it sweep more often.
    pub(crate) last: Arc<Mutex<Option<Instant>>>,
}

impl Setup {
    pub(crate) fn new(config: DiscoveryConfig, sink: Sink) -> Self {
        Self { config: Arc::new(ArcSwap::from_pointee(config)), sink, last: Arc::default() }
    }

    fn own(&self) -> Option<(Scope, std::time::Duration)> {
        let config = self.config.load();
        config.enabled.then(|| (config.scope(), config.interval))
    }
}

pub(crate) struct State {
    myself: ActorRef<Msg>,
    setup: Setup,
    agenda: Agenda<Reply>,
    alarm: Alarm,
    sweeping: Option<Task>,
}

impl Actor for Explorer {
    type Msg = Msg;
    type State = State;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<State, ActorProcessingErr> {
        let last = *setup.last.lock().unwrap_or_else(PoisonError::into_inner);
        let agenda = Agenda::new(setup.own(), last, Instant::now());
        Ok(State { myself, setup, agenda, alarm: Alarm::default(), sweeping: None })
    }

    async fn post_start(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.turn();
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Configured => state.agenda.change(state.setup.own(), Instant::now()),
            Msg::Turn => {}
            Msg::Discover(scope, reply) => state.ask(scope, reply),
            Msg::Swept(swept) => state.swept(swept),
            Msg::Broke => return Err("a sweep panicked".into()),
        }
        state.turn();
        Ok(())
    }
}

impl State {
    fn ask(&mut self, scope: Scope, reply: Reply) {
        if let Err(reply) = self.agenda.ask(scope, reply) {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(Err(Refused));
        }
    }

    /// Begins what is due, and sets the alarm for what comes.
    fn turn(&mut self) {
        let now = Instant::now();
        if let Some(errand) = self.agenda.begin(now) {
            let (scope, myself) = (errand.scope.clone(), self.myself.clone());
            if errand.cause != Cause::Asked {
                *self.setup.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
            }
            self.sweeping = Some(Task::spawn(async move {
                let swept = AssertUnwindSafe(sweep(&scope, |_| {})).catch_unwind().await;
                // An actor that is gone takes no word.
                let _ = myself.cast(swept.map_or(Msg::Broke, Msg::Swept));
            }));
        }
        let myself = self.myself.clone();
        self.alarm.set(self.agenda.wake(), move || {
            let _ = myself.cast(Msg::Turn);
        });
    }

    fn swept(&mut self, swept: Swept) {
        self.sweeping = None;
        let Some(done) = self.agenda.ended(Instant::now(), fastrand::f64()) else { return };
        tracing::debug!(cause = ?done.cause, found = swept.found.len(), scanned = swept.scanned,
            took = ?swept.took, "swept");
        for reply in done.waiting {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(Ok(swept.clone()));
        }
        (self.setup.sink)(Sweep { scope: done.scope, cause: done.cause, swept });
    }
}
