//! The prober: one wheel of 100 ms for all backends, one probe at a time for each.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
    time::Instant,
};

use crate::{
    backends::session::Pulse,
    connection::{
        actor::Msg as ConnectionMsg,
        alarm::Alarm,
        machine::{Vital, Witness},
        slot::Slot,
    },
    health::{HealthReport, ask::ask, blame::blame, endpoint::Endpoint, patient::Patient, verdict::Advice},
    hub::Hub,
    model::{BackendId, Code, Epoch, Fault},
    roster::Roster,
};

/// Probes are coalesced to this grid: a thousand timers of their own would each wake the process.
const WHEEL: Duration = Duration::from_millis(100);
/// Between turns when no probe is due: a new session is noticed by then.
const IDLE_TURN: Duration = Duration::from_secs(1);

pub(crate) enum Msg {
    Turn,
    Probed {
        id: BackendId,
        epoch: Epoch,
        took: Duration,
        outcome: Result<Pulse, Fault>,
    },
    /// We were late ourselves: a probe says nothing.
    Void {
        id: BackendId,
        epoch: Epoch,
    },
    CheckNow(BackendId),
    HealthOf(BackendId, oneshot::Sender<Option<HealthReport>>),
}

pub(crate) struct Prober;

pub(crate) struct State {
    myself: ActorRef<Msg>,
    roster: Arc<Roster>,
    hub: Arc<Hub>,
    /// Boxed: half of a map's places are empty.
    patients: HashMap<BackendId, Box<Patient>>,
    moves: watch::Receiver<u64>,
    probes: JoinSet<()>,
    alarm: Alarm,
}

impl Actor for Prober {
    type Msg = Msg;
    type State = State;
    type Arguments = (Arc<Roster>, Arc<Hub>);

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        (roster, hub): (Arc<Roster>, Arc<Hub>),
    ) -> Result<State, ActorProcessingErr> {
        let mut moves = hub.moves.subscribe();
        moves.mark_changed();
        Ok(State {
            myself,
            roster,
            hub,
            moves,
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
            Msg::Void { id, epoch } => state.void(&id, epoch),
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
        // A session that came is told before it can be missed.
        let moved = self.moves.has_changed().unwrap_or(true);
        if moved || self.next_probe().is_some_and(|due| due <= now) {
            self.moves.mark_unchanged();
            self.make_rounds(&slots, now);
        }
        blame(&self.roster, &slots);
        self.hub.settle();
        self.set_wheel(now);
    }

    fn make_rounds(&mut self, slots: &[Arc<Slot>], now: Instant) {
        self.patients.retain(|id, _| self.roster.slot(id).is_some());
        let under_way = self.patients.values().filter(|p| p.under_way.is_some());
        let mut asked = under_way.filter_map(|p| p.endpoint).collect();
        for slot in slots {
            self.attend(slot, now, &mut asked);
        }
    }

    /// When the next probe is due.
    fn next_probe(&self) -> Option<Instant> {
        self.patients.values().filter(|p| p.under_way.is_none()).filter_map(|p| p.due).min()
    }

    /// The next turn: at the next probe's time, brought to the grid, and soon enough to notice a new session.
    fn set_wheel(&mut self, now: Instant) {
        let due =
            self.next_probe().map_or(IDLE_TURN, |due| due.saturating_duration_since(now)).min(IDLE_TURN);
        let ticks = due.as_nanos().div_ceil(WHEEL.as_nanos()).max(1);
        let next = now + WHEEL * u32::try_from(ticks).unwrap_or(1);
        let myself = self.myself.clone();
        self.alarm.set(Some(next), move || {
            let _ = myself.cast(Msg::Turn);
        });
    }

    /// Sends a probe where it is due and no other session of the same endpoint has one under way.
    fn attend(&mut self, slot: &Arc<Slot>, now: Instant, asked: &mut HashSet<Endpoint>) {
        let Some((epoch, _)) = slot.door.session() else {
            // Nothing to probe: the wheel must not turn for it.
            if let Some(patient) = self.patients.get_mut(&slot.config.id) {
                patient.due = None;
            }
            return;
        };
        let probe = slot.settings().probe;
        let id = slot.config.id.clone();
        let patient =
            self.patients.entry(id).or_insert_with(|| Box::new(Patient::new(&slot.config, &probe, now)));
        patient.meet(epoch, &probe, now);
        let due = patient.under_way.is_none() && patient.due.is_some_and(|due| due <= now);
        if due && patient.endpoint.is_none_or(|endpoint| asked.insert(endpoint)) {
            patient.under_way = Some(epoch);
            self.probe(slot.clone(), probe.timeout);
        }
    }

    fn probe(&mut self, slot: Arc<Slot>, limit: Duration) {
        let myself = self.myself.clone();
        self.probes.spawn(async move {
            // A prober that is gone asks anew in its next incarnation.
            let _ = myself.cast(ask(&slot, limit).await);
        });
    }

    fn probed(&mut self, id: &BackendId, epoch: Epoch, took: Duration, outcome: Result<Pulse, Fault>) {
        let mut overdue = false;
        for (other, epoch) in self.companions(id, took, &outcome) {
            let session = self.roster.slot(&other).and_then(|slot| slot.door.session());
            let Some((_, session)) = session.filter(|(live, _)| *live == epoch) else { continue };
            if let Ok(pulse) = &outcome {
                session.overhear(pulse);
            }
            overdue |= self.learned(&other, epoch, took, outcome.clone());
        }
        if outcome.is_ok() {
            self.hub.meter.probed(id.as_str(), took);
        }
        overdue |= self.learned(id, epoch, took, outcome);
        if overdue {
            self.turn();
        } else {
            self.set_wheel(Instant::now());
        }
    }

    /// The other sessions with the same endpoint, where an outcome tells of it and not of one session or log-in.
    fn companions(
        &self,
        id: &BackendId,
        took: Duration,
        outcome: &Result<Pulse, Fault>,
    ) -> Vec<(BackendId, Epoch)> {
        let shared = match outcome {
            Ok(_) => true,
            Err(fault) => matches!(
                fault.code(),
                Code::ConnectionRefused
                    | Code::NoRoute
                    | Code::ConnectTimeout
                    | Code::RequestTimeout
                    | Code::Hang
            ),
        };
        let Some(prober) = self.patients.get(id).filter(|_| shared) else { return Vec::new() };
        let begun = Instant::now() - took;
        let others =
            self.patients.iter().filter(|(other, patient)| *other != id && patient.shares(prober, begun));
        others.map(|(other, patient)| (other.clone(), patient.epoch)).collect()
    }

    /// A probe without a meaning is made again at once.
    fn void(&mut self, id: &BackendId, epoch: Epoch) {
        tracing::debug!(backend = %id, %epoch, "a probe is void: we were late ourselves");
        if let Some(patient) = self.patients.get_mut(id) {
            patient.under_way = None;
            patient.due = Some(Instant::now());
        }
        self.turn();
    }

    /// Takes an outcome; tells whether the next probe is due already.
    fn learned(
        &mut self,
        id: &BackendId,
        epoch: Epoch,
        took: Duration,
        outcome: Result<Pulse, Fault>,
    ) -> bool {
        let slot = self.roster.slot(id);
        let Some((slot, patient)) = slot.zip(self.patients.get_mut(id)) else { return false };
        patient.under_way = None;
        // A probe of a former session says nothing of this one.
        if epoch != patient.epoch {
            return false;
        }
        slot.record.chronicle().probed(id, outcome.is_ok().then_some(took));
        match &outcome {
            Ok(_) => patient.history.answered(took),
            Err(_) => patient.history.missed(),
        }
        patient.fault = outcome.as_ref().err().cloned();
        let advice = patient.verdict.take(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
        let probe = slot.settings().probe;
        let wait = if patient.verdict.is_unsettled() { probe.fast } else { probe.interval };
        // Counted from the probe's beginning: a probe that took its whole time-out is followed at once by the next, so
        // that a hang is proved in interval + fall x timeout.
        let now = Instant::now();
        let due = (now - took.min(wait)) + wait;
        patient.due = Some(due);
        let overdue = due <= now;
        patient.show(&slot, outcome.ok());
        if let Some(advice) = advice {
            self.advise(id, epoch, advice);
        }
        overdue
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
            patient.due = Some(Instant::now());
        }
        self.turn();
    }

    fn report(&self, id: &BackendId) -> Option<HealthReport> {
        let slot = self.roster.slot(id)?;
        Some(Patient::report(&slot, self.patients.get(id).map(|patient| &**patient)))
    }
}
