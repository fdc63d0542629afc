//! One struct per state, with only what is valid there.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Epoch, Fault, Health, Phase};

#[derive(Debug)]
pub(super) enum State<S> {
    Idle,
    Dialing(Dialing),
    Ready(Ready<S>),
    Waiting(Waiting),
    Parked(Parked),
    Paused(Fault),
    Draining(Draining<S>),
    Closed(Fault),
}

#[derive(Debug)]
pub(super) struct Dialing {
    pub(super) epoch: Epoch,
    pub(super) before: Before,
}

/// What an attempt follows: it decides how a failure is shown and when the next one comes.
#[derive(Debug)]
pub(super) enum Before {
    /// Nothing.
    Fresh,
    /// A failure that time may mend.
    Waiting(Fault),
    /// A re-check of a cause that a person has to mend: the phase stays `parked` while it runs.
    Parked { fault: Fault, wait: Duration },
}

#[derive(Debug)]
pub(super) struct Ready<S> {
    pub(super) epoch: Epoch,
    pub(super) session: S,
    pub(super) proof: Proof,
    pub(super) doubt: Option<Doubt>,
}

/// Whether the session has held long enough for the backoff to forget.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof {
    Due(Instant),
    Given,
}

/// The session is silent, and kept because a job is in flight.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    pub(super) by_link: Option<Fault>,
    pub(super) by_probe: Option<Fault>,
    pub(super) until: Option<Instant>,
}

impl Doubt {
    pub(super) fn fault(&self) -> Option<&Fault> {
        self.by_link.as_ref().or(self.by_probe.as_ref())
    }
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) until: Instant,
    pub(super) fault: Fault,
}

#[derive(Debug)]
pub(super) struct Parked {
    pub(super) recheck: Instant,
    pub(super) wait: Duration,
    pub(super) fault: Fault,
}

#[derive(Debug)]
pub(super) struct Draining<S> {
    pub(super) epoch: Epoch,
    pub(super) session: S,
    pub(super) deadline: Instant,
    pub(super) then: AfterDrain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterDrain {
    Pause,
    Close,
}

impl<S> State<S> {
    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Idle => Phase::Idle,
            Self::Dialing(Dialing { before: Before::Parked { .. }, .. }) | Self::Parked(_) => Phase::Parked,
            Self::Dialing(_) => Phase::Dialing,
            Self::Ready(_) => Phase::Ready,
            Self::Waiting(_) => Phase::Waiting,
            Self::Paused(_) => Phase::Paused,
            Self::Draining(_) => Phase::Draining,
            Self::Closed(_) => Phase::Closed,
        }
    }

    pub(super) fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Dialing(Dialing {
                before: Before::Waiting(fault) | Before::Parked { fault, .. }, ..
            })
            | Self::Waiting(Waiting { fault, .. })
            | Self::Parked(Parked { fault, .. })
            | Self::Paused(fault)
            | Self::Closed(fault) => Some(fault),
            Self::Ready(ready) => ready.doubt.as_ref().and_then(Doubt::fault),
            Self::Idle | Self::Dialing(_) | Self::Draining(_) => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Ready(ready) => {
                let proof = match ready.proof {
                    Proof::Due(at) => Some(at),
                    Proof::Given => None,
                };
                let hang = ready.doubt.as_ref().and_then(|d| d.until);
                [proof, hang].into_iter().flatten().min()
            }
            Self::Waiting(waiting) => Some(waiting.until),
            Self::Parked(parked) => Some(parked.recheck),
            Self::Draining(draining) => Some(draining.deadline),
            Self::Idle | Self::Dialing(_) | Self::Paused(_) | Self::Closed(_) => None,
        }
    }

    pub(super) fn next_attempt(&self) -> Option<Instant> {
        match self {
            Self::Waiting(waiting) => Some(waiting.until),
            Self::Parked(parked) => Some(parked.recheck),
            _ => None,
        }
    }

    pub(super) fn health(&self) -> Health {
        match self {
            Self::Ready(Ready { doubt: Some(_), .. }) => Health::Unhealthy,
            Self::Ready(_) | Self::Draining(_) => Health::Healthy,
            _ => Health::Unknown,
        }
    }

    pub(super) fn session(&self) -> Option<&S> {
        match self {
            Self::Ready(ready) => Some(&ready.session),
            Self::Draining(draining) => Some(&draining.session),
            _ => None,
        }
    }

    pub(super) fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Dialing(dialing) => Some(dialing.epoch),
            Self::Ready(ready) => Some(ready.epoch),
            Self::Draining(draining) => Some(draining.epoch),
            _ => None,
        }
    }
}
