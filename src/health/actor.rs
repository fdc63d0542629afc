//! The prober: one wheel of 100 ms for all backends, one probe at a time for each.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::oneshot, task::JoinSet, time::Instant};

use crate::{
    backends::session::Pulse,
    connection::{
        actor::Msg as ConnectionMsg,
        alarm::Alarm,
        machine::{Vital, Witness},
        slot::Slot,
    },
    health::{
        HealthReport,
        history::History,
        verdict::{Advice, Verdict},
    },
    model::{BackendId, Code, Epoch, Fault, Health},
    roster::Roster,
};

/// Probes are coalesced to this grid: a thousand timers of their own would each wake the process.
const WHEEL: Duration = Duration::from_millis(100);
/// Between turns when no probe is due: a new session is noticed by then.
const IDLE_TURN: Duration = Duration::from_secs(1);

pub(crate) enum Msg {
    Turn,
    Probed { id: BackendId, epoch: Epoch, took: Duration, outcome: Result<Pulse, Fault> },
    CheckNow(BackendId),
    HealthOf(BackendId, oneshot::Sender<Option<HealthReport>>),
}

pub(crate) struct Prober;

pub(crate) struct State {
    myself: ActorRef<Msg>,
    roster: Arc<Roster>,
    patients: HashMap<BackendId, Patient>,
    probes: JoinSet<()>,
    alarm: Alarm,
}

struct Patient {
    /// The session that the verdict is about.
    epoch: Epoch,
    verdict: Verdict,
    history: History,
    due: Instant,
    under_way: Option<Epoch>,
    fault: Option<Fault>,
}

impl Actor for Prober {
    type Msg = Msg;
    type State = State;
    type Arguments = Arc<Roster>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        roster: Arc<Roster>,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State {
            myself,
            roster,
            patients: HashMap::new(),
            probes: JoinSet::new(),
            alarm: Alarm::default(),
        })
    }

    async fn post_start(&self, _: ActorRef<Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.turn();
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Turn => state.turn(),
            Msg::Probed { id, epoch, took, outcome } => state.probed(&id, epoch, took, outcome),
            Msg::CheckNow(id) => state.check_now(&id),
            Msg::HealthOf(id, reply) => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(state.report(&id));
            }
        }
        Ok(())
    }
}

impl State {
    /// One turn of the wheel: probes whose time has come are sent.
    fn turn(&mut self) {
        let now = Instant::now();
        while self.probes.try_join_next().is_some() {}
        let slots = self.roster.slots();
        self.patients.retain(|id, _| slots.iter().any(|s| s.config.id == *id));
        for slot in &slots {
            self.attend(slot, now);
        }
        self.set_wheel(now);
    }

    /// The next turn: at the next probe's time, brought to the grid, and soon enough to notice a new session.
    fn set_wheel(&mut self, now: Instant) {
        let waiting = self.patients.values().filter(|p| p.under_way.is_none()).map(|p| p.due);
        let due = waiting.min().map_or(IDLE_TURN, |due| due.saturating_duration_since(now)).min(IDLE_TURN);
        let ticks = due.as_nanos().div_ceil(WHEEL.as_nanos()).max(1);
        let next = now + WHEEL * u32::try_from(ticks).unwrap_or(1);
        let myself = self.myself.clone();
        self.alarm.set(Some(next), move || {
            let _ = myself.cast(Msg::Turn);
        });
    }

    fn attend(&mut self, slot: &Arc<Slot>, now: Instant) {
        let Some((epoch, _)) = slot.door.session() else {
            // Nothing to probe: its time must not stand in the past, or the wheel would turn for it.
            if let Some(patient) = self.patients.get_mut(&slot.config.id) {
                patient.due = now + IDLE_TURN;
            }
            return;
        };
        let probe = slot.settings().probe;
        let patient = self.patients.entry(slot.config.id.clone()).or_insert_with(|| Patient {
            epoch: Epoch::ZERO,
            verdict: Verdict::new(probe.rise, probe.fall),
            history: History::new(),
            due: now,
            under_way: None,
            fault: None,
        });
        if patient.epoch != epoch {
            // A new session: its dial was the first proof, the next comes after an interval of its own length, so
            // that backends which came together do not stay in step.
            let offset = probe.interval.mul_f64(0.8 + 0.2 * fastrand::f64());
            patient.epoch = epoch;
            patient.verdict = Verdict::new(probe.rise, probe.fall);
            patient.due = now + offset;
            patient.fault = None;
        }
        if patient.under_way.is_none() && patient.due <= now {
            patient.under_way = Some(epoch);
            self.probe(slot.clone(), probe.timeout);
        }
    }

    fn probe(&mut self, slot: Arc<Slot>, limit: Duration) {
        let myself = self.myself.clone();
        self.probes.spawn(async move {
            let Some((epoch, session)) = slot.door.session() else {
                let fault = Fault::new(Code::ConnectionClosed, "the session ended before it was probed");
                let id = slot.config.id.clone();
                let _ = myself.cast(Msg::Probed {
                    id,
                    epoch: Epoch::ZERO,
                    took: Duration::ZERO,
                    outcome: Err(fault),
                });
                return;
            };
            let begun = Instant::now();
            let outcome = match tokio::time::timeout(limit, session.probe()).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    let place = slot.config.url.authority();
                    Err(Fault::new(
                        Code::Hang,
                        format!("{place}: connected, but no answer to a probe in {limit:?}"),
                    ))
                }
            };
            let id = slot.config.id.clone();
            let _ = myself.cast(Msg::Probed { id, epoch, took: begun.elapsed(), outcome });
        });
    }

    fn probed(&mut self, id: &BackendId, epoch: Epoch, took: Duration, outcome: Result<Pulse, Fault>) {
        let Some(slot) = self.roster.slot(id) else { return };
        let Some(patient) = self.patients.get_mut(id) else { return };
        patient.under_way = None;
        // A probe of a former session says nothing of this one.
        if epoch != patient.epoch {
            return;
        }
        slot.record.chronicle().probed(id, outcome.is_ok().then_some(took));
        match &outcome {
            Ok(_) => {
                slot.record.meter().probed(id.as_str(), took);
                patient.history.answered(took);
            }
            Err(_) => patient.history.missed(),
        }
        patient.fault = outcome.as_ref().err().cloned();
        let advice = patient.verdict.take(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
        let probe = slot.settings().probe;
        let wait = if patient.verdict.is_unsettled() { probe.fast } else { probe.interval };
        // Counted from the probe's beginning: a probe that took its whole time-out is followed at once by the next, so
        // that a hang is proved in interval + fall x timeout.
        let now = Instant::now();
        patient.due = (now - took.min(wait)) + wait;
        let overdue = patient.due <= now;
        show(&slot, patient, outcome.ok());
        if let Some(advice) = advice {
            self.advise(id, epoch, advice);
        }
        if overdue {
            self.turn();
        } else {
            self.set_wheel(now);
        }
    }

    fn advise(&self, id: &BackendId, epoch: Epoch, advice: Advice) {
        let vital = match advice {
            Advice::Fit => Vital::Heard(Witness::Probe),
            Advice::Failing(fault) => Vital::Silent(Witness::Probe, fault),
        };
        if let Some(connection) = self.roster.connection(id) {
            // A connection that is being restarted has no session to advise on.
            let _ = connection.cast(ConnectionMsg::Vital { epoch, vital });
        }
    }

    fn check_now(&mut self, id: &BackendId) {
        if let Some(patient) = self.patients.get_mut(id) {
            patient.due = Instant::now();
        }
        self.turn();
    }

    fn report(&self, id: &BackendId) -> Option<HealthReport> {
        let slot = self.roster.slot(id)?;
        let patient = self.patients.get(id);
        let live = slot.door.session().is_some();
        Some(HealthReport {
            backend: id.clone(),
            health: patient.filter(|_| live).map_or(Health::Unknown, |p| p.verdict.health()),
            probes: patient.map_or(0, |p| p.history.probes()),
            success_rate: patient.and_then(|p| p.history.success_rate()),
            latency_ms: patient.and_then(|p| p.history.latency_ms()),
            fault: patient.and_then(|p| p.fault.clone()),
        })
    }
}

fn show(slot: &Slot, patient: &Patient, pulse: Option<Pulse>) {
    let (used, limit) = slot.door.slots();
    slot.record.update(|status| {
        status.last_check_at = Some(jiff::Timestamp::now());
        status.latency_ms = patient.history.latency_ms();
        status.success_rate = patient.history.success_rate();
        status.slots = crate::model::status::Slots { used, limit };
        if let Some(pulse) = pulse {
            status.queue = pulse.queue.or(status.queue);
            let (new, old) = (pulse.resources, status.resources);
            status.resources.vram_free = new.vram_free.or(old.vram_free);
            status.resources.vram_total = new.vram_total.or(old.vram_total);
            status.resources.ram_free = new.ram_free.or(old.ram_free);
        }
    });
}
