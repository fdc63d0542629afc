//! Buckets as bytes: numbers of seven bits a byte, and the usual cases (no probe, ready all the time) in flags.

use super::bucket::Bucket;

const OK: u8 = 1;
const FAILED: u8 = 2;
const STATES: u8 = 4;
const ALL_READY: u8 = 8;
const ALL_DOWN: u8 = 16;

/// Writes a bucket of this width (seconds) after one that began `steps` widths before.
pub(super) fn write(out: &mut Vec<u8>, steps: u64, bucket: &Bucket, width: u32) {
    number(out, steps);
    let states = (bucket.ready_ms, bucket.down_ms, bucket.off_ms);
    let state_flag = match states {
        (0, 0, 0) => 0,
        (ms, 0, 0) if ms == width * 1_000 => ALL_READY,
        (0, ms, 0) if ms == width * 1_000 => ALL_DOWN,
        _ => STATES,
    };
    let probe_flags = if bucket.ok > 0 { OK } else { 0 } | if bucket.failed > 0 { FAILED } else { 0 };
    out.push(state_flag | probe_flags);
    if bucket.ok > 0 {
        number(out, bucket.ok.into());
        number(out, bucket.min_us.into());
        number(out, (bucket.max_us - bucket.min_us).into());
        // One or two answers are told by the quickest and the slowest.
        if bucket.ok > 2 {
            number(out, bucket.sum_us);
            number(out, bucket.bins.iter().len() as u64);
            for (bin, count) in bucket.bins.iter() {
                out.push(bin);
                number(out, count.into());
            }
        }
    }
    if bucket.failed > 0 {
        number(out, bucket.failed.into());
    }
    if state_flag == STATES {
        [states.0, states.1, states.2].into_iter().for_each(|ms| number(out, ms.into()));
    }
}

/// Reads the next bucket and how many widths lie between its beginning and the one before; `None` at the end, and
/// where the bytes are no bucket.
pub(super) fn read(bytes: &mut impl Iterator<Item = u8>, width: u32) -> Option<(u64, Bucket)> {
    let steps = take(bytes)?;
    let flags = bytes.next()?;
    let mut bucket = Bucket::default();
    if flags & OK != 0 {
        bucket.ok = small(bytes)?;
        bucket.min_us = small(bytes)?;
        bucket.max_us = bucket.min_us.checked_add(small(bytes)?)?;
        let (min, max) = (u64::from(bucket.min_us), u64::from(bucket.max_us));
        match bucket.ok {
            1 => (bucket.sum_us, _) = (min, bucket.bins.add(min)),
            2 => (bucket.sum_us, _, _) = (min + max, bucket.bins.add(min), bucket.bins.add(max)),
            _ => {
                bucket.sum_us = take(bytes)?;
                for _ in 0..small(bytes)?.min(256) {
                    let bin = bytes.next()?;
                    bucket.bins.add_many(bin, small(bytes)?);
                }
            }
        }
    }
    if flags & FAILED != 0 {
        bucket.failed = small(bytes)?;
    }
    match flags & (STATES | ALL_READY | ALL_DOWN) {
        STATES => {
            (bucket.ready_ms, bucket.down_ms, bucket.off_ms) = (small(bytes)?, small(bytes)?, small(bytes)?);
        }
        ALL_READY => bucket.ready_ms = width * 1_000,
        ALL_DOWN => bucket.down_ms = width * 1_000,
        _ => {}
    }
    Some((steps, bucket))
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn small(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    u32::try_from(take(bytes)?).ok()
}
