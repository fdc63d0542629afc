//! Jumps of the wall clock, seen against the steady one. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    model::{Code, Severity},
    notices::{draft::Draft, moment::Moment},
};

/// A difference that is told. Clocks that a time service disciplines drift far less between two looks.
const JUMP: Duration = Duration::from_secs(30);
/// How long it is shown.
const SHOWN: Duration = Duration::from_secs(600);

/// Both clocks at the last look.
#[derive(Debug)]
pub(super) struct Pace {
    last: Moment,
    shown_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(now: Moment) -> Self {
        Self { last: now, shown_until: None }
    }

    /// A notice, where the clocks went apart since the last look.
    pub(super) fn look(&mut self, now: Moment) -> Option<Draft> {
        let steady = now.tick.saturating_duration_since(self.last.tick);
        let wall = now.wall.duration_since(self.last.wall);
        self.last = now;
        let apart = wall - jiff::SignedDuration::try_from(steady).ok()?;
        if apart.unsigned_abs() < JUMP {
            return None;
        }
        self.shown_until = Some(now.tick + SHOWN);
        let (way, seconds) =
            (if apart.is_negative() { "back" } else { "ahead" }, apart.unsigned_abs().as_secs());
        let draft = Draft::new(Code::ClockJump, Severity::Info);
        Some(draft.message(format!("the wall clock jumped {way} by {seconds} s")))
    }

    /// Whether the last jump is long enough ago.
    pub(super) fn is_calm(&self, now: Instant) -> bool {
        self.shown_until.is_none_or(|until| until <= now)
    }

    /// When that is to be looked at.
    pub(super) fn due(&self) -> Option<Instant> {
        self.shown_until.filter(|until| self.last.tick < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_told_and_a_long_wait_is_not() {
        let start = Moment::now();
        let mut pace = Pace::new(start);
        let at = |wall: i64, tick: u64| Moment {
            wall: start.wall + jiff::SignedDuration::from_secs(wall),
            tick: start.tick + Duration::from_secs(tick),
        };
        assert_eq!(pace.look(at(3600, 3601)), None);
        assert!(pace.is_calm(start.tick));
        let ahead = pace.look(at(7300, 3700)).unwrap();
        assert!(ahead.message.contains("ahead by 3601 s"), "{}", ahead.message);
        assert!(!pace.is_calm(at(0, 3701).tick));
        assert!(pace.look(at(7201, 3701)).unwrap().message.contains("back by 100 s"));
        assert_eq!(pace.look(at(7801, 4301)), None);
        assert!(pace.is_calm(at(0, 4301).tick));
        assert_eq!(pace.due(), None);
    }
}
