//! The registry's actor: takes what was seen of the backends into its index, has them looked at anew, and answers.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    sync::{Semaphore, oneshot, watch},
    task::JoinSet,
    time::Instant,
};

use super::{
    entry::{Entry, Register},
    index::Index,
    watched::{Due, End, Watched},
    wish::Capable,
};
use crate::{
    connection::{
        alarm::{Alarm, Task},
        slot::Slot,
    },
    hub::Hub,
    model::{BackendId, Code, Epoch, Fault, Identity, Signature},
    net::witness::told_elsewhere,
    roster::Roster,
};

/// Between turns: what is seen of a thousand backends that came together is taken in together.
const BEAT: Duration = Duration::from_millis(50);
/// Longest look: a server with many custom nodes needs seconds for its list.
const LOOK: Duration = Duration::from_secs(60);
/// Looks at a time, over all backends: the answers are megabytes.
const LOOKS: usize = 4;

pub(crate) enum Msg {
    Turn,
    Looked { id: BackendId, epoch: Epoch, outcome: Result<Option<Identity>, Fault> },
    Capable(Capable, oneshot::Sender<Result<Vec<Entry>, Fault>>),
    Functions(BackendId, oneshot::Sender<Vec<Signature>>),
    Everything(oneshot::Sender<Register>),
}

pub(crate) struct Registrar;

/// What the registrar works with.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) roster: Arc<Roster>,
    pub(crate) hub: Arc<Hub>,
}

pub(crate) struct State {
    myself: ActorRef<Msg>,
    setup: Setup,
    index: Index,
    places: HashMap<BackendId, Place>,
    looks: JoinSet<()>,
    turnstile: Arc<Semaphore>,
    alarm: Alarm,
    seen: watch::Receiver<u64>,
    /// One wait at a time, so that no turns queue up.
    wait: Option<Task>,
}

/// One backend. A change of its settings may make it another server, in another slot.
struct Place {
    slot: Weak<Slot>,
    watched: Watched,
}

impl Actor for Registrar {
    type Msg = Msg;
    type State = State;
    type Arguments = Setup;

    async fn pre_start(&self, myself: ActorRef<Msg>, setup: Setup) -> Result<State, ActorProcessingErr> {
        Ok(State {
            seen: setup.hub.seen.subscribe(),
            wait: None,
            myself,
            setup,
            index: Index::default(),
            places: HashMap::new(),
            looks: JoinSet::new(),
            turnstile: Arc::new(Semaphore::new(LOOKS)),
            alarm: Alarm::default(),
        })
    }

    async fn post_start(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.turn();
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Turn => state.turn(),
            Msg::Looked { id, epoch, outcome } => state.looked(&id, epoch, outcome),
            // Whoever asked may have stopped waiting.
            Msg::Capable(wish, reply) => drop(reply.send(state.capable(&wish))),
            Msg::Functions(id, reply) => drop(reply.send(state.functions(&id))),
            Msg::Everything(reply) => drop(reply.send(state.register())),
        }
        Ok(())
    }
}

impl State {
    /// Takes in what was seen, and begins the looks that are due.
    fn turn(&mut self) {
        let now = Instant::now();
        self.seen.mark_unchanged();
        while self.looks.try_join_next().is_some() {}
        self.take_in();
        let slots = self.setup.roster.slots();
        let next = slots.iter().filter_map(|slot| self.attend(slot, now)).min();
        let myself = self.myself.clone();
        self.alarm.set(next, move || {
            let _ = myself.cast(Msg::Turn);
        });
        self.wait();
    }

    /// Waits until something new was seen.
    fn wait(&mut self) {
        let (myself, mut seen) = (self.myself.clone(), self.seen.clone());
        self.wait = Some(Task::spawn(async move {
            tokio::time::sleep(BEAT).await;
            // A hub that is gone: the tree ends.
            if seen.changed().await.is_ok() {
                let _ = myself.cast(Msg::Turn);
            }
        }));
    }

    fn take_in(&mut self) {
        let slots = self.setup.roster.slots();
        self.index.retain(|id| slots.iter().any(|slot| slot.config.id == *id));
        self.places.retain(|id, _| slots.iter().any(|slot| slot.config.id == *id));
        for slot in &slots {
            let id = &slot.config.id;
            let place = self.places.entry(id.clone()).or_insert_with(|| Place::new(slot));
            if !std::ptr::eq(place.slot.as_ptr(), Arc::as_ptr(slot)) {
                *place = Place::new(slot);
                self.index.forget(id);
            }
            if let Some(observed) = slot.record.observed() {
                self.index.put(id, &observed);
            }
        }
    }

    /// Looks at a backend where that is due; else says when it will be.
    fn attend(&mut self, slot: &Arc<Slot>, now: Instant) -> Option<Instant> {
        let place = self.places.get_mut(&slot.config.id)?;
        let (live, _) = slot.door.session()?;
        let (observed, doubts) = (slot.record.observed()?, slot.record.doubts());
        match place.watched.due(&observed, live, doubts)? {
            Due::At(at) if now < at => Some(at),
            Due::At(_) | Due::Now => {
                place.watched.begin(live, doubts);
                self.look(slot.clone(), live);
                None
            }
        }
    }

    fn look(&mut self, slot: Arc<Slot>, epoch: Epoch) {
        let (myself, turnstile) = (self.myself.clone(), self.turnstile.clone());
        self.looks.spawn(async move {
            let id = slot.config.id.clone();
            // Nobody closes it.
            let _turn = turnstile.acquire().await;
            let outcome = match slot.door.session() {
                Some((live, session)) if live == epoch => {
                    match tokio::time::timeout(LOOK, told_elsewhere(session.observe())).await {
                        Ok(outcome) => outcome,
                        Err(_) => {
                            Err(Fault::new(Code::RequestTimeout, format!("no whole answer in {LOOK:?}")))
                        }
                    }
                }
                _ => Err(Fault::new(Code::ConnectionClosed, "the session ended before it was looked at")),
            };
            let _ = myself.cast(Msg::Looked { id, epoch, outcome });
        });
    }

    fn looked(&mut self, id: &BackendId, epoch: Epoch, outcome: Result<Option<Identity>, Fault>) {
        let slot = self.setup.roster.slot(id);
        let Some((slot, place)) = slot.zip(self.places.get_mut(id)) else { return };
        let end = match &outcome {
            Ok(_) => End::Done,
            Err(fault) => {
                tracing::info!(backend = %id, %epoch, %fault, "what it can do could not be looked up");
                End::Failed
            }
        };
        place.watched.end(end, Instant::now());
        let live = slot.door.session().is_some_and(|(live, _)| live == epoch);
        if let Ok(Some(identity)) = outcome
            && live
        {
            slot.record.observe(epoch, identity, |_| {});
        }
        self.turn();
    }

    /// The newest of what was seen counts, also where no turn has come since.
    fn capable(&mut self, wish: &Capable) -> Result<Vec<Entry>, Fault> {
        self.take_in();
        self.index.capable(wish, &self.setup.hub.snapshot().backends)
    }

    fn functions(&mut self, id: &BackendId) -> Vec<Signature> {
        self.take_in();
        self.index.functions(id)
    }

    fn register(&mut self) -> Register {
        self.take_in();
        self.index.register(&self.setup.hub.snapshot().backends)
    }
}

impl Place {
    fn new(slot: &Arc<Slot>) -> Self {
        Self { slot: Arc::downgrade(slot), watched: Watched::default() }
    }
}
