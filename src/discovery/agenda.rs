//! When to sweep, and for whom. Pure: the actor brings the clock and the sweeps.
//!
//! One sweep at a time. What is asked for comes before what is done unasked; whoever asks for the same as what runs or
//! waits shares its outcome.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::discovery::Scope;

/// Between two sweeps that nobody asked for, at least.
const REST: Duration = Duration::from_secs(30);
/// Different sweeps that may wait.
const WAITING: usize = 8;

/// Why a sweep was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Discovery began.
    Start,
    /// Time has passed.
    Background,
    /// Somebody asked.
    Asked,
}

/// A sweep, with those who wait for it.
#[derive(Debug)]
pub(super) struct Errand<T> {
    pub(super) scope: Scope,
    pub(super) cause: Cause,
    pub(super) waiting: Vec<T>,
}

/// What is to be done; `T` is who waits for it.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    /// What is looked at unasked, and how often; nothing where it is off.
    own: Option<(Scope, Duration)>,
    /// When the next is due unasked.
    due: Option<Instant>,
    next_cause: Cause,
    running: Option<Errand<T>>,
    queue: VecDeque<Errand<T>>,
}

impl<T> Agenda<T> {
    /// `last` is when the former incarnation swept unasked.
    pub(super) fn new(own: Option<(Scope, Duration)>, last: Option<Instant>, now: Instant) -> Self {
        let due = own.as_ref().map(|_| last.map_or(now, |last| now.max(last + REST)));
        Self { own, due, next_cause: Cause::Start, running: None, queue: VecDeque::new() }
    }

    /// Looks at something else from now on. Turned on, it begins at once.
    pub(super) fn change(&mut self, own: Option<(Scope, Duration)>, now: Instant) {
        if own.as_ref().map(|own| &own.0) != self.own.as_ref().map(|own| &own.0) {
            let rested = self.due.map_or(now, |due| due.min(now + REST));
            self.due = own.as_ref().map(|_| rested);
        }
        self.own = own;
    }

    /// Somebody asks.
    ///
    /// # Errors
    /// Too many different sweeps wait; who asked comes back.
    pub(super) fn ask(&mut self, scope: Scope, who: T) -> Result<(), T> {
        let mut same = self.running.iter_mut().chain(&mut self.queue).filter(|errand| errand.scope == scope);
        if let Some(errand) = same.next() {
            errand.waiting.push(who);
            return Ok(());
        }
        if self.queue.len() >= WAITING {
            return Err(who);
        }
        self.queue.push_back(Errand { scope, cause: Cause::Asked, waiting: vec![who] });
        Ok(())
    }

    /// The sweep to begin now, if any.
    pub(super) fn begin(&mut self, now: Instant) -> Option<&Errand<T>> {
        if self.running.is_some() {
            return None;
        }
        let asked = self.queue.pop_front();
        let next = asked.or_else(|| {
            let (scope, _) = self.own.as_ref().filter(|_| self.due.is_some_and(|due| due <= now))?;
            let cause = std::mem::replace(&mut self.next_cause, Cause::Background);
            Some(Errand { scope: scope.clone(), cause, waiting: Vec::new() })
        });
        self.running = next;
        self.running.as_ref()
    }

    /// The sweep has ended. `draw`, from 0 to 1, moves the next, so that several programs do not stay in step.
    pub(super) fn ended(&mut self, now: Instant, draw: f64) -> Option<Errand<T>> {
        let done = self.running.take()?;
        if let Some((_, interval)) = self.own.as_ref().filter(|(scope, _)| *scope == done.scope) {
            self.due = Some(now + interval.mul_f64(0.8 + 0.4 * draw).max(REST));
        }
        Some(done)
    }

    /// When to look at it again; nothing while a sweep runs, whose end is an event.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.due.filter(|_| self.running.is_none())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::discovery::PortRange;

    const MINUTE: Duration = Duration::from_secs(60);

    fn scope(port: u16) -> Scope {
        Scope::new().ports([PortRange::one(port)])
    }

    #[tokio::test(start_paused = true)]
    async fn it_begins_at_the_start_and_goes_on_gently() {
        let now = Instant::now();
        let mut agenda = Agenda::<u32>::new(Some((Scope::new(), MINUTE)), None, now);
        assert_eq!(agenda.begin(now).unwrap().cause, Cause::Start);
        assert!(agenda.begin(now).is_none() && agenda.wake().is_none(), "it never overlaps itself");
        agenda.ended(now, 0.5).unwrap();
        assert_eq!(agenda.wake(), Some(now + MINUTE));
        assert!(agenda.begin(now + MINUTE / 2).is_none());
        assert_eq!(agenda.begin(now + MINUTE).unwrap().cause, Cause::Background);
    }

    #[tokio::test(start_paused = true)]
    async fn switched_off_it_does_what_it_is_asked_and_no_more() {
        let now = Instant::now();
        let mut agenda = Agenda::new(None, None, now);
        assert!(agenda.begin(now).is_none() && agenda.wake().is_none());
        agenda.ask(scope(1), 1).unwrap();
        assert_eq!(agenda.begin(now).unwrap().cause, Cause::Asked);
        assert_eq!(agenda.ended(now, 0.0).unwrap().waiting, [1]);
        assert!(agenda.wake().is_none());
        agenda.change(Some((Scope::new(), MINUTE)), now);
        assert!(agenda.begin(now).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_the_same_shares_it_and_others_wait_in_turn() {
        let now = Instant::now();
        let mut agenda = Agenda::new(Some((Scope::new(), MINUTE)), None, now);
        agenda.begin(now).unwrap();
        agenda.ask(Scope::new(), 1).unwrap();
        agenda.ask(scope(2), 2).unwrap();
        agenda.ask(scope(2), 3).unwrap();
        assert_eq!(agenda.ended(now, 0.0).unwrap().waiting, [1]);
        assert_eq!(agenda.begin(now).unwrap().waiting, [2, 3]);
        for port in 10..18 {
            agenda.ask(scope(port), 4).unwrap();
        }
        assert_eq!(agenda.ask(scope(99), 5), Err(5), "the queue has a bound");
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_does_not_sweep_again_at_once() {
        let now = Instant::now();
        let agenda =
            Agenda::<u32>::new(Some((Scope::new(), MINUTE)), Some(now), now + Duration::from_secs(1));
        assert_eq!(agenda.wake(), Some(now + REST));
    }

    proptest! {
        #[test]
        fn unasked_sweeps_are_thirty_seconds_apart(
            interval in 0_u64..200, draws in proptest::collection::vec(0.0..1.0_f64, 1..20),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let mut now = Instant::now();
                let mut agenda = Agenda::<u32>::new(Some((Scope::new(), Duration::from_secs(interval))), None, now);
                let mut last = None;
                for draw in draws {
                    assert!(agenda.begin(now).is_some());
                    if let Some(last) = last {
                        assert!(now.duration_since(last) >= REST);
                    }
                    last = Some(now);
                    agenda.ended(now, draw);
                    now = agenda.wake().unwrap();
                }
            });
        }
    }
}
