//! What is due at a time: kills, restarts, trials.

use std::time::Duration;

use tokio::time::Instant;

use super::{Output, Table, child::State, flow::Flow};
use crate::{Exit, ExitKind, TreeEventKind};

/// How long a killed child has to end before it is left behind: a kill takes effect at its next await.
const KILL_GRACE: Duration = Duration::from_secs(1);

impl Table {
    pub(super) fn tick(&mut self, now: Instant) {
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
                // Not in the middle of a group's stop; the retry keeps the deadline from standing in the past.
                State::Quarantined { until } if until <= now && matches!(self.flow, Flow::Falling { .. }) => {
                    self.children[at].state = State::Quarantined { until: now + KILL_GRACE };
                }
                State::Quarantined { until } if until <= now => {
                    self.tell(at, TreeEventKind::Released);
                    self.start(at);
                }
                _ => {}
            }
        }
    }
}
