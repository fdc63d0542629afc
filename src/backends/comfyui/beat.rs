//! When to ping, and what a silence means. No I/O: times go in.

use tokio::time::Instant;

use crate::backends::target::Keepalive;

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
        Self { keepalive, state: State::Calm { ping: now + keepalive.interval } }
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
        self.state = State::Calm { ping: now + self.keepalive.interval };
        if before == State::Silent { Sound::AfterSilence } else { Sound::Ordinary }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        assert_eq!(beat.wakes(), Some(at(9)));
    }
}
