//! The history of one backend.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    bucket::{Bucket, Standing},
    clock::Moment,
    recent::Recent,
    reel::Past,
    report::{HistoryReport, Point},
    tier::{Keep, Tiers},
    timeline::{Step, Timeline},
};
use crate::model::{BackendId, Phase, status::Quantiles};

/// Durations of jobs: of the last 12 to 24 hours.
const JOBS_MS: i64 = 12 * 3_600 * 1_000;
/// What uptime looks back on.
const DAY: Duration = Duration::from_secs(86_400);
/// What the snapshot shows is read anew so often, and whenever something happened: a thousand idle backends are not to
/// be read through for what stays the same.
const FRESH_MS: i64 = 60_000;

/// The history of one backend; times are passed in.
#[derive(Debug, Clone)]
pub(crate) struct Chapter {
    pub(super) tiers: Tiers,
    pub(super) timeline: Timeline,
    standing: Option<Standing>,
    settled: Duration,
    jobs: Recent,
    /// What was shown last, and when it was read; `None` where something happened since.
    shown: Option<(i64, Figures)>,
}

/// What the snapshot shows of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) uptime: Option<f64>,
    pub(crate) job_ms: Option<Quantiles>,
}

impl Chapter {
    pub(super) fn new(keep: Keep, now: Moment) -> Self {
        Self {
            tiers: Tiers::new(keep),
            timeline: Timeline::default(),
            standing: None,
            settled: now.mono,
            jobs: Recent::new(JOBS_MS),
            shown: None,
        }
    }

    /// A phase was entered.
    pub(super) fn entered(&mut self, now: Moment, step: Step) {
        self.settle(now);
        self.standing = Standing::of(step.phase);
        self.shown = None;
        self.timeline.push(step);
    }

    /// Counts the time since the last look to how it stood. It is measured by the monotonic clock and ends now, so
    /// that a clock that was set neither adds nor takes.
    pub(super) fn settle(&mut self, now: Moment) {
        let passed = now.mono.saturating_sub(self.settled);
        self.settled = now.mono;
        let ms = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
        // What is less than a millisecond is counted the next time.
        self.settled = now.mono - (passed - Duration::from_millis(passed.as_millis() as u64));
        if let Some(standing) = self.standing {
            self.tiers.stood(standing, now.at_ms.saturating_sub(ms), now.at_ms);
        }
    }

    /// A probe was answered after so long, or was not. The time up to it is counted first: what goes into the buckets
    /// out of order has them all sorted anew.
    pub(super) fn probed(&mut self, now: Moment, answer: Option<Duration>) {
        self.settle(now);
        match answer {
            Some(took) => self.tiers.answered(now.at_ms, took),
            None => self.tiers.missed(now.at_ms),
        }
    }

    pub(super) fn job_ended(&mut self, now: Moment, took: Duration) {
        self.shown = None;
        self.jobs.add(now.at_ms, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    }

    /// What the snapshot shows. Uptime is rounded, so that a steady backend's status stays the same.
    pub(super) fn figures(&mut self, now: Moment) -> Figures {
        let fresh = |read: i64| (0..FRESH_MS).contains(&(now.at_ms - read));
        if let Some((_, figures)) = self.shown.filter(|(read, _)| fresh(*read)) {
            return figures;
        }
        self.settle(now);
        self.forget(now);
        let uptime = total(&self.tiers.window(now.at_ms, DAY).1).uptime();
        let uptime = uptime.map(|share| (share * 10_000.0).round() / 10_000.0);
        let figures = Figures { uptime, job_ms: self.jobs.quantiles(now.at_ms) };
        self.shown = Some((now.at_ms, figures));
        figures
    }

    fn forget(&mut self, now: Moment) {
        self.tiers.forget(now.at_ms);
        let longest = i64::try_from(self.tiers.longest().as_millis()).unwrap_or(i64::MAX);
        self.timeline.forget_before(timestamp(now.at_ms.saturating_sub(longest)));
    }

    /// The history over a window ending now; a window longer than what is kept is what is kept.
    pub(super) fn report(&mut self, backend: BackendId, now: Moment, window: Duration) -> HistoryReport {
        self.settle(now);
        let window = window.min(self.tiers.longest());
        let (bucket_s, buckets) = self.tiers.window(now.at_ms, window);
        let from = timestamp(now.at_ms.saturating_sub(i64::try_from(window.as_millis()).unwrap_or(i64::MAX)));
        let all = total(&buckets);
        HistoryReport {
            backend,
            from,
            to: timestamp(now.at_ms),
            window_s: window.as_secs(),
            bucket_s,
            uptime: all.uptime(),
            success_rate: all.success_rate(),
            timeline: self.timeline.since(from),
            buckets: buckets.iter().map(Point::new).collect(),
        }
    }

    /// Puts what earlier runs measured before.
    pub(super) fn absorb(&mut self, past: &Past, now: Moment) {
        self.tiers.absorb(past);
        self.shown = None;
        self.timeline.precede(past.steps.clone(), past.ended());
        self.forget(now);
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        self.timeline.last().map(|step| step.phase)
    }
}

pub(super) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn total(buckets: &[Bucket]) -> Bucket {
    let mut total = Bucket::default();
    buckets.iter().for_each(|bucket| total.merge(bucket));
    total
}

#[cfg(test)]
mod tests;
