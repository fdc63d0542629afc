//! What the owner of the database does next: a pure decision.

use std::time::Duration;

use tokio::time::Instant;

use super::queue::BATCH;

/// How long lazy writes are gathered.
pub(super) const GATHER: Duration = Duration::from_secs(1);

/// Where the owner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The database is open.
    Open,
    /// It is not, and is tried again then.
    Refusing { retry: Instant },
    /// It is to be closed, by then.
    Closing { deadline: Instant },
    /// It was closed.
    Closed,
}

/// What waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// Durable writes and reads.
    pub(super) asked: usize,
    pub(super) lazy: usize,
    pub(super) lazy_since: Option<Instant>,
    pub(super) standing: Standing,
}

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Durable writes, then reads.
    Asked,
    /// Lazy writes.
    Lazy,
    /// The database is opened again.
    Open,
    /// It is closed for good.
    Close,
    /// Nothing, until something comes or this time.
    Wait(Option<Instant>),
    /// The owner ends.
    End,
}

/// Decides: who waits for an answer comes first, lazy writes go when they are many or old.
pub(super) fn next(view: View, now: Instant) -> Turn {
    match view.standing {
        Standing::Closed => Turn::End,
        Standing::Refusing { retry } if retry <= now => Turn::Open,
        Standing::Refusing { retry } => Turn::Wait(Some(retry)),
        Standing::Open | Standing::Closing { .. } if view.asked > 0 => Turn::Asked,
        Standing::Closing { deadline } if view.lazy > 0 && now < deadline => Turn::Lazy,
        Standing::Closing { .. } => Turn::Close,
        Standing::Open => match view.lazy_since {
            _ if view.lazy >= BATCH => Turn::Lazy,
            Some(since) if since + GATHER <= now => Turn::Lazy,
            since => Turn::Wait(since.map(|s| s + GATHER)),
        },
    }
}

/// The wait before the database is opened for the nth time in trouble, from 1: 250 ms, doubled, at most 30 s.
pub(super) fn backoff(failures: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(30);
    FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: View = View { asked: 0, lazy: 0, lazy_since: None, standing: Standing::Open };

    #[tokio::test]
    async fn who_waits_for_an_answer_comes_before_lazy_writes() {
        let now = Instant::now();
        let old = Some(now - GATHER);
        assert_eq!(next(View { asked: 1, lazy: 9_999, lazy_since: old, ..QUIET }, now), Turn::Asked);
        assert_eq!(next(View { lazy: 1, lazy_since: old, ..QUIET }, now), Turn::Lazy);
        assert_eq!(next(View { lazy: BATCH, lazy_since: Some(now), ..QUIET }, now), Turn::Lazy);
        let due = Some(now + GATHER);
        assert_eq!(next(View { lazy: 1, lazy_since: Some(now), ..QUIET }, now), Turn::Wait(due));
        assert_eq!(next(QUIET, now), Turn::Wait(None));
    }

    #[tokio::test]
    async fn in_trouble_nothing_is_done_before_the_next_try() {
        let now = Instant::now();
        let retry = now + Duration::from_millis(1);
        let refusing = View { asked: 1, lazy: 9_999, standing: Standing::Refusing { retry }, ..QUIET };
        assert_eq!(next(refusing, now), Turn::Wait(Some(retry)));
        assert_eq!(next(refusing, retry), Turn::Open);
    }

    #[tokio::test]
    async fn a_close_lets_lazy_writes_pass_until_its_deadline() {
        let now = Instant::now();
        let closing = View { lazy: 1, standing: Standing::Closing { deadline: now + GATHER }, ..QUIET };
        assert_eq!(next(closing, now), Turn::Lazy);
        assert_eq!(next(closing, now + GATHER), Turn::Close);
        assert_eq!(next(View { asked: 1, ..closing }, now + GATHER), Turn::Asked);
        assert_eq!(next(View { standing: Standing::Closed, ..closing }, now), Turn::End);
    }

    #[test]
    fn the_wait_before_the_next_try_grows_and_ends() {
        assert_eq!(backoff(1), Duration::from_millis(250));
        assert_eq!(backoff(2), Duration::from_millis(500));
        assert_eq!(backoff(u32::MAX), Duration::from_secs(30));
    }
}
