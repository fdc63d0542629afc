//! How a backend that came back is taken into use again: gently.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

/// How long its share takes to grow to the whole.
const GROWTH: Duration = Duration::from_secs(10);
/// The share that it begins with.
const FIRST: f32 = 0.1;

/// The share of its work that a backend gets after a reconnect: from a tenth to the whole within 10 s. A server that
/// came back has cold caches, and whatever brought it down may do so again.
#[derive(Debug)]
pub(crate) struct Ease {
    base: Instant,
    /// Milliseconds from the base to the end of the growth; 0 where there is none.
    end: AtomicU64,
}

impl Ease {
    pub(crate) fn new() -> Self {
        Self { base: Instant::now(), end: AtomicU64::new(0) }
    }

    pub(crate) fn begin(&self) {
        let end = (Instant::now() - self.base) + GROWTH;
        self.end.store(u64::try_from(end.as_millis()).unwrap_or(0), Relaxed);
    }

    /// Whether a growth was begun and was not seen to end.
    pub(crate) fn is_under_way(&self) -> bool {
        self.end.load(Relaxed) != 0
    }

    /// The share now.
    pub(crate) fn share(&self, now: Instant) -> f32 {
        let end = match self.end.load(Relaxed) {
            0 => return 1.0,
            end => self.base + Duration::from_millis(end),
        };
        let left = end.saturating_duration_since(now);
        if left.is_zero() {
            self.end.store(0, Relaxed);
            return 1.0;
        }
        let grown = 1.0 - left.as_secs_f32() / GROWTH.as_secs_f32();
        FIRST + (1.0 - FIRST) * grown.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_grows_from_a_tenth_to_the_whole_in_ten_seconds() {
        let ease = Ease::new();
        assert!((ease.share(Instant::now()) - 1.0).abs() < f32::EPSILON);
        ease.begin();
        let mut shares = Vec::new();
        for _ in 0..=11 {
            shares.push(ease.share(Instant::now()));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!((0.1..0.11).contains(&shares[0]) && (0.5..0.6).contains(&shares[5]), "{shares:?}");
        assert!(shares.is_sorted() && (shares[10] - 1.0).abs() < f32::EPSILON && !ease.is_under_way());
    }
}
