//! What is shown of a breaker.

use tokio::time::Instant;

use super::{Breaker, State};
use crate::model::status::BreakerState;

/// What is shown of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) state: BreakerState,
    pub(crate) why: Option<String>,
    pub(crate) until: Option<Instant>,
}

impl Breaker {
    /// What is shown.
    pub(crate) fn shown(&self, now: Instant) -> Shown {
        match &self.state {
            State::Closed => match self.pause.as_ref().filter(|pause| pause.until > now) {
                Some(pause) => Shown {
                    state: BreakerState::Closed,
                    why: Some(pause.why.clone()),
                    until: Some(pause.until),
                },
                None => Shown { state: BreakerState::Closed, why: None, until: None },
            },
            State::Open { until, why, .. } if *until > now => {
                Shown { state: BreakerState::Open, why: Some(why.clone()), until: Some(*until) }
            }
            State::Open { why, .. } | State::HalfOpen { why, .. } => {
                Shown { state: BreakerState::HalfOpen, why: Some(why.clone()), until: None }
            }
        }
    }
}
