//! What is asked of the table from outside.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Output, Table,
    child::{After, Child, Policy, State},
    flow::Flow,
};
use crate::TreeEventKind;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Duplicate,
    Unknown,
    Leaving,
}

impl Table {
    /// Adds a child after the others; it starts at once.
    pub(crate) fn add(&mut self, id: Arc<str>, policy: Policy, now: Instant) -> Result<Vec<Output>, Refusal> {
        if self.is_leaving() {
            return Err(Refusal::Leaving);
        }
        if self.place(&id).is_some() {
            return Err(Refusal::Duplicate);
        }
        self.children.push(Child::new(id, policy, self.floor));
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
        match self.children[at].state {
            State::Running { .. } => {
                self.children[at].after = After::Start;
                self.stop(at, now);
            }
            State::Waiting { .. } | State::Ended => self.raise(at),
            State::Quarantined { .. } => self.let_out(at),
            // On its way up already, or on its way down to come up again or to go for good.
            State::Down | State::Starting | State::Stopping { .. } | State::Killing { .. } => {}
        }
        Ok(self.finish(now))
    }

    /// Starts a child that is quarantined, with its crashes forgotten; any other is left alone.
    pub(crate) fn release(&mut self, id: &str, now: Instant) -> Result<Vec<Output>, Refusal> {
        if self.is_leaving() {
            return Err(Refusal::Leaving);
        }
        let at = self.place(id).ok_or(Refusal::Unknown)?;
        if let State::Quarantined { .. } = self.children[at].state {
            self.let_out(at);
        }
        Ok(self.finish(now))
    }

    fn let_out(&mut self, at: usize) {
        self.children[at].forgive();
        self.tell(at, TreeEventKind::Released);
        self.raise(at);
    }

    pub(super) fn forget(&mut self, at: usize) {
        self.tell(at, TreeEventKind::Removed);
        let child = self.children.remove(at);
        self.floor = self.floor.max(child.incarnation);
        self.fell_out(at);
        self.out.push(Output::Removed { id: child.id });
    }
}
