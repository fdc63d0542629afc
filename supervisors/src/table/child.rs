//! One row of the table.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{Exit, NodeState, OnIntensity, Restart, RestartDelay, intensity::Window};

/// What the table has to know of a child's spec.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) restart: Restart,
    pub(crate) on_intensity: OnIntensity,
    pub(crate) delay: RestartDelay,
    pub(crate) shutdown: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Down,
    Starting,
    Running { since: Instant },
    Stopping { kill_at: Instant },
    Killing { abandon_at: Instant },
    Waiting { until: Instant },
    Quarantined { until: Instant },
    Ended,
}

/// What follows when a child that was asked to stop is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Stay,
    Start,
    Remove,
}

/// Whether a child has been quarantined and not yet proved itself since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    OnTrial,
}

#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) id: Arc<str>,
    pub(crate) policy: Policy,
    pub(crate) incarnation: u64,
    pub(crate) restarts: u64,
    pub(crate) last_exit: Option<Exit>,
    pub(super) state: State,
    pub(super) after: After,
    pub(super) window: Window,
    pub(super) crashes: u32,
    pub(super) standing: Standing,
    pub(super) next_trial: Option<Duration>,
}

impl Child {
    pub(super) fn new(id: Arc<str>, policy: Policy, floor: u64) -> Self {
        Self {
            id,
            policy,
            incarnation: floor,
            restarts: 0,
            last_exit: None,
            state: State::Down,
            after: After::Stay,
            window: Window::default(),
            crashes: 0,
            standing: Standing::Good,
            next_trial: None,
        }
    }

    pub(super) fn name(&self) -> (Arc<str>, u64) {
        (self.id.clone(), self.incarnation)
    }

    /// Whether this incarnation may still end.
    pub(super) fn is_up(&self, incarnation: u64) -> bool {
        self.incarnation == incarnation && self.state.is_up()
    }

    pub(super) fn is_restarted_after(&self, exit: &Exit) -> bool {
        match self.policy.restart {
            Restart::Permanent => true,
            Restart::Transient => exit.is_abnormal(),
            Restart::Temporary => false,
        }
    }

    /// Where it rests when its group goes down: a temporary child does not come up again.
    pub(super) fn rest_state(&self) -> State {
        if self.policy.restart == Restart::Temporary { State::Ended } else { State::Down }
    }

    pub(super) fn ran_for(&self, now: Instant) -> Duration {
        match self.state {
            State::Running { since } => now.saturating_duration_since(since),
            _ => Duration::ZERO,
        }
    }

    /// Forgets its crashes: a person let it out of quarantine.
    pub(super) fn forgive(&mut self) {
        self.window.clear();
        self.crashes = 0;
        self.standing = Standing::Good;
        self.next_trial = None;
    }

    pub(crate) fn node_state(&self) -> NodeState {
        match self.state {
            State::Down => NodeState::Down,
            State::Starting => NodeState::Starting,
            State::Running { .. } => NodeState::Running,
            State::Stopping { .. } | State::Killing { .. } => NodeState::Stopping,
            State::Waiting { .. } => NodeState::Waiting,
            State::Quarantined { .. } => NodeState::Quarantined,
            State::Ended => NodeState::Ended,
        }
    }
}

impl State {
    pub(super) fn is_up(self) -> bool {
        matches!(self, Self::Starting | Self::Running { .. } | Self::Stopping { .. } | Self::Killing { .. })
    }

    /// When a stop has taken too long.
    pub(super) fn stop_deadline(self) -> Option<Instant> {
        match self {
            Self::Stopping { kill_at: at } | Self::Killing { abandon_at: at } => Some(at),
            _ => None,
        }
    }

    /// When it is to be started.
    pub(super) fn start_due(self) -> Option<Instant> {
        match self {
            Self::Waiting { until } | Self::Quarantined { until } => Some(until),
            _ => None,
        }
    }
}
