//! What is shown of a connection's state.

use jiff::Timestamp;

use super::State;
use crate::{
    connection::slot::{open_breaker, wall},
    model::{
        BackendStatus, Channel, Fault, Health, Phase, RootCause,
        status::{LastError, Slots},
    },
};

impl State {
    /// The door is open or shut by now, and only then anybody is told.
    pub(super) fn show(&self) {
        let (machine, memory) = (&self.machine, self.slot.memory().clone());
        let (used, limit) = self.slot.door.slots();
        let root = self.slot.root_cause();
        self.slot.record.update(|status| {
            let (phase, health) = (machine.phase(), machine.health());
            if status.phase != phase {
                status.since = Timestamp::now();
                log(status, phase, machine.fault());
            }
            status.phase = phase;
            let lacking = root.as_ref().filter(|_| phase == Phase::Ready).map(|root| root.message.as_str());
            status.reason = machine.fault().map(Fault::message).or(lacking).map(str::to_owned);
            // A degraded channel shows on a session that answers, and so does the want of another backend.
            let less = status.channel == Channel::Degraded || root.is_some();
            status.health = if health == Health::Healthy && less { Health::Degraded } else { health };
            status.root_cause = root.map(|root| RootCause::clone(&root));
            status.epoch = memory.epoch.get();
            status.attempts = if phase == Phase::Ready { 0 } else { memory.attempts };
            status.next_attempt_at = machine.next_attempt().map(wall);
            status.slots = Slots { used, limit };
            if machine.session().is_none() {
                status.channel = Channel::None;
                status.queue = None;
            }
            match machine.fault() {
                Some(fault) if status.last_error.as_ref().is_none_or(|e| e.message != fault.message()) => {
                    status.last_error = Some(LastError::new(fault, Timestamp::now()));
                }
                Some(_) => {}
                None if phase == Phase::Ready => status.last_error = None,
                None => {}
            }
            status.breaker = match (phase, machine.fault()) {
                (Phase::Ready, None) => self.slot.breaker(),
                (_, Some(fault)) => open_breaker(fault.message(), status.next_attempt_at),
                (_, None) => status.breaker.clone(),
            };
        });
    }
}

fn log(status: &BackendStatus, phase: Phase, fault: Option<&Fault>) {
    let (backend, epoch) = (&status.id, status.epoch);
    match fault {
        Some(fault) => tracing::info!(%backend, epoch, %phase, code = %fault.code(), cause = %fault, "phase"),
        None => tracing::info!(%backend, epoch, %phase, "phase"),
    }
}
