//! What a backend's state means for a person: pure, from one look at it to the next.
//!
//! Each look says what is to be raised and what may stay open, so that a look that was missed, or a restart, is made
//! good by the next one.

mod aged;
mod lean;
mod outage;
mod seen;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use self::{aged::Aged, lean::Lean, outage::Outage, seen::Seen};
use crate::{
    model::{BackendStatus, Channel, Code, Health, Phase, Severity, status::LastError},
    notices::{draft::Draft, moment::Moment},
};

/// How long a backend that counts may be away before a person is told.
const GRACE: Duration = Duration::from_secs(5);
/// How long another may.
const LONG_GRACE: Duration = Duration::from_secs(30);
/// How long a channel may be blind before a person is told.
const BLIND: Duration = Duration::from_secs(20);
/// Sessions lost within [`WINDOW`] that are called flapping.
const LOSSES: usize = 4;
const WINDOW: Duration = Duration::from_secs(300);
/// Without a loss for this long it is over.
const CALM: Duration = Duration::from_secs(120);
/// How long a crash of our own is shown.
const CRASH: Duration = Duration::from_secs(60);

/// Whether notices of this cause, about a backend, are made here and nowhere else.
pub(super) fn owns(code: Code) -> bool {
    !matches!(
        code,
        Code::ConfigInvalid
            | Code::ConfigMasked
            | Code::BackendMoved
            | Code::BackendFound
            | Code::DiskTrouble
            | Code::DiskFull
            | Code::StateSalvaged
            | Code::HistoryDropped
            | Code::OutputsBudget
            | Code::ClockJump
            | Code::WebhookFailing
    )
}

/// What one look comes to.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) raise: Vec<Draft>,
    /// When to look again even if nothing changes.
    pub(super) due: Option<Instant>,
}

/// Which open notices of a backend may stay.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Keep {
    /// Its state is not known yet: all.
    #[default]
    All,
    /// These.
    Only(BTreeSet<Code>),
}

/// What is remembered of a backend between looks.
#[derive(Debug, Default)]
pub(super) struct Case {
    before: Option<Seen>,
    outage: Option<Outage>,
    lean: Lean,
    losses: VecDeque<Instant>,
    flapping: Option<Flapping>,
    blind_since: Option<Instant>,
    crash_until: Option<Instant>,
    /// What was raised and still stands, with the epoch of its last count.
    standing: BTreeMap<Code, u64>,
    aged: Aged,
    pub(super) keep: Keep,
}

/// It comes and goes, and how many losses were told.
#[derive(Debug, Default)]
struct Flapping {
    lost: u64,
}

/// Whether the host cannot do without the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Needed,
    Optional,
}

impl Case {
    /// Looks at the backend's state now.
    pub(super) fn look(&mut self, status: &BackendStatus, weight: Weight, moment: Moment) -> Verdict {
        let now = moment.tick;
        if matches!(status.phase, Phase::Closed | Phase::Draining) {
            // On its way out: what is open stays as it is, also for the next run.
            return Verdict::default();
        }
        if !status.enabled || status.phase == Phase::Paused {
            *self = Self { keep: Keep::Only(BTreeSet::new()), ..Self::default() };
            return Verdict::default();
        }
        let known = !(matches!(status.phase, Phase::Idle | Phase::Dialing) && status.reason.is_none());
        let mut verdict = Verdict::default();
        let mut wanted = Vec::new();
        wanted.extend(self.crash(status, moment, &mut verdict.due));
        wanted.extend(self.lean.look(status, now, &mut verdict.due));
        if lean::root_of(status).is_some() {
            // Counted anew once the other backend is back.
            (self.outage, self.flapping, self.blind_since) = (None, None, None);
            self.losses.clear();
        } else {
            wanted.extend(self.flap(status, now, &mut verdict.due));
            wanted.extend(self.absence(status, weight, now, &mut verdict.due));
            wanted.extend(self.unwell(status, now, &mut verdict.due));
        }
        wanted.extend(self.aged.look(status).into_iter().map(|draft| (draft, 0)));
        self.before = Some(Seen::of(status));
        let raised = wanted.iter().map(|(draft, _)| draft.code);
        if known {
            let codes: BTreeSet<_> = raised.chain(self.aged.codes()).collect();
            self.standing.retain(|code, _| codes.contains(code));
            self.keep = Keep::Only(codes);
        } else if let Keep::Only(codes) = &mut self.keep {
            // It dials anew, after a crash of ours: what was open stays, and so does what is raised now.
            codes.extend(raised);
        }
        verdict.raise = self.news(status, wanted);
        verdict
    }

    /// What is wanted and new, or was met again since.
    fn news(&mut self, status: &BackendStatus, wanted: Vec<(Draft, u64)>) -> Vec<Draft> {
        let mut news = Vec::new();
        for (draft, mark) in wanted {
            let told = self.standing.insert(draft.code, mark);
            if told.is_none_or(|told| told < mark) {
                let times = told.map_or(1, |told| mark - told);
                news.push(draft.backend(status.id.clone()).times(times));
            }
        }
        news
    }

    /// A crash of the connection's own actor.
    fn crash(
        &mut self,
        status: &BackendStatus,
        now: Moment,
        due: &mut Option<Instant>,
    ) -> Option<(Draft, u64)> {
        // A first look may come after the crash: it went by within a moment of the start, or the watcher is a new one.
        if self.before.is_none_or(|before| before.restarts < status.restarts) {
            // A clock that was set back since makes it no longer.
            self.crash_until = status.crashed_at.map(|at| now.later(at + CRASH).min(now.tick + CRASH));
        }
        self.crash_until = self.crash_until.filter(|until| now.tick < *until);
        sooner(due, self.crash_until);
        let waits = status.phase == Phase::Waiting && cause(status).is_some_and(|c| c.code == Code::Crashed);
        if status.phase == Phase::Quarantined || (self.crash_until.is_none() && !waits) {
            return None;
        }
        let draft = Draft::new(Code::Crashed, Severity::Warning);
        let message = cause(status).filter(|c| c.code == Code::Crashed).map(|c| c.message.clone());
        let message =
            message.unwrap_or_else(|| "the connection's actor crashed and was restarted".to_owned());
        Some((draft.message(message), status.restarts))
    }

    /// Sessions that are lost again and again.
    fn flap(
        &mut self,
        status: &BackendStatus,
        now: Instant,
        due: &mut Option<Instant>,
    ) -> Option<(Draft, u64)> {
        let lost = self.before.map_or(0, |before| before.lost_until(Seen::of(status)));
        for _ in 0..lost {
            self.losses.push_back(now);
            if self.losses.len() > 64 {
                self.losses.pop_front();
            }
            if let Some(flapping) = &mut self.flapping {
                flapping.lost += 1;
            }
        }
        while self.losses.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            self.losses.pop_front();
        }
        let last = *self.losses.back()?;
        if self.flapping.is_none() && self.losses.len() >= LOSSES {
            self.flapping = Some(Flapping { lost: self.losses.len() as u64 });
        }
        if now.saturating_duration_since(last) >= CALM {
            self.flapping = None;
        }
        let flapping = self.flapping.as_ref()?;
        sooner(due, Some(last + CALM));
        let minutes = WINDOW.as_secs() / 60;
        let message = format!("{} sessions were lost within {minutes} minutes", self.losses.len());
        Some((Draft::new(Code::Flapping, Severity::Warning).message(message), flapping.lost))
    }

    /// It is away: at once where a person has to act, else after a grace.
    fn absence(
        &mut self,
        status: &BackendStatus,
        weight: Weight,
        now: Instant,
        due: &mut Option<Instant>,
    ) -> Option<(Draft, u64)> {
        let fault = cause(status);
        let away = match status.phase {
            Phase::Waiting | Phase::Dialing => fault.is_some_and(|f| f.code != Code::Crashed),
            _ => false,
        };
        if !away {
            self.outage = None;
        }
        match (status.phase, fault) {
            (Phase::Parked | Phase::Quarantined, Some(fault)) => {
                Some((draft(fault, Severity::Error), status.epoch))
            }
            (_, Some(fault)) if away => {
                let outage = self.outage.get_or_insert_with(|| Outage::new(fault, status.epoch, now));
                outage.hear(fault, status);
                let (grace, severity) = match weight {
                    Weight::Needed => (GRACE, Severity::Error),
                    Weight::Optional => (LONG_GRACE, Severity::Warning),
                };
                let from = outage.since + grace;
                if now < from {
                    sooner(due, Some(from));
                    return None;
                }
                Some((draft(&outage.cause, severity), outage.epoch))
            }
            _ => None,
        }
    }

    /// It is there, but not well.
    fn unwell(
        &mut self,
        status: &BackendStatus,
        now: Instant,
        due: &mut Option<Instant>,
    ) -> Option<(Draft, u64)> {
        let ready = status.phase == Phase::Ready;
        let blind = ready && matches!(status.channel, Channel::Polling | Channel::Degraded);
        self.blind_since = blind.then(|| self.blind_since.unwrap_or(now));
        if ready && status.health == Health::Unhealthy {
            let told = cause(status).map(|fault| draft(fault, Severity::Error));
            return Some((told.unwrap_or_else(|| Draft::new(Code::Hang, Severity::Error)), 0));
        }
        let from = self.blind_since? + BLIND;
        if now < from {
            sooner(due, Some(from));
            return None;
        }
        let message = match status.channel {
            Channel::Polling => "no live channel can be had; its state is read by polling",
            _ => "its live channel does not tell everything; its state is read by polling as well",
        };
        Some((Draft::new(Code::ChannelDegraded, Severity::Warning).message(message), 0))
    }
}

/// Why the state is what it is; an error of the past does not count.
fn cause(status: &BackendStatus) -> Option<&LastError> {
    status.reason.as_ref().and(status.last_error.as_ref())
}

fn draft(fault: &LastError, severity: Severity) -> Draft {
    Draft::new(fault.code, severity).message(&fault.message).fix(&fault.fix)
}

fn sooner(due: &mut Option<Instant>, other: Option<Instant>) {
    *due = [*due, other].into_iter().flatten().min();
}

#[cfg(test)]
mod tests;
