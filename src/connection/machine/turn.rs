//! The transitions, one function a state.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Command, Effect, Event, Load, Memory, Vital, Witness,
    state::{AfterDrain, Before, Dialing, Doubt, Draining, Parked, Proof, Ready, State, Waiting},
};
use crate::model::{Code, Fault, code::Course};

type Turn<S> = (State<S>, Vec<Effect<S>>);

pub(super) fn turn<S>(state: State<S>, memory: &mut Memory, event: Event<S>, now: Instant) -> Turn<S> {
    match state {
        State::Idle => idle(memory, event),
        State::Dialing(dialing) => while_dialing(dialing, memory, event, now),
        State::Ready(ready) => while_ready(ready, memory, event, now),
        State::Waiting(waiting) => while_waiting(waiting, memory, event, now),
        State::Parked(parked) => while_parked(parked, memory, event, now),
        State::Paused(fault) => while_paused(fault, memory, event),
        State::Draining(draining) => while_draining(draining, event, now),
        State::Closed(fault) => (State::Closed(fault), Vec::new()),
    }
}

// Idle => Dialing | Paused | Closed
fn idle<S>(memory: &mut Memory, event: Event<S>) -> Turn<S> {
    match event {
        Event::Start | Event::Command(Command::Reconnect | Command::ForceReconnect | Command::Resume) => {
            dial(memory, Before::Fresh)
        }
        Event::Command(Command::Pause { .. }) => (State::Paused(paused()), Vec::new()),
        Event::Command(Command::Close { .. }) => closed(Vec::new()),
        _ => (State::Idle, Vec::new()),
    }
}

// Dialing => Ready | Waiting | Parked | Paused | Closed
fn while_dialing<S>(dialing: Dialing, memory: &mut Memory, event: Event<S>, now: Instant) -> Turn<S> {
    match event {
        Event::Dialed { result: Ok(session), .. } => {
            memory.attempts = 0;
            let proof = Proof::Due(now + memory.patience.proof);
            let ready = Ready { epoch: dialing.epoch, session, proof, doubt: None };
            (State::Ready(ready), vec![Effect::Admit])
        }
        Event::Dialed { result: Err(fault), .. } => {
            let wait = match dialing.before {
                Before::Parked { wait, .. } => Some(wait),
                Before::Fresh | Before::Waiting(_) => None,
            };
            let (state, mut effects) = failed(memory, fault, wait, now);
            effects.insert(0, Effect::HangUp);
            (state, effects)
        }
        // The attempt under way is what a reconnect asks for; a later failure starts from the first wait.
        Event::Command(Command::Reconnect | Command::ForceReconnect) => {
            memory.backoff.reset();
            (State::Dialing(Dialing { before: Before::Fresh, ..dialing }), Vec::new())
        }
        Event::Command(Command::Pause { .. }) => (State::Paused(paused()), vec![Effect::HangUp]),
        Event::Command(Command::Close { .. }) => closed(vec![Effect::HangUp]),
        _ => (State::Dialing(dialing), Vec::new()),
    }
}

// Ready => Ready | Waiting | Parked | Draining | Dialing
fn while_ready<S>(mut ready: Ready<S>, memory: &mut Memory, event: Event<S>, now: Instant) -> Turn<S> {
    match event {
        Event::Vitals { vital: Vital::Lost(fault), .. } => lost(ready, memory, fault, now),
        Event::Vitals { vital: Vital::Silent(_, fault), load: Load::Idle, .. } => {
            lost(ready, memory, fault, now)
        }
        Event::Vitals { vital: Vital::Silent(witness, fault), load: Load::Working, .. } => {
            doubted(ready, memory, witness, fault, now)
        }
        Event::Vitals { vital: Vital::Heard(witness), .. } => heard(ready, witness),
        Event::Tick => {
            if matches!(ready.proof, Proof::Due(at) if at <= now) {
                ready.proof = Proof::Given;
                memory.backoff.reset();
            }
            match ready
                .doubt
                .as_ref()
                .filter(|d| d.until.is_some_and(|until| until <= now))
                .and_then(Doubt::fault)
            {
                Some(fault) => {
                    let fault = fault.clone();
                    lost(ready, memory, fault, now)
                }
                None => (State::Ready(ready), Vec::new()),
            }
        }
        Event::Command(Command::ForceReconnect) => {
            memory.backoff.reset();
            let why = Fault::new(Code::Cancelled, "a person asked for a new connection");
            let retire = Effect::Retire { session: ready.session, why };
            let (state, dial) = dial(memory, Before::Fresh);
            (state, [retire, Effect::HangUp].into_iter().chain(dial).collect())
        }
        Event::Command(Command::Pause { deadline }) => drain(ready, deadline, AfterDrain::Pause),
        Event::Command(Command::Close { deadline }) => drain(ready, deadline, AfterDrain::Close),
        _ => (State::Ready(ready), Vec::new()),
    }
}

// Waiting => Dialing | Paused | Closed
fn while_waiting<S>(waiting: Waiting, memory: &mut Memory, event: Event<S>, now: Instant) -> Turn<S> {
    match event {
        Event::Tick if waiting.until <= now => dial(memory, Before::Waiting(waiting.fault)),
        Event::Command(Command::Reconnect | Command::ForceReconnect) => {
            memory.backoff.reset();
            dial(memory, Before::Waiting(waiting.fault))
        }
        Event::Command(Command::Pause { .. }) => (State::Paused(paused()), Vec::new()),
        Event::Command(Command::Close { .. }) => closed(Vec::new()),
        _ => (State::Waiting(waiting), Vec::new()),
    }
}

// Parked => Dialing | Paused | Closed
fn while_parked<S>(parked: Parked, memory: &mut Memory, event: Event<S>, now: Instant) -> Turn<S> {
    match event {
        Event::Tick if parked.recheck <= now => {
            dial(memory, Before::Parked { fault: parked.fault, wait: parked.wait })
        }
        Event::Command(Command::Reconnect | Command::ForceReconnect) => {
            memory.backoff.reset();
            dial(memory, Before::Fresh)
        }
        Event::Command(Command::Pause { .. }) => (State::Paused(paused()), Vec::new()),
        Event::Command(Command::Close { .. }) => closed(Vec::new()),
        _ => (State::Parked(parked), Vec::new()),
    }
}

// Paused => Dialing | Closed
fn while_paused<S>(fault: Fault, memory: &mut Memory, event: Event<S>) -> Turn<S> {
    match event {
        Event::Command(Command::Resume | Command::Reconnect | Command::ForceReconnect) => {
            memory.backoff.reset();
            dial(memory, Before::Fresh)
        }
        Event::Command(Command::Close { .. }) => closed(Vec::new()),
        _ => (State::Paused(fault), Vec::new()),
    }
}

// Draining => Draining | Paused | Closed
fn while_draining<S>(mut draining: Draining<S>, event: Event<S>, now: Instant) -> Turn<S> {
    let why = match event {
        Event::Drained { .. } => Fault::new(Code::Closing, "drained"),
        Event::Tick if draining.deadline <= now => {
            Fault::new(Code::Closing, "drained until the deadline; what was in flight is left to the backend")
        }
        Event::Vitals { vital: Vital::Lost(fault), .. } => fault,
        Event::Command(Command::Close { deadline }) => {
            draining.deadline = draining.deadline.min(deadline);
            draining.then = AfterDrain::Close;
            return (State::Draining(draining), Vec::new());
        }
        _ => return (State::Draining(draining), Vec::new()),
    };
    let out = vec![Effect::Retire { session: draining.session, why }, Effect::HangUp];
    match draining.then {
        AfterDrain::Pause => (State::Paused(paused()), out),
        AfterDrain::Close => closed(out),
    }
}

fn dial<S>(memory: &mut Memory, before: Before) -> Turn<S> {
    memory.epoch = memory.epoch.next();
    memory.attempts = memory.attempts.saturating_add(1);
    let epoch = memory.epoch;
    (State::Dialing(Dialing { epoch, before }), vec![Effect::Dial(epoch)])
}

fn failed<S>(memory: &mut Memory, fault: Fault, parked: Option<Duration>, now: Instant) -> Turn<S> {
    let state = match fault.course() {
        Course::Retry => {
            let wait = memory.backoff.next_wait(now).max(fault.retry_after().unwrap_or_default());
            State::Waiting(Waiting { until: now + wait, fault })
        }
        Course::Park => {
            let patience = memory.patience;
            let wait = parked.map_or(patience.recheck, |wait| (wait * 2).min(patience.recheck_cap));
            State::Parked(Parked { recheck: now + wait, wait, fault })
        }
    };
    (state, Vec::new())
}

/// The session goes first, then the link: who waits on the session hears why it ended, not that it was dropped.
fn lost<S>(ready: Ready<S>, memory: &mut Memory, fault: Fault, now: Instant) -> Turn<S> {
    let out = vec![Effect::Retire { session: ready.session, why: fault.clone() }, Effect::HangUp];
    let (state, _) = failed(memory, fault, None, now);
    (state, out)
}

fn doubted<S>(mut ready: Ready<S>, memory: &Memory, witness: Witness, fault: Fault, now: Instant) -> Turn<S> {
    let news = ready.doubt.is_none();
    let doubt = ready.doubt.get_or_insert_default();
    doubt.until.get_or_insert(now + memory.patience.hang_limit);
    match witness {
        Witness::Link => doubt.by_link = Some(fault.clone()),
        Witness::Probe => doubt.by_probe = Some(fault.clone()),
    }
    let effects = if news { vec![Effect::Bar(fault)] } else { Vec::new() };
    (State::Ready(ready), effects)
}

fn heard<S>(mut ready: Ready<S>, witness: Witness) -> Turn<S> {
    let Some(doubt) = &mut ready.doubt else { return (State::Ready(ready), Vec::new()) };
    match witness {
        Witness::Link => doubt.by_link = None,
        Witness::Probe => doubt.by_probe = None,
    }
    if doubt.fault().is_some() {
        return (State::Ready(ready), Vec::new());
    }
    ready.doubt = None;
    (State::Ready(ready), vec![Effect::Admit])
}

fn drain<S>(ready: Ready<S>, deadline: Instant, then: AfterDrain) -> Turn<S> {
    let code = if then == AfterDrain::Pause { Code::Paused } else { Code::Closing };
    let draining = Draining { epoch: ready.epoch, session: ready.session, deadline, then };
    (State::Draining(draining), vec![Effect::Bar(Fault::new(code, "draining: no new work"))])
}

fn closed<S>(mut effects: Vec<Effect<S>>) -> Turn<S> {
    effects.push(Effect::Stop);
    (State::Closed(Fault::new(Code::Closing, "closed")), effects)
}

fn paused() -> Fault {
    Fault::new(Code::Paused, "paused by a person")
}
