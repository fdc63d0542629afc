//! How fast other machines are knocked at.

use std::{sync::Mutex, sync::PoisonError, time::Duration};

use tokio::time::Instant;

/// Between two knocks: 20 in a second.
const STEP: Duration = Duration::from_millis(50);

/// Gives turns, one a step.
#[derive(Debug)]
pub(super) struct Pace {
    next: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { next: Mutex::new(Instant::now()) }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + STEP;
            turn
        };
        tokio::time::sleep_until(turn).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn twenty_turns_take_a_second_however_many_wait() {
        let (pace, begun) = (Pace::new(), Instant::now());
        futures_util::future::join_all((0..41).map(|_| pace.turn())).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        // A rest saves up no turns.
        tokio::time::advance(Duration::from_secs(60)).await;
        let begun = Instant::now();
        futures_util::future::join_all((0..3).map(|_| pace.turn())).await;
        assert_eq!(begun.elapsed(), Duration::from_millis(100));
    }
}
