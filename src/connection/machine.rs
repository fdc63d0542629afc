//! What a connection does next. Pure: no I/O, no clock, no runtime; the dice are in [`Memory`].
//!
//! The machine asks nothing of the session and never drops it: every way out of `Ready` hands it back in
//! [`Effect::Retire`].

mod memory;
mod state;
#[cfg(test)]
mod tests;
mod turn;

use tokio::time::Instant;

pub use self::memory::{Memory, Patience};
use self::state::State;
use crate::model::{Epoch, Fault, Health, Phase};

/// What happened to a connection.
#[derive(Debug)]
pub enum Event<S> {
    /// The actor came up.
    Start,
    /// An attempt ended.
    Dialed {
        /// Of which attempt.
        epoch: Epoch,
        /// The session, or why there is none.
        result: Result<S, Fault>,
    },
    /// The live channel or a probe says something of a session.
    Vitals {
        /// Of which session.
        epoch: Epoch,
        /// What.
        vital: Vital,
        /// Whether a job is in flight: slow is not dead then.
        load: Load,
    },
    /// What was in flight is done.
    Drained {
        /// Of which session.
        epoch: Epoch,
    },
    /// The time of [`Machine::deadline`] came.
    Tick,
    /// Somebody wants something.
    Command(Command),
}

/// Who says something of a session's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// The link, by pings or a heartbeat stream.
    Link,
    /// Health, by probes.
    Probe,
}

/// What is said of a session's life.
#[derive(Debug, Clone, PartialEq)]
pub enum Vital {
    /// It answers.
    Heard(Witness),
    /// It has missed its deadline. Said again with each further miss.
    Silent(Witness, Fault),
    /// It is over: end of file, a reset, a refused connection.
    Lost(Fault),
}

/// Whether operations of ours are in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// None.
    Idle,
    /// Some.
    Working,
}

/// What somebody wants of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Reset the backoff and dial now; leaves a ready session alone.
    Reconnect,
    /// As `Reconnect`, and ends a ready session first.
    ForceReconnect,
    /// Drain until this time, then stay away.
    Pause {
        /// When what is still in flight is given up.
        deadline: Instant,
    },
    /// End a pause.
    Resume,
    /// Drain until this time, then close for good.
    Close {
        /// When what is still in flight is given up.
        deadline: Instant,
    },
}

/// What the actor has to do, in this order.
#[derive(Debug, PartialEq)]
pub enum Effect<S> {
    /// Start an attempt.
    Dial(Epoch),
    /// Drop the link task, whatever it is doing.
    HangUp,
    /// Open the gate for leases on the session that [`Machine::session`] shows.
    Admit,
    /// Let nobody in any more; who is in may stay.
    Bar(Fault),
    /// The session is over: shut the gate, end the session, and only then tell anybody.
    Retire {
        /// The session.
        session: S,
        /// Why.
        why: Fault,
    },
    /// The connection is closed for good.
    Stop,
}

/// The state of one connection.
#[derive(Debug)]
pub struct Machine<S>(State<S>);

impl<S> Machine<S> {
    /// Not begun.
    pub fn new() -> Self {
        Self(State::Idle)
    }

    /// Takes an event: the state after it, and what to do.
    #[must_use]
    pub fn step(self, memory: &mut Memory, event: Event<S>, now: Instant) -> (Self, Vec<Effect<S>>) {
        // A late event speaks of a session or an attempt that is over.
        if self.is_late(&event) {
            return (self, refuse(event));
        }
        let (state, effects) = turn::turn(self.0, memory, event, now);
        (Self(state), effects)
    }

    /// When it wants a [`Event::Tick`].
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    /// Its public name.
    pub fn phase(&self) -> Phase {
        self.0.phase()
    }

    /// Why it is not ready, or not healthy.
    pub fn fault(&self) -> Option<&Fault> {
        self.0.fault()
    }

    /// When it dials next by itself.
    pub fn next_attempt(&self) -> Option<Instant> {
        self.0.next_attempt()
    }

    /// How well the session answers.
    pub fn health(&self) -> Health {
        self.0.health()
    }

    /// The session, while there is one.
    pub fn session(&self) -> Option<&S> {
        self.0.session()
    }

    /// The attempt or the session that counts now.
    pub fn epoch(&self) -> Option<Epoch> {
        self.0.epoch()
    }

    fn is_late(&self, event: &Event<S>) -> bool {
        match event {
            Event::Dialed { epoch, .. } => !matches!(&self.0, State::Dialing(d) if d.epoch == *epoch),
            Event::Vitals { epoch, .. } | Event::Drained { epoch } => {
                self.0.session().is_none() || self.0.epoch() != Some(*epoch)
            }
            Event::Start | Event::Tick | Event::Command(_) => false,
        }
    }
}

impl<S> Default for Machine<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// A late session is handed back too: somebody has to close it.
fn refuse<S>(event: Event<S>) -> Vec<Effect<S>> {
    match event {
        Event::Dialed { result: Ok(session), .. } => {
            let why =
                Fault::new(crate::model::Code::Cancelled, "the attempt was given up before it succeeded");
            vec![Effect::Retire { session, why }]
        }
        _ => Vec::new(),
    }
}
