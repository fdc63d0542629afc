//! What somebody asks of the table while it runs.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Output, Policy, Refusal, Table,
    child::{After, Child, State},
    flow::Flow,
};
use crate::TreeEventKind;

impl Table {
    /// Adds a child after the others; it starts at once.
    pub(crate) fn add(&mut self, id: Arc<str>, policy: Policy, now: Instant) -> Result<Vec<Output>, Refusal> {
        if self.is_leaving() {
            return Err(Refusal::Leaving);
        }
        if self.place(&id).is_some() {
            return Err(Refusal::Duplicate);
        }
        self.children.push(Child::new(id, policy));
        if matches!(self.flow, Flow::Steady) {
            self.start(self.children.len() - 1);
        }
        Ok(self.finish(now))
    }

    /// Stops a child and forgets it; a child that is not up is forgotten at once.
    pub(crate) fn remove(&mut self, id: &str, now: Instant) -> Result<Vec<Output>, Refusal> {
        let at = self.place(id).ok_or(Refusal::Unknown)?;
        self.children[at].after = After::Remove;
        match self.children[at].state {
            State::Running { .. } => self.stop(at, now),
            State::Starting => {
                self.abort(at);
                self.forget(at);
            }
            State::Stopping { .. } | State::Killing { .. } => {}
            _ => self.forget(at),
        }
        Ok(self.finish(now))
    }

    /// Stops a child and starts it anew, or starts one that is down, waits or is quarantined. Counts as no crash.
    pub(crate) fn restart(&mut self, id: &str, now: Instant) -> Result<Vec<Output>, Refusal> {
        if self.is_leaving() {
            return Err(Refusal::Leaving);
        }
        let at = self.place(id).ok_or(Refusal::Unknown)?;
        let child = &mut self.children[at];
        match child.state {
            State::Running { .. } => {
                child.after = After::Start;
                self.stop(at, now);
            }
            State::Waiting { .. } | State::Ended => self.start(at),
            State::Quarantined { .. } => {
                child.forgive();
                self.tell(at, TreeEventKind::Released);
                self.start(at);
            }
            // On its way up already, or on its way down to come up again.
            State::Down | State::Starting | State::Stopping { .. } | State::Killing { .. } => {}
        }
        Ok(self.finish(now))
    }
}
