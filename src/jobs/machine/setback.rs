//! What follows when an execution stopped short. Part of the machine; pure.

use std::time::Duration;

use super::{ATTEMPTS, Effect, Machine, Mark, REFUSALS, Rerun, Run, Stage, Turn, Watch, Wish};
use crate::{
    backends::Setback,
    model::{Code, Fault, JobState},
};

/// First and longest wait before work that was refused is offered again.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Between the loss of a session and the next try to fetch from it.
const COMEBACK: Duration = Duration::from_secs(1);
/// Longest wait that a backend may ask for.
const ASKED_WAIT: Duration = Duration::from_secs(3600);

impl Machine {
    pub(super) fn stopped(self, setback: Setback, now: Duration) -> Turn {
        if let (Stage::Fetching { run, .. }, Setback::Adrift(_)) = (&self.stage, &setback) {
            // What is left at the backend is fetched when it is back, however long that takes.
            let find = Effect::Find { backend: Some(run.backend.clone()), not_before: now + COMEBACK };
            return (self, vec![find]);
        }
        let (Stage::Intent(run) | Stage::Sent(run) | Stage::Running(run)) = &self.stage else {
            return self.nothing();
        };
        let run = run.clone();
        match setback {
            Setback::Failed(fault) => self.end(JobState::Failed, Some(fault)),
            Setback::Cancelled => self.stopped_on_wish(),
            Setback::Refused(fault) => {
                let way = Way::of(&fault, &run);
                self.refused(fault, &run, way, now)
            }
            Setback::Unsent(fault) => self.refused(fault, &run, Way::NotSent, now),
            Setback::Adrift(fault) => self.adrift(fault, &run),
            Setback::Gone { evidence, unfinished } => self.gone(evidence, unfinished, &run),
            Setback::Uncertain(fault) => self.doubtful(fault),
        }
    }

    /// It stopped because somebody wanted it to: we, or somebody at the backend.
    fn stopped_on_wish(self) -> Turn {
        match self.wish {
            Wish::Deadline { .. } => {
                let fault = self.timed_out();
                self.end(JobState::Failed, Some(fault))
            }
            Wish::None | Wish::Cancel { .. } => self.end(JobState::Cancelled, None),
        }
    }

    /// It provably never ran.
    fn refused(mut self, fault: Fault, run: &Run, way: Way, now: Duration) -> Turn {
        if run.mark == Mark::Spoken {
            return self.doubtful(fault);
        }
        // It was no execution.
        self.tally.attempts = self.tally.attempts.saturating_sub(1);
        if self.wish != Wish::None {
            return self.stopped_on_wish();
        }
        if !fault.is_retryable() {
            return self.end(JobState::Failed, Some(fault));
        }
        // `never` lets a backend refuse and be asked again; work that was lost on its way was sent once.
        if self.terms.rerun == Rerun::Never && way == Way::LostOnIt {
            return self.end(JobState::Lost, Some(fault));
        }
        let grown = FIRST_WAIT.saturating_mul(1 << (self.tally.refusals + 1).min(10)) / 2;
        let wait = fault.retry_after().map_or_else(|| grown.min(LONGEST_WAIT), |asked| asked.min(ASKED_WAIT));
        self.once_more(&fault, now.saturating_add(wait), format!("it never ran: {fault}"))
    }

    /// Offered again, where it was not in vain too often in a row.
    fn once_more(mut self, fault: &Fault, not_before: Duration, evidence: String) -> Turn {
        self.tally.refusals = self.tally.refusals.saturating_add(1);
        if self.tally.refusals >= REFUSALS {
            let text = format!("it was sent {REFUSALS} times in a row and never ran; the last: {fault}");
            return self.end(JobState::Held, Some(Fault::new(fault.code(), text)));
        }
        self.again(not_before, evidence)
    }

    fn adrift(self, fault: Fault, run: &Run) -> Turn {
        if run.can_follow() {
            // The stage stays: a lost connection says nothing of the job, and is no step of it.
            let find = Effect::Find { backend: Some(run.backend.clone()), not_before: Duration::ZERO };
            return (self, vec![find]);
        }
        self.doubtful(fault)
    }

    /// The process that ran it is gone.
    fn gone(mut self, evidence: Fault, unfinished: bool, run: &Run) -> Turn {
        if matches!(self.stage, Stage::Running(_)) {
            self.tally.deaths = self.tally.deaths.saturating_add(1);
        }
        if self.wish != Wish::None && unfinished {
            return self.stopped_on_wish();
        }
        let watched = unfinished && run.is_watched();
        match self.terms.rerun {
            Rerun::Always => {}
            _ if !watched => {
                let text = format!("whether it ended before its backend did is unknown: {evidence}");
                return self.end(JobState::Uncertain, Some(Fault::new(Code::Uncertain, text)));
            }
            Rerun::IfProvenAbsent if run.mark == Mark::Spoken => return self.doubtful(evidence),
            Rerun::IfProvenAbsent => {}
            Rerun::Never => {
                let text = format!("its backend died before it was finished: {evidence}");
                return self.end(JobState::Lost, Some(Fault::new(Code::Lost, text)));
            }
        }
        if self.terms.hold_after.is_some_and(|limit| self.tally.deaths >= limit) {
            let deaths = self.tally.deaths;
            let text = format!("its backend died {deaths} times while it ran; the last: {evidence}");
            return self.end(JobState::Held, Some(Fault::new(Code::Lost, text)));
        }
        if watched && !matches!(self.stage, Stage::Running(_)) {
            // It died with the queue that it waited in: it was no execution.
            self.tally.attempts = self.tally.attempts.saturating_sub(1);
            return self.once_more(
                &evidence,
                Duration::ZERO,
                format!("its backend died before it began: {evidence}"),
            );
        }
        self.second(format!("its backend died before it was finished: {evidence}"))
    }

    /// Nobody can say whether it ran.
    fn doubtful(self, fault: Fault) -> Turn {
        if self.terms.rerun == Rerun::Always && self.wish == Wish::None {
            return self.second(format!("whether it ran is unknown, and it may run twice: {fault}"));
        }
        self.end(JobState::Uncertain, Some(fault))
    }

    /// Another execution, where there may be one more.
    fn second(self, evidence: String) -> Turn {
        if self.wish != Wish::None {
            return self.stopped_on_wish();
        }
        if self.tally.attempts.saturating_sub(self.tally.spent) >= ATTEMPTS {
            let fault =
                Fault::new(Code::Lost, format!("it was begun {ATTEMPTS} times; the last: {evidence}"));
            return self.end(JobState::Held, Some(fault));
        }
        self.again(Duration::ZERO, evidence)
    }
}

/// How far work came that provably never ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing of it left us.
    NotSent,
    /// The backend refused it, or a connection never came to be.
    Answered,
    /// It was sent, and did not arrive.
    LostOnIt,
}

impl Way {
    fn of(fault: &Fault, run: &Run) -> Self {
        let lost = [Code::ConnectionReset, Code::ConnectionClosed, Code::RequestTimeout, Code::ProxyInTheWay];
        if run.watch != Watch::Whole || lost.contains(&fault.code()) {
            Self::LostOnIt
        } else {
            Self::Answered
        }
    }
}
