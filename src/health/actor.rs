//! The prober: one wheel of 100 ms for all backends, one probe at a time for each.

use std::{collections::HashSet, sync::Arc, time::Duration};

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
    health::{HealthReport, ask::ask, blame::blame, patient::Patient, verdict::Advice, ward::Ward},
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
    ward: Ward,
    /// Those that need others.
    leaning: Vec<Arc<Slot>>,
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
            ward: Ward::default(),
            leaning: Vec::new(),
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
        // A session that came is told before it can be missed.
        if self.moves.has_changed().unwrap_or(true) {
            self.moves.mark_unchanged();
            self.make_rounds(now);
        } else {
            for id in self.ward.take_due(now) {
                if let Some(slot) = self.roster.slot(&id) {
                    self.attend(&slot, now);
                }
            }
        }
        blame(&self.roster, &self.leaning);
        self.hub.settle();
        self.set_wheel(now);
    }

    /// Sees who is there now.
    fn make_rounds(&mut self, now: Instant) {
        let slots = self.roster.slots();
        let known: HashSet<_> = slots.iter().map(|slot| &slot.config.id).collect();
        self.ward.retain(|id| known.contains(id));
        self.ward.begin_round();
        slots.iter().for_each(|slot| self.attend(slot, now));
        self.leaning = slots.into_iter().filter(|slot| slot.needs_others() || slot.lacks_another()).collect();
    }

    /// The next turn: at the next probe's time, brought to the grid, and soon enough to notice a new session.
    fn set_wheel(&mut self, now: Instant) {
        let due = self.ward.next().map_or(IDLE_TURN, |due| due.saturating_duration_since(now)).min(IDLE_TURN);
        let ticks = due.as_nanos().div_ceil(WHEEL.as_nanos()).max(1);
        let next = now + WHEEL * u32::try_from(ticks).unwrap_or(1);
        let myself = self.myself.clone();
        self.alarm.set(Some(next), move || {
            let _ = myself.cast(Msg::Turn);
        });
    }

    /// Sends a probe where it is due and no other session of the same endpoint has one under way.
    fn attend(&mut self, slot: &Arc<Slot>, now: Instant) {
        let Some((epoch, _)) = slot.door.session() else { return self.ward.leave(&slot.config.id) };
        let probe = slot.settings().probe;
        if self.ward.visit(&slot.config, epoch, &probe, now) {
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
        let now = Instant::now();
        let companions = if is_shared(&outcome) { self.ward.companions(id, now, took) } else { Vec::new() };
        self.ward.probed(id);
        let mut overdue = false;
        for (other, epoch) in companions {
            let Some(slot) = self.roster.slot(&other) else { continue };
            let Some((_, session)) = slot.door.session().filter(|(live, _)| *live == epoch) else { continue };
            if let Ok(pulse) = &outcome {
                session.overhear(pulse);
            }
            overdue |= self.learned(&slot, epoch, took, outcome.clone());
        }
        if outcome.is_ok() {
            self.hub.meter.probed(id.as_str(), took);
        }
        if let Some(slot) = self.roster.slot(id) {
            overdue |= self.learned(&slot, epoch, took, outcome);
        }
        if overdue {
            self.turn();
        } else {
            self.set_wheel(now);
        }
    }

    /// A probe without a meaning is made again at once.
    fn void(&mut self, id: &BackendId, epoch: Epoch) {
        tracing::debug!(backend = %id, %epoch, "a probe is void: we were late ourselves");
        self.ward.probed(id);
        self.check_now(id);
    }

    /// Takes an outcome; tells whether the next probe is due already.
    fn learned(
        &mut self,
        slot: &Arc<Slot>,
        epoch: Epoch,
        took: Duration,
        outcome: Result<Pulse, Fault>,
    ) -> bool {
        let id = &slot.config.id;
        let Some(patient) = self.ward.get_mut(id) else { return false };
        // A probe of a former session says nothing of this one, which has a time of its own.
        if epoch != patient.epoch {
            self.ward.expect(id);
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
        patient.show(slot, outcome.ok());
        // Counted from the probe's beginning: a probe that took its whole time-out is followed at once by the next, so
        // that a hang is proved in interval + fall x timeout.
        let now = Instant::now();
        let due = (now - took.min(wait)) + wait;
        self.ward.put_off(id, due);
        if let Some(advice) = advice {
            self.advise(id, epoch, advice);
        }
        due <= now
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
        self.ward.put_off(id, Instant::now());
        self.turn();
    }

    fn report(&self, id: &BackendId) -> Option<HealthReport> {
        let slot = self.roster.slot(id)?;
        Some(Patient::report(&slot, self.ward.get(id)))
    }
}

/// Whether an outcome tells of the endpoint, and not of one session or log-in.
fn is_shared(outcome: &Result<Pulse, Fault>) -> bool {
    let code = outcome.as_ref().err().map(Fault::code);
    code.is_none_or(|code| {
        matches!(
            code,
            Code::ConnectionRefused
                | Code::NoRoute
                | Code::ConnectTimeout
                | Code::RequestTimeout
                | Code::Hang
        )
    })
}
