//! What was: each backend's probes, states, latencies and facts, kept for a day and over restarts.
//!
//! Samples enter three tiers at once (by default 1 s kept for 5 minutes, 10 s for an hour, 1 min for a day), so that
//! no rollup can lose one, and each tier forgets by its own age. What is quiet is packed: a second without a probe
//! takes two bytes.

pub(crate) mod actor;
#[cfg(feature = "state")]
mod archive;
mod bins;
mod bucket;
mod chapter;
mod chronicle;
mod clock;
mod codec;
mod memory;
mod recent;
mod reel;
mod report;
#[cfg(feature = "state")]
mod table;
mod tape;
mod tier;
mod timeline;

pub(crate) use self::chronicle::Chronicle;
pub use self::{
    bins::Bins,
    bucket::{Bucket, Standing},
    report::{COLUMNS, HistoryReport, Point},
    tier::{Keep, Tiers},
    timeline::Step,
};
