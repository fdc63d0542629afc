//! What the prober knows of one backend.

use std::sync::Arc;

use tokio::time::Instant;

use super::{HealthReport, answers::Answers, endpoint::Endpoint, history::History, verdict::Verdict};
use crate::{
    backends::session::Pulse,
    config::ProbeConfig,
    connection::slot::Slot,
    model::{Epoch, Fault, Health, status::Slots},
};

/// One backend, as the prober knows it.
pub(super) struct Patient {
    /// The session that the verdict is about.
    pub(super) epoch: Epoch,
    /// When it was met.
    pub(super) since: Instant,
    /// Backends of one endpoint share their probes; `None` where this one shares with nobody.
    pub(super) endpoint: Option<Endpoint>,
    pub(super) verdict: Verdict,
    pub(super) history: History,
    /// When it is probed next; `None` where there is no session.
    pub(super) due: Option<Instant>,
    pub(super) fault: Option<Fault>,
}

impl Patient {
    pub(super) fn new(probe: &ProbeConfig, now: Instant) -> Self {
        Self {
            epoch: Epoch::ZERO,
            since: now,
            endpoint: None,
            verdict: Verdict::new(probe.rise, probe.fall),
            history: History::new(),
            due: None,
            fault: None,
        }
    }

    /// Meets another session than before.
    pub(super) fn meet(
        &mut self,
        epoch: Epoch,
        endpoint: Option<Endpoint>,
        probe: &ProbeConfig,
        now: Instant,
    ) {
        // A new session: its dial was the first proof, the next comes after an interval of its own length, so that
        // backends which came together do not stay in step.
        let offset = probe.interval.mul_f64(0.8 + 0.2 * fastrand::f64());
        (self.epoch, self.since, self.endpoint) = (epoch, now, endpoint);
        self.verdict = Verdict::new(probe.rise, probe.fall);
        self.due = Some(now + offset);
        self.fault = None;
    }

    /// Shows what the last probe learned.
    pub(super) fn show(&self, slot: &Arc<Slot>, pulse: Option<Pulse>) {
        if let Some(queue) = pulse.as_ref().and_then(|pulse| pulse.queue) {
            slot.queued(queue);
        }
        if pulse.is_some() {
            slot.traffic.probed();
        }
        let ((used, limit), requests) = (slot.door.slots(), slot.traffic.figures());
        slot.record.note(|status| {
            status.last_check_at = Some(jiff::Timestamp::now());
            status.latency_ms = self.history.latency_ms();
            status.request_ms = requests.took_ms;
            status.success_rate = requests.success_rate.or_else(|| self.history.success_rate());
            status.slots = Slots { used, limit };
            if let Some(pulse) = pulse {
                status.queue = pulse.queue.or(status.queue);
                status.tokens = pulse.tokens.or(status.tokens);
                if let Some(loaded) = pulse.loaded {
                    status.loaded = loaded;
                }
                let (new, old) = (pulse.resources, status.resources);
                status.resources.vram_free = new.vram_free.or(old.vram_free);
                status.resources.vram_total = new.vram_total.or(old.vram_total);
                status.resources.ram_free = new.ram_free.or(old.ram_free);
            }
        });
    }

    /// What is known of the backend, as an answer.
    pub(super) fn report(slot: &Slot, patient: Option<&Self>) -> HealthReport {
        let observed = slot.record.observed();
        let identity = observed.as_ref().map(|seen| &*seen.identity);
        let live = slot.door.session().is_some();
        HealthReport {
            backend: slot.config.id.clone(),
            answers: slot.record.read(|status| Answers::of(status, identity)),
            health: patient.filter(|_| live).map_or(Health::Unknown, |p| match p.verdict.health() {
                Health::Healthy if slot.lacks_another() => Health::Degraded,
                health => health,
            }),
            probes: patient.map_or(0, |p| p.history.probes()),
            success_rate: patient.and_then(|p| p.history.success_rate()),
            latency_ms: patient.and_then(|p| p.history.latency_ms()),
            fault: patient.and_then(|p| p.fault.clone()),
        }
    }
}
