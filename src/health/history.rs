//! The recent past of one backend's probes.

use std::{collections::VecDeque, time::Duration};

use hdrhistogram::Histogram;

use crate::model::status::Quantiles;

/// Outcomes that count for the success rate.
const RECENT: usize = 120;
/// Longest latency that is told apart: a probe's own limit is far below.
const LONGEST_US: u64 = 60_000_000;

/// The recent outcomes of one backend, and how long its answers took.
#[derive(Debug, Clone)]
pub struct History {
    probes: u64,
    recent: VecDeque<Outcome>,
    latency_us: Histogram<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Missed,
}

impl History {
    /// Nothing yet.
    pub fn new() -> Self {
        // To one digit, which is 6 % at the most, and growing with what is recorded: one of two digits takes up to
        // 10 KiB, and a thousand backends have two each.
        // What differs by less than 16 us is one.
        let mut latency_us = Histogram::new_with_bounds(16, 32, 1).expect("constants that fit");
        latency_us.auto(true);
        Self { probes: 0, recent: VecDeque::new(), latency_us }
    }

    /// An answer that took so long.
    pub fn answered(&mut self, took: Duration) {
        self.took(took);
        self.push(Outcome::Answered);
    }

    /// An answer that took so long, and says nothing of the backend's success.
    pub fn took(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US).clamp(1, LONGEST_US);
        if let Err(error) = self.latency_us.record(us) {
            tracing::debug!(%error, us, "a latency is not counted");
        }
    }

    /// No answer.
    pub fn missed(&mut self) {
        self.push(Outcome::Missed);
    }

    /// Probes in all.
    pub fn probes(&self) -> u64 {
        self.probes
    }

    /// Share of the recent probes that were answered.
    pub fn success_rate(&self) -> Option<f64> {
        let answered = self.recent.iter().filter(|o| **o == Outcome::Answered).count();
        (!self.recent.is_empty()).then(|| answered as f64 / self.recent.len() as f64)
    }

    /// Latency in milliseconds.
    pub fn latency_ms(&self) -> Option<Quantiles> {
        let at = |q| self.latency_us.value_at_quantile(q) as f64 / 1_000.0;
        (!self.latency_us.is_empty()).then(|| Quantiles { p50: at(0.5), p95: at(0.95), p99: at(0.99) })
    }

    fn push(&mut self, outcome: Outcome) {
        self.probes += 1;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(outcome);
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}
