//! From the table's outputs to actors, tasks and listeners.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use ractor::ActorProcessingErr;

use super::{Alarm, Shell};
use crate::{
    Down, Exit, ExitKind, GaveUp, Next, NodeState, TreeEvent, down,
    row::Row,
    table::{Child, Output},
};

impl Shell {
    /// Carries out what was decided; an error is the supervisor's own end.
    pub(super) fn carry(&mut self, outputs: Vec<Output>) -> Result<(), ActorProcessingErr> {
        // First: who hears of an event finds the tree as it is after it.
        self.show();
        let mut end = Ok(());
        for output in outputs {
            match output {
                Output::Start { id, incarnation } => self.start(&id, incarnation),
                Output::Abort { id, incarnation } => self.starts.abort(&id, incarnation),
                Output::Stop { id, incarnation } => self.stop(&id, incarnation),
                Output::Kill { id, incarnation } => self.kill(id, incarnation),
                Output::Down { id, exit, next, restarts } => self.down(&id, &exit, next, restarts),
                Output::Tell { id, incarnation, kind } => {
                    let supervisor = self.branch.address().spec.id.clone();
                    let event = TreeEvent { supervisor, child: id, incarnation, kind };
                    self.branch.address().bus.tell(event);
                }
                Output::Removed { id } => self.removed(&id),
                Output::Stopped => self.stopped(),
                Output::GiveUp { id, exit } => end = self.give_up(&id, exit),
            }
        }
        self.set_alarm();
        end
    }

    fn start(&mut self, id: &Arc<str>, incarnation: u64) {
        let spec = self.specs.get(id).expect("a child in the table has its spec here");
        self.starts.begin(spec, incarnation, &self.myself);
    }

    fn stop(&self, id: &str, incarnation: u64) {
        if let (Some(spec), Some(cell)) = (self.specs.get(id), self.lives.of(id, incarnation)) {
            // One that panics has stopped nobody; the deadline of the stop takes care of that.
            if catch_unwind(AssertUnwindSafe(|| (spec.stop)(cell))).is_err() {
                tracing::error!(child = %id, "a child's stop_with panicked");
            }
        }
    }

    fn kill(&self, id: Arc<str>, incarnation: u64) {
        if let Some(cell) = self.lives.of(&id, incarnation) {
            cell.kill();
            // Not where a start was given up just as it succeeded: nobody asked that one to stop.
            let stopping = |c: &Child| c.id == id && c.node_state() == NodeState::Stopping;
            if self.table.is_leaving() && self.table.children().iter().any(stopping) {
                self.branch.address().killed(id);
            }
        }
    }

    fn down(&self, id: &str, exit: &Exit, next: Next, restarts: u64) {
        if let Some(on_down) = self.specs.get(id).and_then(|s| s.on_down.as_ref()) {
            down::tell(on_down, Down { id, exit, next, restarts });
        }
    }

    fn removed(&mut self, id: &str) {
        self.specs.remove(id);
        for reply in self.removals.remove(id).unwrap_or_default() {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(Ok(()));
        }
    }

    fn stopped(&mut self) {
        let own = self.branch.id().to_owned();
        let exit = Exit::new(ExitKind::Normal, "");
        self.end = Some(GaveUp { supervisor: own.clone(), child: own, exit });
        self.myself.stop(None);
    }

    fn give_up(&mut self, id: &str, exit: Exit) -> Result<(), ActorProcessingErr> {
        let report = GaveUp { supervisor: self.branch.id().to_owned(), child: id.to_owned(), exit };
        let text = report.to_string();
        self.end = Some(report);
        Err(text.into())
    }

    /// Shows the tree as it is now.
    fn show(&self) {
        let address = self.branch.address();
        let mut now = address.lock();
        let children = self.table.children();
        now.rows.truncate(children.len());
        for (at, child) in children.iter().enumerate() {
            let cell = self.lives.of(&child.id, child.incarnation);
            if now.rows.get(at).is_some_and(|row| row.fits(child, cell)) {
                continue;
            }
            let branch = self.specs.get(&child.id).and_then(|s| s.branch.clone());
            let row = Row::new(child, cell.cloned(), branch);
            match now.rows.get_mut(at) {
                Some(old) => *old = row,
                None => now.rows.push(row),
            }
        }
        drop(now);
        address.bus.changed();
    }

    /// One timer for the whole table, set anew when its deadline moves.
    fn set_alarm(&mut self) {
        match self.table.deadline() {
            None => self.alarm = None,
            Some(at) if self.alarm.as_ref().is_some_and(|alarm| alarm.is_set_for(at)) => {}
            Some(at) => self.alarm = Some(Alarm::set(at, self.myself.clone())),
        }
    }
}
