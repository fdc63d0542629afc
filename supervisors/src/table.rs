//! The child table: what a supervisor does next. Pure: no clock, no runtime; the dice are inside.

mod child;
mod flow;
mod request;
#[cfg(test)]
mod tests;
mod tick;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

pub(crate) use self::child::{Child, Policy};
use self::{
    child::{After, Standing, State},
    flow::{Flow, Then},
};
use crate::{
    Exit, Intensity, Next, OnIntensity, Strategy, TreeEventKind,
    intensity::{Allowance, Window},
};

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

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Duplicate,
    Unknown,
    Leaving,
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
    out: Vec<Output>,
}

impl Table {
    pub(crate) fn new(strategy: Strategy, intensity: Intensity, seed: u64) -> Self {
        Self {
            strategy,
            intensity,
            window: Window::default(),
            children: Vec::new(),
            flow: Flow::Fresh,
            dice: fastrand::Rng::with_seed(seed),
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
        let resting = match self.flow {
            Flow::Resting { until } => Some(until),
            _ => None,
        };
        self.children.iter().filter_map(|c| c.state.deadline()).chain(resting).min()
    }

    fn is_leaving(&self) -> bool {
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

    fn exited(&mut self, at: usize, exit: Exit, now: Instant) {
        self.children[at].last_exit = Some(exit.clone());
        self.tell(at, TreeEventKind::Exited(exit.clone()));
        match (self.children[at].state, self.children[at].after) {
            (State::Stopping { .. } | State::Killing { .. }, after) => self.went_down(at, after, exit),
            (_, After::Remove) => self.went_down(at, After::Remove, exit),
            _ if self.belongs_to_fall(at) => self.went_down(at, After::Stay, exit),
            _ => self.crashed(at, exit, now),
        }
    }

    /// It ended because it was asked to, or together with its group.
    fn went_down(&mut self, at: usize, after: After, exit: Exit) {
        let child = &mut self.children[at];
        child.after = After::Stay;
        let (id, restarts) = (child.id.clone(), child.restarts);
        self.out.push(Output::Down { id, exit, next: Next::Nothing, restarts });
        match after {
            After::Remove => self.forget(at),
            After::Start => self.start(at),
            After::Stay => self.children[at].state = self.children[at].rest_state(),
        }
    }

    /// It ended by itself.
    fn crashed(&mut self, at: usize, exit: Exit, now: Instant) {
        if !self.children[at].is_restarted_after(&exit) {
            self.children[at].state = State::Ended;
            return self.down(at, exit, Next::Nothing);
        }
        let ran = self.children[at].ran_for(now);
        match self.children[at].policy.on_intensity {
            OnIntensity::Escalate => {
                if self.window.book(self.intensity, now) == Allowance::Exceeded {
                    self.children[at].state = State::Down;
                    self.down(at, exit.clone(), Next::Nothing);
                    self.tell(at, TreeEventKind::GaveUp(exit.clone()));
                    return self.fall(0, Then::GiveUp { id: self.children[at].id.clone(), exit });
                }
            }
            OnIntensity::Quarantine { intensity, trial, trial_cap } => {
                let child = &mut self.children[at];
                let relapse = child.standing == Standing::OnTrial && ran <= intensity.within;
                if relapse || child.window.book(intensity, now) == Allowance::Exceeded {
                    return self.quarantine(at, exit, (trial, trial_cap), now);
                }
                child.standing = Standing::Good;
            }
        }
        self.restart_later(at, exit, ran, now);
    }

    fn restart_later(&mut self, at: usize, exit: Exit, ran: Duration, now: Instant) {
        let child = &mut self.children[at];
        child.restarts += 1;
        let delay = child.policy.delay;
        child.crashes =
            if ran >= delay.calm && !delay.calm.is_zero() { 1 } else { child.crashes.saturating_add(1) };
        let wait = delay.draw(child.crashes, &mut self.dice);
        child.state = State::Down;
        self.down(at, exit, Next::Restart(now + wait));
        self.tell(at, TreeEventKind::Restarting(wait));
        match self.strategy {
            Strategy::OneForOne => self.children[at].state = State::Waiting { until: now + wait },
            Strategy::OneForAll => self.fall(0, Then::Rise { wait }),
            Strategy::RestForOne => self.fall(at, Then::Rise { wait }),
        }
    }

    fn quarantine(&mut self, at: usize, exit: Exit, (trial, cap): (Duration, Duration), now: Instant) {
        let child = &mut self.children[at];
        let wait = child.next_trial.unwrap_or(trial).min(cap);
        child.next_trial = Some(wait.saturating_mul(2).min(cap));
        child.standing = Standing::OnTrial;
        let until = now + wait;
        child.state = State::Quarantined { until };
        self.down(at, exit.clone(), Next::Quarantine(until));
        self.tell(at, TreeEventKind::Quarantined(exit));
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
        child.state = State::Stopping { kill_at: now + child.policy.shutdown };
        let (id, incarnation) = child.name();
        self.out.push(Output::Stop { id, incarnation });
    }

    fn abort(&mut self, at: usize) {
        let (id, incarnation) = self.children[at].name();
        self.children[at].state = State::Down;
        self.out.push(Output::Abort { id, incarnation });
    }

    fn forget(&mut self, at: usize) {
        self.tell(at, TreeEventKind::Removed);
        let child = self.children.remove(at);
        self.fell_out(at);
        self.out.push(Output::Removed { id: child.id });
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
