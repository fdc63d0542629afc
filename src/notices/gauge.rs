//! Limits of a person's own: pure, from one look at a backend to the next.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    config::{Thresholds, duration::show_duration, size::show_size},
    model::{BackendStatus, Code, Phase},
    notices::{catalogue, draft::Draft},
};

/// How long a value has to be past its limit, or well back, before that counts.
const HOLD: Duration = Duration::from_secs(10);

/// Whether notices of this cause are made here.
pub(super) fn is_gauge(code: Code) -> bool {
    matches!(code, Code::LatencyHigh | Code::QueueLong | Code::SuccessLow | Code::VramLow)
}

/// Where a value stands to its limit. Between is near it: that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Past,
    Between,
    Well,
}

/// One value beside its limit.
struct Reading {
    code: Code,
    place: Place,
    message: String,
}

#[derive(Debug, Default)]
struct Gauge {
    standing: Standing,
    /// Since when the value says the opposite.
    turning: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Standing {
    #[default]
    Within,
    Past,
}

/// The limits of one backend, and how it stands to them.
#[derive(Debug, Default)]
pub(super) struct Gauges(BTreeMap<Code, Gauge>);

impl Gauges {
    /// Looks at the backend now: what is to be raised, and when to look again even if nothing changes.
    pub(super) fn look(
        &mut self,
        status: &BackendStatus,
        limits: &Thresholds,
        now: Instant,
    ) -> (Vec<Draft>, Option<Instant>) {
        let readings = readings(status, limits);
        // Of a backend that is away nothing is known; a limit that was taken out is none.
        self.0.retain(|code, _| readings.iter().any(|reading| reading.code == *code));
        let (mut raise, mut due) = (Vec::new(), None);
        for Reading { code, place, message } in readings {
            let gauge = self.0.entry(code).or_default();
            if gauge.turns(place, now) {
                let draft = Draft::new(code, catalogue::entry(code).severity);
                raise.push(draft.backend(status.id.clone()).message(message));
            }
            let next = gauge.turning.map(|since| since + HOLD);
            due = [due, next].into_iter().flatten().min();
        }
        (raise, due)
    }

    /// Whether the backend is past this limit.
    pub(super) fn is_past(&self, code: Code) -> bool {
        self.0.get(&code).is_some_and(|gauge| gauge.standing == Standing::Past)
    }
}

impl Gauge {
    /// Takes a reading; whether the limit is passed from now on.
    fn turns(&mut self, place: Place, now: Instant) -> bool {
        let opposite = match self.standing {
            Standing::Within => Place::Past,
            Standing::Past => Place::Well,
        };
        if place != opposite {
            self.turning = None;
            return false;
        }
        let since = *self.turning.get_or_insert(now);
        if now.saturating_duration_since(since) < HOLD {
            return false;
        }
        self.turning = None;
        self.standing = if opposite == Place::Past { Standing::Past } else { Standing::Within };
        self.standing == Standing::Past
    }
}

fn readings(status: &BackendStatus, limits: &Thresholds) -> Vec<Reading> {
    if status.phase != Phase::Ready {
        return Vec::new();
    }
    let latency = limits.latency.zip(status.latency_ms).map(|(limit, latency)| {
        let most = limit.as_secs_f64() * 1_000.0;
        let message = format!(
            "95 of 100 probes take up to {:.0} ms, over the limit of {}",
            latency.p95,
            show_duration(limit)
        );
        Reading { code: Code::LatencyHigh, place: above(latency.p95, most), message }
    });
    let queue = limits.queue.zip(status.queue).map(|(limit, queue)| {
        let message = format!("{} wait in its queue, over the limit of {limit}", queue.pending);
        Reading { code: Code::QueueLong, place: above(f64::from(queue.pending), f64::from(limit)), message }
    });
    let success = limits.success.zip(status.success_rate).map(|(limit, rate)| {
        let message =
            format!("{:.0} % of its last probes were answered, under the limit of {limit} %", rate * 100.0);
        // Well back is half of what the limit leaves.
        let back = f64::midpoint(f64::from(limit), 100.0);
        Reading { code: Code::SuccessLow, place: below(rate * 100.0, f64::from(limit), back), message }
    });
    let vram = limits.vram_free.zip(status.resources.vram_free).map(|(limit, free)| {
        let message = format!(
            "{} of its card's memory are free, under the limit of {}",
            rounded(free),
            show_size(limit)
        );
        let limit = limit as f64;
        Reading { code: Code::VramLow, place: below(free as f64, limit, limit * 1.1), message }
    });
    [latency, queue, success, vram].into_iter().flatten().collect()
}

fn above(value: f64, limit: f64) -> Place {
    match value {
        value if value > limit => Place::Past,
        value if value <= limit * 0.9 => Place::Well,
        _ => Place::Between,
    }
}

fn below(value: f64, limit: f64, back: f64) -> Place {
    match value {
        value if value < limit => Place::Past,
        value if value >= back => Place::Well,
        _ => Place::Between,
    }
}

/// A size as a person says it.
fn rounded(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests;
