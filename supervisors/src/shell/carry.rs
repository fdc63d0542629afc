//! From the table's outputs to actors, tasks and listeners.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::{Alarm, Msg, Shell};
use crate::{Down, Exit, GaveUp, Next, TreeEvent, TreeSnapshot, branch::Row, table::Output};

impl Shell {
    /// Carries out what was decided; an error is the supervisor's own end.
    pub(super) fn carry(&mut self, outputs: Vec<Output>) -> Result<(), ActorProcessingErr> {
        let mut end = Ok(());
        for output in outputs {
            match output {
                Output::Start { id, incarnation } => self.start(&id, incarnation),
                Output::Abort { id, incarnation } => self.starts.abort(&id, incarnation),
                Output::Stop { id, incarnation } => self.stop(&id, incarnation),
                Output::Kill { id, incarnation } => self.kill(&id, incarnation),
                Output::Down { id, exit, next, restarts } => self.down(&id, &exit, next, restarts),
                Output::Tell { id, incarnation, kind } => {
                    let supervisor = self.branch.spec().id.clone();
                    self.show();
                    self.branch.bus().tell(TreeEvent { supervisor, child: id, incarnation, kind });
                }
                Output::Removed { id } => self.removed(&id),
                Output::Stopped => self.myself.stop(None),
                Output::GiveUp { id, exit } => end = self.give_up(&id, exit),
            }
        }
        self.show();
        self.set_alarm();
        end
    }

    fn start(&mut self, id: &Arc<str>, incarnation: u64) {
        let spec = self.specs.get(id).expect("a child in the table has its spec here");
        self.starts.begin(spec, incarnation, &self.myself);
    }

    fn stop(&self, id: &Arc<str>, incarnation: u64) {
        if let (Some(spec), Some((current, cell))) = (self.specs.get(id), self.cells.get(id))
            && *current == incarnation
        {
            (spec.stop)(cell);
        }
    }

    fn kill(&self, id: &Arc<str>, incarnation: u64) {
        if let Some((current, cell)) = self.cells.get(id)
            && *current == incarnation
        {
            cell.kill();
        }
    }

    fn down(&self, id: &Arc<str>, exit: &Exit, next: Next, restarts: u64) {
        let Some(on_down) = self.specs.get(id).and_then(|s| s.on_down.clone()) else { return };
        let told = catch_unwind(AssertUnwindSafe(|| on_down(Down { id, exit, next, restarts })));
        if told.is_err() {
            tracing::error!(child = %id, "a child's on_down panicked");
        }
    }

    fn removed(&mut self, id: &Arc<str>) {
        self.specs.remove(id);
        self.cells.remove(id);
        for reply in self.removals.remove(id).unwrap_or_default() {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(Ok(()));
        }
    }

    fn give_up(&mut self, id: &Arc<str>, exit: Exit) -> Result<(), ActorProcessingErr> {
        let report = GaveUp { supervisor: self.branch.id().to_owned(), child: id.to_string(), exit };
        let text = report.to_string();
        self.end = Some(report);
        Err(text.into())
    }

    fn show(&self) {
        let rows = self.table.children().iter().map(|child| Row {
            shown: TreeSnapshot {
                id: child.id.to_string(),
                state: child.node_state(),
                restarts: child.restarts,
                incarnation: child.incarnation,
                last_exit: child.last_exit.clone(),
                children: Vec::new(),
            },
            cell: self.cells.get(&child.id).map(|(_, cell)| cell.clone()),
            branch: self.specs.get(&child.id).and_then(|s| s.branch.clone()),
        });
        self.branch.show(rows.collect());
    }

    /// One timer for the whole table, set anew when its deadline moves.
    fn set_alarm(&mut self) {
        let Some(at) = self.table.deadline() else {
            self.alarm = None;
            return;
        };
        if self.alarm.as_ref().is_some_and(|(set, task)| *set == at && !task.0.is_finished()) {
            return;
        }
        let myself = self.myself.clone();
        #[expect(clippy::disallowed_methods, reason = "owned by the alarm, aborted when it is dropped")]
        let task = tokio::spawn(async move {
            tokio::time::sleep_until(at.max(Instant::now())).await;
            let _ = myself.cast(Msg::Tick);
        });
        self.alarm = Some((at, Alarm(task)));
    }
}
