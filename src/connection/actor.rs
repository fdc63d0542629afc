//! The connection's actor: it feeds the machine and carries out its effects.

mod show;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use crate::{
    backends::Session,
    connection::{
        alarm::{Alarm, Task},
        link::{self, Opened},
        machine::{Command, Effect, Event, Load, Machine, Vital},
        slot::Slot,
    },
    model::{Code, Epoch, Fault, Phase},
};

/// What a connection is told; what speaks of a session carries its epoch.
pub(crate) enum Msg {
    Dialed {
        epoch: Epoch,
        result: Result<Box<Opened>, Fault>,
    },
    Vital {
        epoch: Epoch,
        vital: Vital,
    },
    Drained {
        epoch: Epoch,
    },
    Tick,
    /// Another backend, which this one needs, came or went.
    Leans,
    Command(Command),
    /// A bug, for tests and the demo.
    #[cfg(feature = "sim")]
    Panic,
}

/// The actor.
pub(crate) struct Connection;

pub(crate) struct State {
    slot: Arc<Slot>,
    myself: ActorRef<Msg>,
    machine: Machine<Arc<dyn Session>>,
    link: Option<Task>,
    /// The session of this turn's link was ended by us.
    parting: bool,
    /// Watches a drain for the end of what is in flight.
    drain: Option<Task>,
    alarm: Alarm,
}

/// However an incarnation ends (a panic, a kill, a stop), nobody may lease what it leaves behind.
impl Drop for State {
    fn drop(&mut self) {
        let why = match self.machine.phase() {
            Phase::Closed => Fault::new(Code::Closing, "the connection is closed"),
            _ => Fault::new(Code::Crashed, "the connection's actor ended"),
        };
        self.slot.shut(&why);
    }
}

impl Actor for Connection {
    type Msg = Msg;
    type State = State;
    type Arguments = Arc<Slot>;

    async fn pre_start(&self, myself: ActorRef<Msg>, slot: Arc<Slot>) -> Result<State, ActorProcessingErr> {
        let machine = Machine::new();
        Ok(State { slot, myself, machine, link: None, parting: false, drain: None, alarm: Alarm::default() })
    }

    async fn post_start(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if state.slot.config.enabled {
            state.step(Event::Start);
        }
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Dialed { epoch, result } => state.dialed(epoch, result),
            Msg::Vital { epoch, vital } => state.vital(epoch, vital),
            Msg::Drained { epoch } => state.step(Event::Drained { epoch }),
            Msg::Tick => state.step(Event::Tick),
            Msg::Leans => state.show(),
            Msg::Command(command) => state.step(Event::Command(command)),
            #[cfg(feature = "sim")]
            Msg::Panic => panic!("a panic was injected into the connection `{}`", state.slot.config.id),
        }
        Ok(())
    }
}

impl State {
    fn dialed(&mut self, epoch: Epoch, result: Result<Box<Opened>, Fault>) {
        let (id, meter) = (self.slot.config.id.as_str(), self.slot.record.meter());
        match result {
            Err(fault) => {
                self.step(Event::Dialed { epoch, result: Err(fault) });
            }
            Ok(opened) => {
                if self.slot.record.was_connected() {
                    meter.reconnected(id);
                }
                let Opened { session, identity, channel } = *opened;
                if self.machine.epoch() == Some(epoch) {
                    self.slot.record.observe(epoch, identity, |status| {
                        status.kind = session.kind();
                        status.channel = channel;
                        status.connected_at = Some(jiff::Timestamp::now());
                    });
                }
                self.step(Event::Dialed { epoch, result: Ok(session) });
                // Only now the session can be looked at.
                self.slot.record.stir();
            }
        }
    }

    fn vital(&mut self, epoch: Epoch, vital: Vital) {
        let working = self.machine.session().is_some_and(|s| s.in_flight() > 0);
        let load = if working { Load::Working } else { Load::Idle };
        self.step(Event::Vitals { epoch, vital, load });
    }

    fn step(&mut self, event: Event<Arc<dyn Session>>) {
        let now = Instant::now();
        let machine = std::mem::take(&mut self.machine);
        let (machine, effects) = machine.step(&mut self.slot.memory(), event, now);
        self.machine = machine;
        self.parting = false;
        for effect in effects {
            self.carry(effect);
        }
        if let (None, Some(fault)) = (self.machine.session(), self.machine.fault()) {
            self.slot.door.explain(fault);
        }
        self.watch_drain();
        self.show();
        let myself = self.myself.clone();
        self.alarm.set(self.machine.deadline(), move || {
            let _ = myself.cast(Msg::Tick);
        });
    }

    fn carry(&mut self, effect: Effect<Arc<dyn Session>>) {
        match effect {
            Effect::Dial(epoch) => {
                self.slot.record.update(|status| status.last_attempt_at = Some(jiff::Timestamp::now()));
                self.link = Some(link::start(self.slot.clone(), epoch, self.myself.clone()));
            }
            Effect::HangUp => match self.link.take() {
                // Its session has ended: it closes the socket, and ends by itself.
                Some(link) if self.parting => self.slot.part(link),
                link => drop(link),
            },
            Effect::Admit => {
                if let (Some(epoch), Some(session)) = (self.machine.epoch(), self.machine.session()) {
                    self.slot.admit(epoch, session.clone());
                }
            }
            Effect::Bar(fault) => self.slot.door.bar(fault),
            Effect::Retire { session, why } => {
                // A session that came too late never was behind the door.
                session.end(why.clone());
                self.parting = true;
                if self.machine.session().is_none() {
                    self.slot.lost(&why);
                }
            }
            Effect::Stop => self.myself.stop(None),
        }
    }

    /// While draining, somebody has to see the last operation end.
    fn watch_drain(&mut self) {
        if self.machine.phase() != Phase::Draining {
            self.drain = None;
            return;
        }
        let (Some(epoch), Some(session), None) = (self.machine.epoch(), self.machine.session(), &self.drain)
        else {
            return;
        };
        let (session, myself, slot) = (session.clone(), self.myself.clone(), self.slot.clone());
        self.drain = Some(Task::spawn(async move {
            let mut beat = tokio::time::interval(std::time::Duration::from_millis(50));
            while session.in_flight() > 0 || slot.door.slots().0 > 0 {
                beat.tick().await;
            }
            let _ = myself.cast(Msg::Drained { epoch });
        }));
    }
}
