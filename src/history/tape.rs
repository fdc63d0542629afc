//! Closed buckets of one width, packed, oldest first.

use std::collections::VecDeque;

use super::{bucket::Bucket, codec};

/// Closed buckets, packed. What comes in order is appended; what comes out of order (the clock was set back) is
/// sorted in, which is rare and unpacks all.
#[derive(Debug, Clone)]
pub(crate) struct Tape {
    width: u32,
    bytes: VecDeque<u8>,
    first: i64,
    last: i64,
}

impl Tape {
    pub(super) fn new(width: u32) -> Self {
        Self { width, bytes: VecDeque::new(), first: 0, last: 0 }
    }

    /// Adds a bucket; one with the same beginning is merged with it.
    pub(super) fn push(&mut self, bucket: &Bucket) {
        if self.bytes.is_empty() {
            (self.first, self.last) = (bucket.at, bucket.at);
            self.append(0, bucket);
        } else if bucket.at > self.last {
            let steps = (bucket.at - self.last) / i64::from(self.width);
            self.append(u64::try_from(steps).unwrap_or_default(), bucket);
            self.last = bucket.at;
        } else {
            let mut all: Vec<Bucket> = self.iter().collect();
            match all.binary_search_by_key(&bucket.at, |b| b.at) {
                Ok(at) => all[at].merge(bucket),
                Err(at) => all.insert(at, bucket.clone()),
            }
            *self = Self::new(self.width);
            all.iter().for_each(|bucket| self.push(bucket));
        }
    }

    /// Adds a bucket and `more` like it, each a width after the one before. What is new is written once and copied.
    pub(super) fn push_run(&mut self, bucket: &Bucket, more: u32) {
        let in_order = self.bytes.is_empty() || bucket.at > self.last;
        self.push(bucket);
        if in_order {
            let mut record = Vec::with_capacity(32);
            codec::write(&mut record, 1, bucket, self.width);
            (0..more).for_each(|_| self.bytes.extend(&record));
            self.last += i64::from(more) * i64::from(self.width);
        } else {
            for n in 1..=more {
                let after = i64::from(n) * i64::from(self.width);
                self.push(&Bucket { at: bucket.at + after, ..bucket.clone() });
            }
        }
    }

    fn append(&mut self, steps: u64, bucket: &Bucket) {
        let mut record = Vec::with_capacity(32);
        codec::write(&mut record, steps, bucket, self.width);
        self.bytes.extend(record);
    }

    /// Forgets the buckets that began before this second.
    pub(super) fn forget_before(&mut self, second: i64) {
        while !self.bytes.is_empty() && self.first < second {
            let mut rest = self.bytes.iter().copied();
            let read = codec::read(&mut rest, self.width);
            let used = self.bytes.len() - rest.len();
            let next = codec::read(&mut rest, self.width);
            match (read, next) {
                (Some(_), Some((steps, _))) => {
                    self.bytes.drain(..used);
                    self.first += step(steps, self.width);
                }
                _ => self.bytes.clear(),
            }
        }
        if self.bytes.capacity() > 2 * self.bytes.len() + 256 {
            self.bytes.shrink_to_fit();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Bucket> + '_ {
        let (mut bytes, mut at, mut begun) = (self.bytes.iter().copied(), self.first, false);
        std::iter::from_fn(move || {
            let (steps, mut bucket) = codec::read(&mut bytes, self.width)?;
            if begun {
                at += step(steps, self.width);
            }
            begun = true;
            bucket.at = at;
            Some(bucket)
        })
    }

    /// Takes all out, packed, with the beginnings of the first and of the last bucket.
    pub(super) fn take(&mut self) -> Option<(i64, i64, Vec<u8>)> {
        let taken = std::mem::replace(self, Self::new(self.width));
        (!taken.bytes.is_empty()).then(|| (taken.first, taken.last, taken.bytes.into()))
    }

    /// The buckets of packed bytes, as far as they are that.
    pub(super) fn unpack(width: u32, first: i64, bytes: &[u8]) -> Vec<Bucket> {
        let bytes = bytes.iter().copied().collect();
        Self { width, bytes, first, last: first }.iter().collect()
    }

    /// Sorts in the buckets of an earlier time.
    pub(super) fn absorb(&mut self, mut earlier: Vec<Bucket>) {
        earlier.extend(self.iter());
        earlier.sort_by_key(|bucket| bucket.at);
        *self = Self::new(self.width);
        earlier.dedup_by(|later, kept| {
            let same = later.at == kept.at;
            if same {
                kept.merge(later);
            }
            same
        });
        earlier.iter().for_each(|bucket| self.push(bucket));
    }

    /// Bytes that it takes.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity()
    }
}

fn step(steps: u64, width: u32) -> i64 {
    i64::try_from(steps).unwrap_or(i64::MAX).saturating_mul(i64::from(width))
}
