//! One bucket of time: what a backend's probes and states were in it.

use std::time::Duration;

use super::bins::Bins;
use crate::model::Phase;

/// How a backend stood, as far as uptime counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its session was open.
    Ready,
    /// It was wanted, and there was no session.
    Down,
    /// A person had stopped it.
    Off,
}

impl Standing {
    /// Of a phase; `None` where nothing is recorded: not begun, disabled, or gone.
    pub fn of(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Ready => Some(Self::Ready),
            Phase::Dialing | Phase::Waiting | Phase::Parked | Phase::Quarantined => Some(Self::Down),
            Phase::Paused | Phase::Draining => Some(Self::Off),
            Phase::Idle | Phase::Closed => None,
        }
    }
}

/// What was in one stretch of time. Two of them merge by adding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bucket {
    /// Its beginning, in seconds since 1970.
    pub at: i64,
    /// Probes that were answered.
    pub ok: u32,
    /// Probes that were not.
    pub failed: u32,
    /// Sum of the answers' latencies, in microseconds.
    pub sum_us: u64,
    /// The quickest answer; 0 without one.
    pub min_us: u32,
    /// The slowest answer.
    pub max_us: u32,
    /// Time with an open session.
    pub ready_ms: u32,
    /// Time without one, though wanted.
    pub down_ms: u32,
    /// Time in which a person had stopped it.
    pub off_ms: u32,
    /// The answers' latencies by size, in microseconds.
    pub bins: Bins,
}

impl Bucket {
    /// An empty one.
    pub fn new(at: i64) -> Self {
        Self { at, ..Self::default() }
    }

    /// A probe was answered.
    pub fn answered(&mut self, took: Duration) {
        let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).max(1);
        self.min_us = if self.ok == 0 { us } else { self.min_us.min(us) };
        self.max_us = self.max_us.max(us);
        self.ok += 1;
        self.sum_us += u64::from(us);
        self.bins.add(u64::from(us));
    }

    /// A probe was not answered.
    pub fn missed(&mut self) {
        self.failed += 1;
    }

    /// It stood so for so long.
    pub fn stood(&mut self, standing: Standing, ms: u32) {
        let held = match standing {
            Standing::Ready => &mut self.ready_ms,
            Standing::Down => &mut self.down_ms,
            Standing::Off => &mut self.off_ms,
        };
        *held = held.saturating_add(ms);
    }

    /// Adds what another holds; its own beginning stays.
    pub fn merge(&mut self, other: &Self) {
        if other.ok > 0 {
            self.min_us = if self.ok == 0 { other.min_us } else { self.min_us.min(other.min_us) };
            self.max_us = self.max_us.max(other.max_us);
        }
        self.ok = self.ok.saturating_add(other.ok);
        self.failed = self.failed.saturating_add(other.failed);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.stood(Standing::Ready, other.ready_ms);
        self.stood(Standing::Down, other.down_ms);
        self.stood(Standing::Off, other.off_ms);
        self.bins.merge(&other.bins);
    }

    /// A quantile of the answers' latencies in milliseconds, never outside of what was measured.
    pub fn latency_ms(&self, share: f64) -> Option<f64> {
        let us = self.bins.quantile(share)?;
        Some(us.clamp(f64::from(self.min_us), f64::from(self.max_us)) / 1_000.0)
    }

    /// The mean of the answers' latencies in milliseconds.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.ok > 0).then(|| self.sum_us as f64 / f64::from(self.ok) / 1_000.0)
    }

    /// Share of the time ready, of that in which it was wanted.
    pub fn uptime(&self) -> Option<f64> {
        let wanted = u64::from(self.ready_ms) + u64::from(self.down_ms);
        (wanted > 0).then(|| f64::from(self.ready_ms) / wanted as f64)
    }

    /// Share of the probes that were answered.
    pub fn success_rate(&self) -> Option<f64> {
        let probes = u64::from(self.ok) + u64::from(self.failed);
        (probes > 0).then(|| f64::from(self.ok) / probes as f64)
    }
}
