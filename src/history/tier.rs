//! Three tiers of buckets over the same samples.

use std::time::Duration;

use super::{
    bucket::{Bucket, Standing},
    reel::{Past, Reel},
    tape::Tape,
};

/// How long each tier is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Buckets of a second. Default 5 minutes.
    pub seconds: Duration,
    /// Buckets of ten seconds. Default an hour.
    pub tens: Duration,
    /// Buckets of a minute. Default a day.
    pub minutes: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            seconds: Duration::from_secs(300),
            tens: Duration::from_secs(3_600),
            minutes: Duration::from_secs(86_400),
        }
    }
}

/// The widths of the tiers in seconds, finest first.
pub(crate) const WIDTHS: [u32; 3] = [1, 10, 60];

/// Three tiers over the same samples. Times are seconds or milliseconds since 1970, passed in; they may jump.
#[derive(Debug, Clone)]
pub struct Tiers(pub(super) [Tier; 3]);

/// Buckets of one width.
#[derive(Debug, Clone)]
pub(super) struct Tier {
    width: u32,
    keep: i64,
    open: Option<Bucket>,
    closed: Tape,
    /// What was closed since it was last taken to the disk; none where nothing is.
    fresh: Option<Tape>,
}

impl Tiers {
    /// Nothing yet.
    pub fn new(keep: Keep) -> Self {
        let mut tiers = Self(WIDTHS.map(Tier::new));
        tiers.keep(keep);
        tiers
    }

    /// Keeps so much from the next [`Self::forget`] on.
    pub fn keep(&mut self, keep: Keep) {
        for (tier, keep) in self.0.iter_mut().zip([keep.seconds, keep.tens, keep.minutes]) {
            tier.keep = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX);
        }
    }

    /// A probe was answered then, after so long.
    pub fn answered(&mut self, at_ms: i64, took: Duration) {
        self.0.iter_mut().for_each(|tier| tier.bucket(at_ms).answered(took));
    }

    /// A probe failed then.
    pub fn missed(&mut self, at_ms: i64) {
        self.0.iter_mut().for_each(|tier| tier.bucket(at_ms).missed());
    }

    /// It stood so from one time to another.
    pub fn stood(&mut self, standing: Standing, from_ms: i64, to_ms: i64) {
        self.0.iter_mut().for_each(|tier| tier.stood(standing, from_ms, to_ms));
    }

    /// Forgets what is too old by now.
    pub fn forget(&mut self, now_ms: i64) {
        self.0.iter_mut().for_each(|tier| tier.forget(now_ms));
    }

    /// Notes from now on what is closed, for [`Self::take_new`].
    pub(super) fn archive(&mut self) {
        self.0.iter_mut().for_each(|tier| tier.fresh = Some(Tape::new(tier.width)));
    }

    /// The buckets that were closed since this was last asked.
    pub(super) fn take_new(&mut self) -> Vec<Reel> {
        self.0.iter_mut().filter_map(Tier::take_new).collect()
    }

    /// Closes the open buckets, so that they are taken, too.
    pub(super) fn close(&mut self) {
        self.0.iter_mut().for_each(Tier::close);
    }

    /// Adds what earlier runs measured.
    pub(super) fn absorb(&mut self, past: &Past) {
        self.0.iter_mut().for_each(|tier| tier.closed.absorb(past.buckets(tier.width)));
    }

    /// The longest time that is kept.
    pub fn longest(&self) -> Duration {
        Duration::from_secs(self.0.iter().map(|tier| tier.keep.unsigned_abs()).max().unwrap_or_default())
    }

    /// The buckets that reach into a window ending now, of the finest tier that keeps so much, with their width in
    /// seconds. What nobody measured has no bucket.
    pub fn window(&self, now_ms: i64, window: Duration) -> (u32, Vec<Bucket>) {
        let wanted = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        let tier = self.0.iter().find(|tier| tier.keep >= wanted).unwrap_or(&self.0[2]);
        let from = now_ms.div_euclid(1_000).saturating_sub(wanted.min(tier.keep));
        let inside = |bucket: &Bucket| bucket.at + i64::from(tier.width) > from;
        (tier.width, tier.iter().filter(inside).collect())
    }

    /// Bytes that the closed buckets take.
    pub fn size(&self) -> usize {
        self.0.iter().map(|tier| tier.closed.size()).sum()
    }
}

impl Tier {
    fn new(width: u32) -> Self {
        Self { width, keep: 0, open: None, closed: Tape::new(width), fresh: None }
    }

    /// The bucket of this time. Where it is not the open one, that is closed.
    fn bucket(&mut self, at_ms: i64) -> &mut Bucket {
        let width = i64::from(self.width);
        let at = at_ms.div_euclid(1_000).div_euclid(width) * width;
        if self.open.as_ref().is_some_and(|open| open.at != at) {
            self.close();
        }
        self.open.get_or_insert_with(|| Bucket::new(at))
    }

    /// Closes the open bucket. What comes for the same time later is merged with it.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        self.closed.push(&open);
        if let Some(fresh) = &mut self.fresh {
            fresh.push(&open);
        }
    }

    fn stood(&mut self, standing: Standing, from_ms: i64, to_ms: i64) {
        // A stretch that began before all that is kept counts from there.
        let mut from = from_ms.max(to_ms.saturating_sub(self.keep.saturating_mul(1_000)));
        let width_ms = i64::from(self.width) * 1_000;
        while from < to_ms {
            if let Some(more) = self.whole(from, to_ms) {
                self.close();
                let mut bucket = Bucket::new(from.div_euclid(1_000));
                bucket.stood(standing, self.width * 1_000);
                self.closed.push_run(&bucket, more);
                if let Some(fresh) = &mut self.fresh {
                    fresh.push_run(&bucket, more);
                }
                from += (i64::from(more) + 1) * width_ms;
                continue;
            }
            let end = to_ms.min((from.div_euclid(width_ms) + 1) * width_ms);
            // At most a minute.
            let ms = u32::try_from(end - from).unwrap_or(u32::MAX);
            self.bucket(from).stood(standing, ms);
            from = end;
        }
    }

    /// Whole buckets from here on of which nothing is known yet, but for the last, which stays open: so many after the
    /// first.
    fn whole(&self, from_ms: i64, to_ms: i64) -> Option<u32> {
        let width_ms = i64::from(self.width) * 1_000;
        let begins = from_ms.rem_euclid(width_ms) == 0;
        let new = self.open.as_ref().is_none_or(|open| open.at * 1_000 < from_ms);
        u32::try_from((to_ms - from_ms) / width_ms - 2).ok().filter(|_| begins && new)
    }

    fn take_new(&mut self) -> Option<Reel> {
        let (from_s, last, bytes) = self.fresh.as_mut()?.take()?;
        Some(Reel { width: self.width, from_s, to_s: last + i64::from(self.width), bytes })
    }

    fn forget(&mut self, now_ms: i64) {
        let oldest = now_ms.div_euclid(1_000).saturating_sub(self.keep + i64::from(self.width));
        self.closed.forget_before(oldest);
        if let Some(fresh) = &mut self.fresh {
            fresh.forget_before(oldest);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Bucket> + '_ {
        let mut open = self.open.clone();
        // The clock may have been set back since: the open bucket then belongs before closed ones, or to one.
        let mut all: Vec<Bucket> = self.closed.iter().collect();
        if let Some(open) = open.take() {
            match all.binary_search_by_key(&open.at, |b| b.at) {
                Ok(at) => all[at].merge(&open),
                Err(at) => all.insert(at, open),
            }
        }
        all.into_iter()
    }
}

#[cfg(test)]
mod tests;
