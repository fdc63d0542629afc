//! What the table does with its children in order: up from left to right, down from right to left.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Output, Table, child::State, later};
use crate::{Exit, TreeEventKind};

#[derive(Debug)]
pub(super) enum Flow {
    /// Nothing is started before the first children are all known.
    Fresh,
    /// Every child minds itself.
    Steady,
    /// Children that are down are started, each when the one before it is up.
    Rising,
    /// Children from this place on are stopped, each when the one after it is down.
    Falling { from: usize, then: Then },
    /// The group is down and waits for its restart.
    Resting { until: Instant },
    /// All children are down for good.
    Gone,
}

#[derive(Debug, Clone)]
pub(super) enum Then {
    Rise { wait: Duration },
    Stop,
    GiveUp { id: Arc<str>, exit: Exit },
}

/// Whether those that are stopped come up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comeback {
    Soon,
    Never,
}

/// How far down a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Above,
    Ground,
}

impl Then {
    fn comeback(&self) -> Comeback {
        if matches!(self, Self::Rise { .. }) { Comeback::Soon } else { Comeback::Never }
    }
}

impl Flow {
    /// Whether a child may be started for itself: not before all are known, nor while its group goes down or rests.
    pub(super) fn starts_children(&self) -> bool {
        matches!(self, Self::Steady | Self::Rising)
    }
}

impl Table {
    /// Begins to stop the children from `from` on. A fall that goes further takes over one that is under way.
    pub(super) fn fall(&mut self, from: usize, then: Then) {
        self.flow = match (std::mem::replace(&mut self.flow, Flow::Steady), then) {
            (Flow::Gone, _) => Flow::Gone,
            // A shutdown is not called off by a restart, and a give-up not by anything: its report must not get lost.
            (Flow::Falling { from, then: last @ Then::GiveUp { .. } }, _) => {
                Flow::Falling { from, then: last }
            }
            (Flow::Falling { from, then: Then::Stop }, Then::Rise { .. }) => {
                Flow::Falling { from, then: Then::Stop }
            }
            (Flow::Falling { from: old, then: Then::Rise { wait: first } }, Then::Rise { wait }) => {
                Flow::Falling { from: old.min(from), then: Then::Rise { wait: first.max(wait) } }
            }
            (_, then) => Flow::Falling { from, then },
        };
    }

    /// A row was taken out: places after it moved.
    pub(super) fn fell_out(&mut self, at: usize) {
        if let Flow::Falling { from, .. } = &mut self.flow
            && *from > at
        {
            *from -= 1;
        }
    }

    /// Does what can be done now.
    pub(super) fn advance(&mut self, now: Instant) {
        loop {
            match &self.flow {
                Flow::Fresh | Flow::Gone => return,
                Flow::Steady => return self.start_due(now),
                Flow::Resting { until } if *until > now => return,
                Flow::Resting { .. } => self.flow = Flow::Rising,
                Flow::Rising => {
                    self.start_due(now);
                    if self.children.iter().any(|c| c.state == State::Starting) {
                        return;
                    }
                    match self.children.iter().position(|c| c.state == State::Down) {
                        Some(at) => return self.start(at),
                        None => self.flow = Flow::Steady,
                    }
                }
                Flow::Falling { from, then } => {
                    let (from, then) = (*from, then.clone());
                    self.settle(from, then.comeback());
                    if self.lower(from, now) == Level::Above {
                        return;
                    }
                    self.landed(then, now);
                }
            }
        }
    }

    /// Starts those whose wait is over, restarts and trials alike; a wait of no length is over at once.
    fn start_due(&mut self, now: Instant) {
        for at in 0..self.children.len() {
            match self.children[at].state {
                State::Waiting { until } if until <= now => self.start(at),
                State::Quarantined { until } if until <= now => {
                    self.tell(at, TreeEventKind::Released);
                    self.start(at);
                }
                _ => {}
            }
        }
    }

    /// Calls off what is under way from `from` on: nobody waits for a start or a restart that would be undone at once.
    fn settle(&mut self, from: usize, comes_back: Comeback) {
        for at in (from..self.children.len()).rev() {
            match self.children[at].state {
                State::Starting => self.abort(at),
                State::Waiting { .. } => self.children[at].state = State::Down,
                State::Quarantined { .. } if comes_back == Comeback::Never => {
                    self.children[at].state = State::Down;
                }
                _ => {}
            }
        }
    }

    /// Stops the last child that is up; says whether all are down.
    fn lower(&mut self, from: usize, now: Instant) -> Level {
        for at in (from..self.children.len()).rev() {
            match self.children[at].state {
                State::Running { .. } => {
                    self.stop(at, now);
                    return Level::Above;
                }
                State::Stopping { .. } | State::Killing { .. } => return Level::Above,
                _ => {}
            }
        }
        Level::Ground
    }

    fn landed(&mut self, then: Then, now: Instant) {
        self.flow = match then {
            Then::Rise { wait } => Flow::Resting { until: later(now, wait) },
            Then::Stop => {
                self.out.push(Output::Stopped);
                Flow::Gone
            }
            Then::GiveUp { id, exit } => {
                self.out.push(Output::GiveUp { id, exit });
                Flow::Gone
            }
        };
    }
}
