//! What goes to the disk and comes from it.

use std::time::Duration;

use jiff::Timestamp;

use super::{bucket::Bucket, memory::Memory, tape::Tape, tier::WIDTHS, timeline::Step};
use crate::{
    connection::slot::Slot,
    model::{BackendId, Phase},
};

/// The packing of [`super::codec`].
pub(super) const FORMAT: u32 = 1;

/// Closed buckets of one width in a row, packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reel {
    pub(super) width: u32,
    pub(super) from_s: i64,
    pub(super) to_s: i64,
    pub(super) bytes: Vec<u8>,
}

/// What is new of one backend since the last time.
#[derive(Debug, Clone)]
pub(super) struct News {
    pub(super) backend: BackendId,
    pub(super) reels: Vec<Reel>,
    pub(super) steps: Vec<Step>,
    pub(super) memory: Option<Kept>,
}

/// A memory with what it is the memory of: another kind or address is another server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub(super) kind: String,
    pub(super) url: String,
    pub(super) memory: Memory,
}

/// All that goes to the disk at once, and what is too old.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) run: std::sync::Arc<str>,
    pub(super) now_ms: i64,
    pub(super) keep: [Duration; 3],
    pub(super) news: Vec<News>,
}

/// What the disk knows of a backend from earlier runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    pub(super) reels: Vec<Reel>,
    pub(super) steps: Vec<Step>,
    pub(super) memory: Option<Kept>,
}

impl Past {
    /// The buckets of one width. Bytes that are no buckets end their reel.
    pub(super) fn buckets(&self, width: u32) -> Vec<Bucket> {
        let reels = self.reels.iter().filter(|reel| reel.width == width);
        reels.flat_map(|reel| Tape::unpack(width, reel.from_s, &reel.bytes)).collect()
    }

    /// The end of the last run: the time from which nobody measured. A run that was killed could not note it.
    pub(super) fn ended(&self) -> Option<Step> {
        let last = self.steps.last().filter(|last| last.phase != Phase::Closed)?;
        let measured = self.reels.iter().map(|reel| reel.to_s).max();
        let measured = measured.and_then(|second| Timestamp::from_second(second).ok());
        let at = measured.unwrap_or(last.last_at).max(last.last_at);
        Some(Step::new(at, Phase::Closed, None, Some("Backline did not run")))
    }
}

impl Kept {
    pub(super) fn new(memory: Memory, slot: &Slot) -> Self {
        Self { kind: slot.config.kind.as_str().to_owned(), url: slot.config.url.to_string(), memory }
    }

    /// Whether it is the memory of what is configured now.
    pub(super) fn is_of(&self, slot: &Slot) -> bool {
        self.kind == slot.config.kind.as_str() && self.url == slot.config.url.to_string()
    }
}

impl News {
    pub(super) fn is_empty(&self) -> bool {
        self.reels.is_empty() && self.steps.is_empty() && self.memory.is_none()
    }
}

/// How old a reel of a width may be: the retention of its tier.
pub(super) fn ages(keep: [Duration; 3]) -> impl Iterator<Item = (u32, Duration)> {
    WIDTHS.into_iter().zip(keep)
}
