//! The actor of pools: it publishes who belongs to each, serves who waits when time has passed, and shows how each
//! stands.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::oneshot, time::Instant};

use crate::{
    connection::alarm::Task,
    hub::Hub,
    pool::{route::Route, stir::Stir},
    roster::Roster,
};

/// Shortest time between turns: what moves in between is taken together.
const REST: Duration = Duration::from_millis(100);
/// Between turns while somebody waits for what time alone changes.
const BEAT: Duration = Duration::from_millis(100);

/// Between turns while something that is shown ends by itself.
const SHOW: Duration = Duration::from_secs(1);

pub(crate) enum Msg {
    /// Look at everything; answers when it wants to look again by itself.
    Turn(oneshot::Sender<Option<Duration>>),
    /// A bug, for tests.
    #[cfg(feature = "sim")]
    Panic,
}

/// What a pool's actor works with.
#[derive(Clone)]
pub(crate) struct Setup {
    /// Weak: the roster knows the tree.
    pub(crate) roster: Weak<Roster>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) routes: Vec<Arc<Route>>,
    /// What wakes it; one for all of its routes.
    pub(crate) stir: Arc<Stir>,
    pub(crate) shown: Shown,
}

/// Which of its pools are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Always,
    /// Once somebody asked for them.
    OnceUsed,
}

pub(crate) struct Pool;

pub(crate) struct State {
    setup: Setup,
    _ear: Task,
}

impl Actor for Pool {
    type Msg = Msg;
    type State = State;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<State, ActorProcessingErr> {
        let ear = Task::spawn(listen(setup.hub.moves.subscribe(), setup.stir.clone(), myself));
        Ok(State { setup, _ear: ear })
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Turn(reply) => {
                // An ear that is gone wants no answer.
                let _ = reply.send(state.turn());
            }
            #[cfg(feature = "sim")]
            Msg::Panic => panic!("a panic was injected into a pool"),
        }
        Ok(())
    }
}

/// Wakes the actor when something moved or its time has come, one turn after the other.
async fn listen(mut moves: tokio::sync::watch::Receiver<u64>, stir: Arc<Stir>, myself: ActorRef<Msg>) {
    loop {
        moves.borrow_and_update();
        let (reply, answer) = oneshot::channel();
        if myself.cast(Msg::Turn(reply)).is_err() {
            return;
        }
        let Ok(beat) = answer.await else { return };
        let taken = Instant::now();
        tokio::select! {
            moved = moves.changed() => if moved.is_err() { return },
            () = stir.stirred() => {}
            () = pause(beat) => {}
        }
        tokio::time::sleep_until(taken + REST).await;
    }
}

async fn pause(beat: Option<Duration>) {
    match beat {
        Some(beat) => tokio::time::sleep(beat).await,
        None => std::future::pending().await,
    }
}

impl State {
    fn turn(&self) -> Option<Duration> {
        let roster = self.setup.roster.upgrade()?;
        self.setup.stir.look();
        for route in &self.setup.routes {
            if let Some(members) = route.plan().members(&roster) {
                route.publish(members);
            }
            // Also without news of members: what was set aside for a time may be back.
            roster.line.serve_route(route);
            if self.setup.shown == Shown::Always || route.is_used() {
                self.setup.hub.set_pool(route.status());
            }
        }
        let speaks = self.look_after(&roster);
        let waited_for = self.setup.routes.iter().any(|route| route.waiting() > 0 && is_timed(route));
        waited_for.then_some(BEAT).or_else(|| speaks.then_some(SHOW))
    }

    /// Shows what came of the traffic to its members; the actor of the capabilities does for every backend. Tells
    /// whether some of it changes with time alone.
    fn look_after(&self, roster: &Roster) -> bool {
        if self.setup.shown == Shown::Always {
            let any = |route: &Arc<Route>| route.members().iter().any(|member| member.slot.traffic.speaks());
            return self.setup.routes.iter().any(any);
        }
        let mut speaks = false;
        for slot in roster.slots() {
            slot.show_slots();
            slot.show_traffic();
            speaks |= slot.traffic.speaks();
        }
        speaks
    }
}

/// Whether time alone lets somebody in: a share that grows, a pause that ends. All else is told to the line.
fn is_timed(route: &Route) -> bool {
    let now = Instant::now();
    route.members().iter().any(|member| member.slot.ease.share(now) < 1.0 || member.slot.traffic.speaks())
}
