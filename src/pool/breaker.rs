//! Whether a pool sends work to a backend, by what came of the work before. Pure.
//!
//! ```text
//!            a streak, a rate, a refused connection, flapping
//!   Closed ---------------------------------------------------> Open{until}
//!     ^                                                           | its time has come
//!     |  enough successes                                         v
//!     '------------------------------------------------------- HalfOpen{one trial at a time}
//!                                             a failure: Open, for longer
//! ```
//!
//! It is not the dial's clock: whether there is a session the connection decides; this only says whether a pool that
//! has others uses it.

mod shown;
mod window;

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

pub(crate) use self::shown::Shown;
use self::window::Window;
use crate::{model::Fault, pool::outcome::Outcome};

/// Failures in a row that open it.
const STREAK: u32 = 3;
/// The share of failures that opens it, and the least number of outcomes that make a share.
const RATE: f32 = 0.5;
const VOLUME: u32 = 20;
/// How long it stays open: the first time, and at most, doubling from opening to opening.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);
/// Closed this long, it forgets that it ever was open.
const FORGIVEN: Duration = Duration::from_secs(60);
/// Losses within this time are flaps, all but the first: each one sets it aside for so much longer, up to the cap.
const FLAP_WINDOW: Duration = Duration::from_secs(300);
const FLAP: Duration = Duration::from_secs(30);
const FLAP_CAP: Duration = Duration::from_secs(300);
/// The rest after a failure: others go first for so long, doubling from failure to failure.
const REST: Duration = Duration::from_secs(1);
/// The wait after it said that it is busy, without saying for how long; and the longest that is believed.
const BUSY: Duration = Duration::from_secs(1);
const BUSY_CAP: Duration = Duration::from_secs(3600);
/// A trial of which nothing is heard is over.
const TRIAL: Duration = Duration::from_secs(120);

/// Whether work goes there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It does.
    Clear,
    /// Others go first: it has just failed.
    Resting,
    /// It asked for a pause.
    Held,
    /// One request may try.
    Trial,
    /// Only where all are set aside.
    Ejected,
}

/// Why it opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// What was sent there failed.
    Failures,
    /// Nobody listened: a session is proof enough that somebody does.
    Unreachable,
    /// Its session was lost again and again.
    Flaps,
}

#[derive(Debug, Clone)]
enum State {
    Closed,
    Open { until: Instant, cause: Cause, why: String },
    HalfOpen { cause: Cause, why: String, trial: Option<Trial>, successes: u32 },
}

/// The one request that tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Trial {
    number: u64,
    since: Instant,
}

/// The breaker of one backend.
#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    state: State,
    streak: u32,
    window: Window,
    losses: VecDeque<Instant>,
    /// Openings in a row, and since when it is closed again.
    openings: u32,
    closed_at: Option<Instant>,
    pause: Option<Pause>,
    trials: u64,
}

/// Why others go first for a moment.
#[derive(Debug, Clone)]
struct Pause {
    gate: Gate,
    until: Instant,
    why: String,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Closed,
            streak: 0,
            window: Window::default(),
            losses: VecDeque::new(),
            openings: 0,
            closed_at: None,
            pause: None,
            trials: 0,
        }
    }

    /// Takes what came of a request or a job. `rise` is how many successes end a flapping.
    pub(crate) fn take(&mut self, outcome: &Outcome, rise: u32, now: Instant) {
        match outcome {
            Outcome::Good => self.succeeded(rise, now),
            Outcome::Failed(fault) => self.failed(fault, now),
            Outcome::Busy(fault) => {
                let wait = fault.retry_after().unwrap_or(BUSY).min(BUSY_CAP);
                let pause = Pause { gate: Gate::Held, until: now + wait, why: fault.to_string() };
                if self.pause.as_ref().is_none_or(|known| known.until < pause.until) {
                    self.pause = Some(pause);
                }
            }
            Outcome::Own => {}
        }
    }

    /// A probe was answered: the successes that end a flapping.
    pub(crate) fn probed(&mut self, rise: u32, now: Instant) {
        if self.cause() == Some(Cause::Flaps) {
            self.succeeded(rise, now);
        }
    }

    /// Its session was lost, and nobody wanted that.
    pub(crate) fn lost(&mut self, fault: &Fault, now: Instant) {
        self.losses.retain(|at| now.saturating_duration_since(*at) < FLAP_WINDOW);
        if self.losses.len() > 32 {
            self.losses.pop_front();
        }
        self.losses.push_back(now);
        let flaps = self.losses.len() as u32 - 1;
        if flaps > 0 {
            let why = format!("its session was lost {} times within 5 minutes; the last: {fault}", flaps + 1);
            let until = now + FLAP.saturating_mul(flaps).min(FLAP_CAP);
            self.state = State::Open { until, cause: Cause::Flaps, why };
        }
    }

    /// It has a session again.
    pub(crate) fn connected(&mut self, now: Instant) {
        if self.cause() == Some(Cause::Unreachable) {
            self.close(now);
        }
    }

    /// Whether work goes there now.
    pub(crate) fn gate(&self, now: Instant) -> Gate {
        let gate = match &self.state {
            State::Closed => Gate::Clear,
            State::Open { until, .. } if *until > now => Gate::Ejected,
            State::Open { .. } => Gate::Trial,
            State::HalfOpen { trial: Some(trial), .. } if now < trial.since + TRIAL => Gate::Ejected,
            State::HalfOpen { .. } => Gate::Trial,
        };
        match &self.pause {
            Some(pause) if pause.until > now && (gate == Gate::Clear || pause.gate == Gate::Held) => {
                pause.gate
            }
            _ => gate,
        }
    }

    /// Begins the one trial, where it may begin now; gives its number.
    pub(crate) fn begin_trial(&mut self, now: Instant) -> Option<u64> {
        if self.gate(now) != Gate::Trial {
            return None;
        }
        let (cause, why, successes) = match std::mem::replace(&mut self.state, State::Closed) {
            State::Open { cause, why, .. } => (cause, why, 0),
            State::HalfOpen { cause, why, successes, .. } => (cause, why, successes),
            State::Closed => return None,
        };
        self.trials += 1;
        let trial = Some(Trial { number: self.trials, since: now });
        self.state = State::HalfOpen { cause, why, trial, successes };
        Some(self.trials)
    }

    /// The trial's lease is over, and nothing came of it; or something did already.
    pub(crate) fn end_trial(&mut self, number: u64) {
        if let State::HalfOpen { trial, .. } = &mut self.state {
            *trial = trial.filter(|trial| trial.number != number);
        }
    }

    fn succeeded(&mut self, rise: u32, now: Instant) {
        self.streak = 0;
        self.window.add(now, window::Kind::Good);
        let (cause, successes) = match &self.state {
            State::Closed => return,
            // What was under way before it opened is no trial.
            State::Open { until, .. } if *until > now => return,
            State::Open { cause, .. } => (*cause, 1),
            State::HalfOpen { cause, successes, .. } => (*cause, successes + 1),
        };
        let needed = if cause == Cause::Flaps { rise } else { 1 };
        if successes >= needed {
            self.close(now);
            return;
        }
        if let State::Open { why, .. } | State::HalfOpen { why, .. } = &self.state {
            self.state = State::HalfOpen { cause, why: why.clone(), trial: None, successes };
        }
    }

    fn failed(&mut self, fault: &Fault, now: Instant) {
        self.streak = self.streak.saturating_add(1);
        self.window.add(now, window::Kind::Failed);
        let asked = fault.retry_after().map(|wait| wait.min(BUSY_CAP));
        let rest = asked.unwrap_or(REST * 2u32.pow(self.streak.min(4) - 1));
        let gate = if asked.is_some() { Gate::Held } else { Gate::Resting };
        self.pause = Some(Pause { gate, until: now + rest, why: format!("it has just failed: {fault}") });
        let refused = fault.code() == crate::model::Code::ConnectionRefused;
        let (good, bad) = self.window.counts(now);
        let share = bad as f32 / (good + bad).max(1) as f32;
        let why = match &self.state {
            State::Open { until, .. } if *until > now => return,
            State::Open { .. } | State::HalfOpen { .. } => format!("the trial failed: {fault}"),
            State::Closed if refused => fault.to_string(),
            State::Closed if self.streak >= STREAK => {
                format!("{} requests failed in a row; the last: {fault}", self.streak)
            }
            State::Closed if good + bad >= VOLUME && share >= RATE => {
                format!("{bad} of {} requests failed; the last: {fault}", good + bad)
            }
            State::Closed => return,
        };
        self.open(if refused { Cause::Unreachable } else { Cause::Failures }, why, now);
    }

    fn open(&mut self, cause: Cause, why: String, now: Instant) {
        let forgiven = self.closed_at.is_some_and(|at| now.saturating_duration_since(at) > FORGIVEN);
        self.openings = if forgiven { 1 } else { self.openings.saturating_add(1) };
        self.closed_at = None;
        let wait = FIRST.saturating_mul(1 << (self.openings - 1).min(8)).min(LONGEST);
        self.state = State::Open { until: now + wait, cause, why };
    }

    fn close(&mut self, now: Instant) {
        self.state = State::Closed;
        self.closed_at = Some(now);
        (self.streak, self.pause) = (0, None);
        self.window = Window::default();
    }

    fn cause(&self) -> Option<Cause> {
        match &self.state {
            State::Closed => None,
            State::Open { cause, .. } | State::HalfOpen { cause, .. } => Some(*cause),
        }
    }
}

#[cfg(test)]
mod tests;
