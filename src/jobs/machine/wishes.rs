//! How a job ends before its time: by a person's wish, or by its clocks.

use std::time::Duration;

use super::{Effect, Machine, Stage, Turn, WISH_PATIENCE, Wish};
use crate::model::{Code, Fault, JobState};

impl Machine {
    /// The age at which a [`super::Event::Tick`] changes something.
    pub fn due(&self) -> Option<Duration> {
        let deadline = self.terms.deadline.map(|limit| self.since.saturating_add(limit));
        match (&self.stage, self.wish) {
            (Stage::Ended(_), _) => None,
            (Stage::Binding { .. }, _) => {
                let ttl = self.terms.ttl.map(|limit| self.since.saturating_add(limit));
                ttl.into_iter().chain(deadline).min()
            }
            (Stage::Fetching { .. }, _) | (_, Wish::None) => deadline,
            (_, Wish::Cancel { since } | Wish::Deadline { since }) => Some(since + WISH_PATIENCE),
        }
    }

    pub(super) fn cancel(mut self, now: Duration) -> Turn {
        match (&self.stage, self.wish) {
            (Stage::Binding { .. } | Stage::Fetching { .. }, _) => self.end(JobState::Cancelled, None),
            (Stage::Ended(_), _) | (_, Wish::Cancel { .. } | Wish::Deadline { .. }) => self.nothing(),
            (_, Wish::None) => {
                self.wish = Wish::Cancel { since: now };
                let evidence = "somebody wants it to end".to_owned();
                (self, vec![Effect::Record { evidence }, Effect::CancelRemote])
            }
        }
    }

    pub(super) fn tick(mut self, now: Duration) -> Turn {
        if self.due().is_none_or(|due| now < due) {
            return self.nothing();
        }
        match (&self.stage, self.wish) {
            (Stage::Binding { .. }, _) => {
                let deadline =
                    self.terms.deadline.is_some_and(|limit| now >= self.since.saturating_add(limit));
                let fault = if deadline { self.timed_out() } else { self.expired() };
                self.end(JobState::Failed, Some(fault))
            }
            (Stage::Fetching { .. }, _) => {
                let fault = self.timed_out();
                self.end(JobState::Failed, Some(fault))
            }
            (_, Wish::None) => {
                self.wish = Wish::Deadline { since: now };
                let evidence = "its deadline is over".to_owned();
                (self, vec![Effect::Record { evidence }, Effect::CancelRemote])
            }
            (_, Wish::Deadline { .. }) => {
                let fault = self.timed_out().with_detail("The backend did not say that it stopped.");
                self.end(JobState::Failed, Some(fault))
            }
            (_, Wish::Cancel { .. }) => {
                let text = "it was cancelled, and the backend has not said that it stopped";
                self.end(JobState::Uncertain, Some(Fault::new(Code::Uncertain, text)))
            }
        }
    }

    pub(super) fn timed_out(&self) -> Fault {
        let limit = self.terms.deadline.unwrap_or_default();
        Fault::new(Code::JobTimeout, format!("it was not done within its deadline of {limit:?}"))
    }

    fn expired(&self) -> Fault {
        let limit = self.terms.ttl.unwrap_or_default();
        Fault::new(Code::Expired, format!("no backend took it within {limit:?}; it never ran"))
    }
}
