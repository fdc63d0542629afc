//! When to ping, and what a silence means. No I/O: times go in.

use std::{sync::OnceLock, time::Duration};

use tokio::time::Instant;

use crate::backends::target::Keepalive;

/// Pings of all channels are coalesced to this grid: a thousand timers of their own would each wake the process.
const WHEEL: Duration = Duration::from_millis(500);

/// The heartbeat of a live channel.
#[derive(Debug)]
pub(super) struct Beat {
    keepalive: Keepalive,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Heard of; the next ping is due then.
    Calm { ping: Instant },
    /// A ping is out; an answer is due then.
    Asked { due: Instant },
    /// The answer is overdue. One ping is out, and no second is sent: its answer comes when the server is back.
    Silent,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    Silence,
}

/// What a message meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    Ordinary,
    AfterSilence,
}

impl Beat {
    pub(super) fn new(keepalive: Keepalive, now: Instant) -> Self {
        Self { keepalive, state: State::Calm { ping: next_ping(now, keepalive.interval) } }
    }

    /// When [`Self::due`] has something to say; never, while a silence lasts.
    pub(super) fn wakes(&self) -> Option<Instant> {
        match self.state {
            State::Calm { ping } => Some(ping),
            State::Asked { due } => Some(due),
            State::Silent => None,
        }
    }

    /// What the clock asks for now.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        match self.state {
            State::Calm { ping } if now >= ping => {
                self.state = State::Asked { due: now + self.keepalive.deadline };
                Some(Due::Ping)
            }
            State::Asked { due } if now >= due => {
                self.state = State::Silent;
                Some(Due::Silence)
            }
            _ => None,
        }
    }

    /// Something came: the other side lives, and the next ping can wait.
    pub(super) fn heard(&mut self, now: Instant) -> Sound {
        let before = self.state;
        self.state = State::Calm { ping: next_ping(now, self.keepalive.interval) };
        if before == State::Silent { Sound::AfterSilence } else { Sound::Ordinary }
    }
}

/// An interval later, brought back to the grid: a ping may be early, never late.
fn next_ping(now: Instant, interval: Duration) -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    let next = now + interval;
    if interval < 10 * WHEEL {
        return next;
    }
    let past = next.saturating_duration_since(*ORIGIN.get_or_init(|| now)).as_nanos() % WHEEL.as_nanos();
    next - Duration::from_nanos(u64::try_from(past).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_server_that_stops_is_noticed_once_within_interval_and_deadline() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut beat = Beat::new(Keepalive::default(), start);
        assert_eq!(beat.due(at(4)), None);
        assert_eq!(beat.due(at(5)), Some(Due::Ping));
        assert_eq!(beat.due(at(9)), None);
        assert_eq!(beat.due(at(10)), Some(Due::Silence));
        assert_eq!(beat.wakes(), None);
        assert_eq!(beat.due(at(60)), None);
        assert_eq!(beat.heard(at(61)), Sound::AfterSilence);
        assert_eq!(beat.heard(at(62)), Sound::Ordinary);
        assert_eq!(beat.due(at(67)), Some(Due::Ping));
    }

    #[test]
    fn whatever_is_heard_puts_the_next_ping_off() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut beat = Beat::new(Keepalive::default(), start);
        assert_eq!(beat.heard(at(4)), Sound::Ordinary);
        assert_eq!(beat.due(at(8)), None);
        let wakes = beat.wakes().unwrap();
        assert!(wakes > at(9) - WHEEL && wakes <= at(9), "{:?} from the start", wakes - start);
    }

    #[test]
    fn pings_that_are_due_at_nearly_the_same_time_are_due_together() {
        let start = Instant::now();
        let due: HashSet<_> = (0..1_000)
            .filter_map(|ms| Beat::new(Keepalive::default(), start + Duration::from_millis(ms)).wakes())
            .collect();
        assert!(due.len() <= 3, "{} times in a second", due.len());
        // One that is to be prompt stays so.
        let prompt = Keepalive { interval: Duration::from_millis(50), ..Keepalive::default() };
        assert_eq!(Beat::new(prompt, start).wakes(), Some(start + prompt.interval));
    }
}
