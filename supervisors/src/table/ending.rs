//! What follows the end of a child.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Table,
    child::{After, Standing, State},
    flow::{Flow, Then},
    later,
};
use crate::{Exit, Next, OnIntensity, Restart, Strategy, TreeEventKind, intensity::Allowance};

/// The shortest wait before a trial: without one, quarantine would be a crash loop.
const SHORTEST_TRIAL: Duration = Duration::from_secs(1);

impl Table {
    pub(super) fn exited(&mut self, at: usize, exit: Exit, now: Instant) {
        self.children[at].last_exit = Some(exit.clone());
        self.tell(at, TreeEventKind::Exited(exit.clone()));
        match (self.children[at].state, self.children[at].after) {
            (State::Stopping { .. } | State::Killing { .. }, after) => self.went_down(at, after, exit),
            _ if !self.children[at].is_restarted_after(&exit) => {
                self.children[at].state = State::Ended;
                self.down(at, exit, Next::Nothing);
            }
            _ if matches!(self.flow, Flow::Falling { .. }) => {
                self.widen_fall(at);
                self.went_down(at, After::Stay, exit);
            }
            _ => self.crashed(at, exit, now),
        }
    }

    /// It ended because it was asked to, or together with its group.
    fn went_down(&mut self, at: usize, after: After, exit: Exit) {
        let leaving = self.is_leaving();
        let grouped = matches!(self.flow, Flow::Falling { then: Then::Rise { .. }, .. });
        let child = &mut self.children[at];
        child.after = After::Stay;
        let temporary = child.policy.restart == Restart::Temporary;
        let next = match after {
            After::Start if !leaving => Next::StartAgain,
            After::Stay if grouped && !temporary => Next::StartAgain,
            _ => Next::Nothing,
        };
        self.down(at, exit, next);
        match after {
            After::Remove => self.forget(at),
            After::Start if !leaving => self.raise(at),
            After::Start | After::Stay => self.children[at].state = self.children[at].rest_state(),
        }
    }

    /// It ended by itself, and that is to be mended.
    fn crashed(&mut self, at: usize, exit: Exit, now: Instant) {
        let ran = self.children[at].ran_for(now);
        match self.children[at].policy.on_intensity {
            OnIntensity::Escalate => {
                if self.window.book(self.intensity, now) == Allowance::Exceeded {
                    return self.give_up(at, exit);
                }
            }
            OnIntensity::Quarantine { intensity, trial, trial_cap } => {
                let child = &mut self.children[at];
                let relapse = child.standing == Standing::OnTrial && ran <= intensity.within;
                if child.standing == Standing::OnTrial && !relapse {
                    child.forgive();
                }
                if relapse || child.window.book(intensity, now) == Allowance::Exceeded {
                    return self.quarantine(at, exit, (trial, trial_cap), now);
                }
            }
        }
        self.restart_later(at, exit, ran, now);
    }

    fn give_up(&mut self, at: usize, exit: Exit) {
        self.children[at].state = State::Down;
        self.down(at, exit.clone(), Next::Nothing);
        self.tell(at, TreeEventKind::GaveUp(exit.clone()));
        self.fall(0, Then::GiveUp { id: self.children[at].id.clone(), exit });
    }

    fn restart_later(&mut self, at: usize, exit: Exit, ran: Duration, now: Instant) {
        let child = &mut self.children[at];
        child.restarts += 1;
        let delay = child.policy.delay;
        child.crashes =
            if ran >= delay.calm && !delay.calm.is_zero() { 1 } else { child.crashes.saturating_add(1) };
        let wait = delay.draw(child.crashes, &mut self.dice);
        let until = later(now, wait);
        child.state = State::Down;
        self.down(at, exit, Next::Restart(until));
        self.tell(at, TreeEventKind::Restarting(wait));
        match self.strategy {
            Strategy::OneForOne => self.children[at].state = State::Waiting { until },
            Strategy::OneForAll => self.fall(0, Then::Rise { wait }),
            Strategy::RestForOne => self.fall(at, Then::Rise { wait }),
        }
    }

    fn quarantine(&mut self, at: usize, exit: Exit, (trial, cap): (Duration, Duration), now: Instant) {
        let child = &mut self.children[at];
        let wait = child.next_trial.unwrap_or(trial).min(cap).max(SHORTEST_TRIAL);
        child.next_trial = Some(wait.saturating_mul(2).min(cap));
        child.standing = Standing::OnTrial;
        let until = later(now, wait);
        child.state = State::Quarantined { until };
        self.down(at, exit.clone(), Next::Quarantine(until));
        self.tell(at, TreeEventKind::Quarantined(exit));
    }

    /// Failing together with a later one: one restart for both.
    fn widen_fall(&mut self, at: usize) {
        if let Flow::Falling { from, then: Then::Rise { .. } } = &mut self.flow {
            *from = at.min(*from);
        }
    }
}
