//! What a supervisor is asked for.

use std::sync::Arc;

use ractor::ActorProcessingErr;
use tokio::{sync::oneshot, time::Instant};

use super::Shell;
use crate::{
    ChildSpec, SupervisorError,
    table::{Output, Refusal, Table},
};

pub(crate) type Reply = oneshot::Sender<Result<(), SupervisorError>>;

/// A request about one child that the table answers at once.
type Request = fn(&mut Table, &str, Instant) -> Result<Vec<Output>, Refusal>;

impl Shell {
    pub(super) fn add(&mut self, child: ChildSpec) -> Result<Vec<Output>, Refusal> {
        // Only a child that is new may replace what is known under its id.
        let outputs = self.table.add(child.id.clone(), child.policy(), Instant::now())?;
        self.specs.insert(child.id.clone(), child);
        Ok(outputs)
    }

    pub(super) fn asked_to_add(&mut self, child: ChildSpec, reply: Reply) -> Result<(), ActorProcessingErr> {
        if reply.is_closed() {
            return Ok(());
        }
        let id = child.id.clone();
        match self.add(child) {
            Ok(outputs) => self.granted(outputs, reply),
            Err(refusal) => self.refused(&id, refusal, reply),
        }
    }

    pub(super) fn asked_to_remove(&mut self, id: Arc<str>, reply: Reply) -> Result<(), ActorProcessingErr> {
        if reply.is_closed() {
            return Ok(());
        }
        match self.table.remove(&id, Instant::now()) {
            Ok(outputs) => {
                self.removals.entry(id).or_default().push(reply);
                self.carry(outputs)
            }
            Err(refusal) => self.refused(&id, refusal, reply),
        }
    }

    pub(super) fn asked(
        &mut self,
        id: &Arc<str>,
        reply: Reply,
        request: Request,
    ) -> Result<(), ActorProcessingErr> {
        // Whoever stopped waiting was told that it failed: then it must not happen after all.
        if reply.is_closed() {
            return Ok(());
        }
        match request(&mut self.table, id, Instant::now()) {
            Ok(outputs) => self.granted(outputs, reply),
            Err(refusal) => self.refused(id, refusal, reply),
        }
    }

    fn granted(&mut self, outputs: Vec<Output>, reply: Reply) -> Result<(), ActorProcessingErr> {
        let carried = self.carry(outputs);
        // Whoever asked may have stopped waiting.
        let _ = reply.send(Ok(()));
        carried
    }

    fn refused(&self, id: &str, refusal: Refusal, reply: Reply) -> Result<(), ActorProcessingErr> {
        let error = match refusal {
            Refusal::Duplicate => SupervisorError::DuplicateId(id.to_owned()),
            Refusal::Unknown => SupervisorError::UnknownChild(id.to_owned()),
            Refusal::Leaving => SupervisorError::ShuttingDown(self.branch.id().to_owned()),
        };
        let _ = reply.send(Err(error));
        Ok(())
    }
}
