//! The steps of one backend's life: its phases, with time and cause.

use std::{borrow::Cow, collections::VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Phase, fault::clean};

/// Steps that are kept of a backend.
const CAP: usize = 200;
/// Characters of a cause that are kept.
const CAUSE: usize = 200;

/// A phase that a backend entered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Step {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// The phase.
    pub phase: Phase,
    /// The name of the cause, where there is one.
    pub code: Option<Cow<'static, str>>,
    /// The cause in a sentence.
    pub reason: Option<String>,
    /// How often: attempts in a row that fail for the same cause are one step.
    pub times: u32,
    /// The last of them.
    pub last_at: Timestamp,
}

impl Step {
    pub(crate) fn new(at: Timestamp, phase: Phase, code: Option<&'static str>, reason: Option<&str>) -> Self {
        let reason = reason.map(|reason| clean(reason, CAUSE));
        Self { at, phase, code: code.map(Cow::Borrowed), reason, times: 1, last_at: at }
    }

    fn repeats(&self, before: &Self) -> bool {
        self.phase == before.phase && self.code == before.code
    }
}

/// The steps, oldest first; the oldest are dropped beyond 200.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    steps: VecDeque<Step>,
    /// How many of the newest steps changed since the last [`Self::take_new`].
    fresh: usize,
    /// The end of an earlier run, which that could not note itself.
    ended: Option<Step>,
}

impl Timeline {
    pub(crate) fn push(&mut self, step: Step) {
        if let Some(last) = self.steps.back_mut() {
            // The next attempt of a backend that is away is no news; its failure counts.
            if step.phase == Phase::Dialing && last.phase == Phase::Waiting {
                return;
            }
            if step.repeats(last) {
                last.times = last.times.saturating_add(step.times);
                (last.last_at, last.reason) = (step.last_at, step.reason);
                self.fresh = self.fresh.max(1);
                return;
            }
        }
        if self.steps.len() == CAP {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
        self.fresh = (self.fresh + 1).min(self.steps.len());
    }

    /// Puts the steps of earlier runs before these, and the end of the last one.
    pub(crate) fn precede(&mut self, earlier: Vec<Step>, ended: Option<Step>) {
        self.ended.clone_from(&ended);
        let room = CAP - self.steps.len();
        for step in earlier.into_iter().chain(ended).rev().take(room) {
            self.steps.push_front(step);
        }
    }

    /// The steps that changed since this was last asked.
    pub(crate) fn take_new(&mut self) -> Vec<Step> {
        let fresh = std::mem::take(&mut self.fresh);
        let ended = self.ended.take().into_iter();
        ended.chain(self.steps.range(self.steps.len() - fresh..).cloned()).collect()
    }

    pub(crate) fn forget_before(&mut self, at: Timestamp) {
        // The last step says what is now, however long.
        while self.steps.len() > 1 && self.steps[1].at < at {
            self.steps.pop_front();
        }
        self.fresh = self.fresh.min(self.steps.len());
    }

    /// The steps since a time, and the one in which it lies.
    pub(crate) fn since(&self, at: Timestamp) -> Vec<Step> {
        let first = self.steps.iter().rposition(|step| step.at <= at).unwrap_or(0);
        self.steps.range(first.min(self.steps.len())..).cloned().collect()
    }

    pub(crate) fn last(&self) -> Option<&Step> {
        self.steps.back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_backend_that_is_away_is_one_step_a_cause() {
        let mut timeline = Timeline::default();
        timeline.push(Step::new(at(0), Phase::Dialing, None, None));
        for n in 1..50 {
            timeline.push(Step::new(at(n), Phase::Waiting, Some("connection_refused"), Some("refused")));
            timeline.push(Step::new(at(n), Phase::Dialing, None, None));
        }
        timeline.push(Step::new(at(60), Phase::Waiting, Some("hang"), Some("silent")));
        timeline.push(Step::new(at(70), Phase::Ready, None, None));
        let steps = timeline.since(at(0));
        let told: Vec<_> = steps.iter().map(|s| (s.phase, s.times)).collect();
        use Phase::{Dialing, Ready, Waiting};
        assert_eq!(told, [(Dialing, 1), (Waiting, 49), (Waiting, 1), (Ready, 1)]);
        assert_eq!((steps[1].at, steps[1].last_at), (at(1), at(49)));
        assert_eq!(timeline.take_new().len(), 4);
        assert!(timeline.take_new().is_empty());
        assert_eq!(timeline.since(at(65)).len(), 2, "the step in which the time lies, and what came after");
        timeline.forget_before(at(65));
        assert_eq!(timeline.since(at(0)).len(), 2);
    }

    #[test]
    fn is_bounded() {
        let mut timeline = Timeline::default();
        for n in 0..1_000 {
            let phase = if n % 2 == 0 { Phase::Ready } else { Phase::Waiting };
            timeline.push(Step::new(at(n), phase, None, Some(&"x".repeat(10_000))));
        }
        assert_eq!(timeline.since(at(-1)).len(), CAP);
        assert!(timeline.last().unwrap().reason.as_ref().unwrap().len() <= CAUSE + 3);
    }
}
