//! The child table: what a supervisor does next. Pure: no clock, no runtime; the dice are inside.

mod child;
mod ending;
mod flow;
mod request;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use self::{
    child::{After, State},
    flow::{Flow, Then},
};
pub(crate) use self::{
    child::{Child, Policy},
    request::Refusal,
};
use crate::{Exit, ExitKind, Intensity, Next, Strategy, TreeEventKind, intensity::Window};

/// How long a killed child has to end before it is left behind: a kill takes effect at its next await.
pub(crate) const KILL_GRACE: Duration = Duration::from_secs(1);

/// What happened.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Begin,
    Started { id: Arc<str>, incarnation: u64 },
    Exited { id: Arc<str>, incarnation: u64, exit: Exit },
    Tick,
    Shutdown,
}

/// What the shell has to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    Start {
        id: Arc<str>,
        incarnation: u64,
    },
    /// Give up a start that is under way.
    Abort {
        id: Arc<str>,
        incarnation: u64,
    },
    Stop {
        id: Arc<str>,
        incarnation: u64,
    },
    Kill {
        id: Arc<str>,
        incarnation: u64,
    },
    Down {
        id: Arc<str>,
        exit: Exit,
        next: Next,
        restarts: u64,
    },
    Tell {
        id: Arc<str>,
        incarnation: u64,
        kind: TreeEventKind,
    },
    /// The child is gone from the table.
    Removed {
        id: Arc<str>,
    },
    /// All children are stopped, as was asked.
    Stopped,
    /// All children are stopped; the supervisor has to crash, because of this child.
    GiveUp {
        id: Arc<str>,
        exit: Exit,
    },
}

/// The children of one supervisor, in order.
#[derive(Debug)]
pub(crate) struct Table {
    strategy: Strategy,
    intensity: Intensity,
    window: Window,
    children: Vec<Child>,
    flow: Flow,
    dice: fastrand::Rng,
    /// No incarnation of a new child has this number or a lower one: an id that is used again is another child, and
    /// what is late of the former one must not be taken for its own.
    floor: u64,
    out: Vec<Output>,
}

impl Table {
    /// A table without children. `floor` is the highest incarnation that was ever seen at this address.
    pub(crate) fn new(strategy: Strategy, intensity: Intensity, seed: u64, floor: u64) -> Self {
        Self {
            strategy,
            intensity,
            window: Window::default(),
            children: Vec::new(),
            flow: Flow::Fresh,
            dice: fastrand::Rng::with_seed(seed),
            floor,
            out: Vec::new(),
        }
    }

    pub(crate) fn children(&self) -> &[Child] {
        &self.children
    }

    /// Takes an event; one of a former incarnation changes nothing.
    pub(crate) fn step(&mut self, input: Input, now: Instant) -> Vec<Output> {
        match input {
            Input::Begin => self.flow = Flow::Rising,
            Input::Started { id, incarnation } => self.started(&id, incarnation, now),
            Input::Exited { id, incarnation, exit } => {
                if let Some(at) = self.place(&id).filter(|at| self.children[*at].is_up(incarnation)) {
                    self.exited(at, exit, now);
                }
            }
            Input::Tick => self.tick(now),
            Input::Shutdown => self.fall(0, Then::Stop),
        }
        self.finish(now)
    }

    /// When it wants a tick.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let states = || self.children.iter().map(|c| c.state);
        let stops = states().filter_map(State::stop_deadline).min();
        // Only when it can be met: a deadline that stays in the past would ring without end.
        let starts = match self.flow {
            Flow::Steady | Flow::Rising => states().filter_map(State::start_due).min(),
            Flow::Resting { until } => Some(until),
            Flow::Fresh | Flow::Falling { .. } | Flow::Gone => None,
        };
        stops.into_iter().chain(starts).min()
    }

    /// The highest incarnation so far.
    pub(crate) fn highest(&self) -> u64 {
        self.children.iter().map(|c| c.incarnation).fold(self.floor, u64::max)
    }

    /// Whether its supervisor is on its way out.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.flow, Flow::Gone | Flow::Falling { then: Then::Stop | Then::GiveUp { .. }, .. })
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.children.iter().position(|c| &*c.id == id)
    }

    fn finish(&mut self, now: Instant) -> Vec<Output> {
        self.advance(now);
        std::mem::take(&mut self.out)
    }

    fn started(&mut self, id: &str, incarnation: u64, now: Instant) {
        let fits = |c: &Child| c.incarnation == incarnation && matches!(c.state, State::Starting);
        match self.place(id).filter(|at| fits(&self.children[*at])) {
            Some(at) => {
                self.children[at].state = State::Running { since: now };
                self.tell(at, TreeEventKind::Started);
            }
            // Nobody waits for it any more: its start was given up just as it succeeded.
            None => self.out.push(Output::Kill { id: id.into(), incarnation }),
        }
    }

    fn tick(&mut self, now: Instant) {
        for at in (0..self.children.len()).rev() {
            match self.children[at].state {
                State::Stopping { kill_at } if kill_at <= now => {
                    self.children[at].state = State::Killing { abandon_at: now + KILL_GRACE };
                    let (id, incarnation) = self.children[at].name();
                    self.out.push(Output::Kill { id, incarnation });
                }
                State::Killing { abandon_at } if abandon_at <= now => {
                    self.exited(at, Exit::new(ExitKind::Abandoned, "it blocks its thread"), now);
                }
                _ => {}
            }
        }
    }

    /// Starts it now, or leaves it to its group, which is on its way down or rests.
    fn raise(&mut self, at: usize) {
        if self.flow.starts_children() {
            self.start(at);
        } else {
            self.children[at].state = State::Down;
        }
    }

    fn start(&mut self, at: usize) {
        let child = &mut self.children[at];
        child.incarnation += 1;
        child.state = State::Starting;
        child.after = After::Stay;
        let (id, incarnation) = child.name();
        self.out.push(Output::Start { id, incarnation });
    }

    fn stop(&mut self, at: usize, now: Instant) {
        let child = &mut self.children[at];
        child.state = State::Stopping { kill_at: later(now, child.policy.shutdown) };
        let (id, incarnation) = child.name();
        self.out.push(Output::Stop { id, incarnation });
    }

    fn abort(&mut self, at: usize) {
        let (id, incarnation) = self.children[at].name();
        self.children[at].state = self.children[at].rest_state();
        self.out.push(Output::Abort { id, incarnation });
    }

    fn down(&mut self, at: usize, exit: Exit, next: Next) {
        let child = &self.children[at];
        self.out.push(Output::Down { id: child.id.clone(), exit, next, restarts: child.restarts });
    }

    fn tell(&mut self, at: usize, kind: TreeEventKind) {
        let (id, incarnation) = self.children[at].name();
        self.out.push(Output::Tell { id, incarnation, kind });
    }
}

/// `now` and `wait`; a wait that has no end ends in thirty years, so that nothing overflows.
fn later(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or_else(|| now + Duration::from_secs(30 * 365 * 86_400))
}
