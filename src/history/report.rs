//! The history of one backend as an answer: JSON, and a table.

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::{bucket::Bucket, timeline::Step};
use crate::model::BackendId;

/// The history of one backend over a window that ends now.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct HistoryReport {
    /// The backend.
    pub backend: BackendId,
    /// The beginning of the window.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Its length in seconds; less than what was asked for where less is kept.
    pub window_s: u64,
    /// The width of a bucket in seconds.
    pub bucket_s: u32,
    /// Share of the time with an open session, of the time in which the backend was wanted and Backline ran; `None`
    /// where there was none.
    pub uptime: Option<f64>,
    /// Share of the probes that were answered.
    pub success_rate: Option<f64>,
    /// The phases, beginning with the one in which the window begins.
    pub timeline: Vec<Step>,
    /// The buckets, oldest first. A time in which nothing was measured has none.
    pub buckets: Vec<Point>,
}

/// One bucket of a report. A latency is `None` where no probe was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it, with their units")]
pub struct Point {
    /// Its beginning.
    pub at: Timestamp,
    pub probes_ok: u32,
    pub probes_failed: u32,
    pub latency_min_ms: Option<f64>,
    pub latency_mean_ms: Option<f64>,
    pub latency_max_ms: Option<f64>,
    pub latency_p50_ms: Option<f64>,
    pub latency_p95_ms: Option<f64>,
    /// Time with an open session.
    pub ready_s: f64,
    /// Time without one, though wanted.
    pub down_s: f64,
    /// Time in which a person had stopped it.
    pub off_s: f64,
}

impl Point {
    pub(super) fn new(bucket: &Bucket) -> Self {
        let answered = |us: u32| (bucket.ok > 0).then(|| f64::from(us) / 1_000.0);
        let seconds = |ms: u32| f64::from(ms) / 1_000.0;
        Self {
            at: Timestamp::from_second(bucket.at).unwrap_or_default(),
            probes_ok: bucket.ok,
            probes_failed: bucket.failed,
            latency_min_ms: answered(bucket.min_us),
            latency_mean_ms: bucket.mean_ms(),
            latency_max_ms: answered(bucket.max_us),
            latency_p50_ms: bucket.latency_ms(0.5),
            latency_p95_ms: bucket.latency_ms(0.95),
            ready_s: seconds(bucket.ready_ms),
            down_s: seconds(bucket.down_ms),
            off_s: seconds(bucket.off_ms),
        }
    }
}

/// The columns of [`HistoryReport::csv`], with their units in their names.
pub const COLUMNS: &str = "at,bucket_s,probes_ok,probes_failed,latency_min_ms,latency_mean_ms,latency_max_ms,\
                           latency_p50_ms,latency_p95_ms,ready_s,down_s,off_s";

impl HistoryReport {
    /// The buckets as comma-separated values under a line of [`COLUMNS`]. A field is empty where nothing was measured;
    /// no field needs quotes.
    pub fn csv(&self) -> String {
        let mut text = String::with_capacity(120 * (self.buckets.len() + 1));
        text.push_str(COLUMNS);
        text.push_str("\r\n");
        for point in &self.buckets {
            self.line(point, &mut text);
        }
        text
    }

    fn line(&self, point: &Point, text: &mut String) {
        let ms = |value: Option<f64>| value.map(|ms| format!("{ms:.3}")).unwrap_or_default();
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
            point.at,
            self.bucket_s,
            point.probes_ok,
            point.probes_failed,
            ms(point.latency_min_ms),
            ms(point.latency_mean_ms),
            ms(point.latency_max_ms),
            ms(point.latency_p50_ms),
            ms(point.latency_p95_ms),
            point.ready_s,
            point.down_s,
            point.off_s
        );
    }
}
