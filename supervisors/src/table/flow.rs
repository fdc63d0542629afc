//! What the table does with its children in order: up from left to right, down from right to left.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Output, Table, child::State};
use crate::Exit;

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

impl Table {
    /// Begins to stop the children from `from` on. A fall that goes further takes over one that is under way.
    pub(super) fn fall(&mut self, from: usize, then: Then) {
        self.flow = match (std::mem::replace(&mut self.flow, Flow::Steady), then) {
            (Flow::Gone, _) => Flow::Gone,
            // A shutdown or a give-up is not called off by a restart.
            (
                Flow::Falling { from: old, then: last @ (Then::Stop | Then::GiveUp { .. }) },
                Then::Rise { .. },
            ) => Flow::Falling { from: old, then: last },
            (Flow::Falling { from: old, then: Then::Rise { wait: first } }, Then::Rise { wait }) => {
                Flow::Falling { from: old.min(from), then: Then::Rise { wait: first.max(wait) } }
            }
            (_, then) => Flow::Falling { from, then },
        };
    }

    /// Whether the end of a child now is part of a group's stop that is under way, and so counts for nothing.
    pub(super) fn belongs_to_fall(&mut self, at: usize) -> bool {
        let Flow::Falling { from, then } = &mut self.flow else { return false };
        if at < *from && matches!(then, Then::Rise { .. }) {
            // Failing together with a later one: one restart for both.
            *from = at;
        }
        true
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
                Flow::Fresh => return,
                Flow::Steady | Flow::Gone => return self.start_due(now),
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
                    if !self.lower(from, now, matches!(then, Then::Rise { .. })) {
                        return;
                    }
                    self.landed(then, now);
                }
            }
        }
    }

    /// A wait of no length is over at once.
    fn start_due(&mut self, now: Instant) {
        if matches!(self.flow, Flow::Gone) {
            return;
        }
        for at in 0..self.children.len() {
            if matches!(self.children[at].state, State::Waiting { until } if until <= now) {
                self.start(at);
            }
        }
    }

    /// Stops the last child that is up; says whether all are down.
    fn lower(&mut self, from: usize, now: Instant, comes_back: bool) -> bool {
        for at in (from..self.children.len()).rev() {
            match self.children[at].state {
                State::Running { .. } => {
                    self.stop(at, now);
                    return false;
                }
                State::Stopping { .. } | State::Killing { .. } => return false,
                State::Starting => self.abort(at),
                State::Waiting { .. } => self.children[at].state = State::Down,
                State::Quarantined { .. } if !comes_back => self.children[at].state = State::Down,
                State::Down | State::Quarantined { .. } | State::Ended => {}
            }
        }
        true
    }

    fn landed(&mut self, then: Then, now: Instant) {
        self.flow = match then {
            Then::Rise { wait } => Flow::Resting { until: now + wait },
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
