use std::{
    fs,
    path::{Path, PathBuf},
};

use super::*;

/// Bytes that each recording is spoiled into; with the doors, some ten thousand readings.
const SPOILED: usize = 8;
/// Longest part of a recording that is looked at: what lies behind is more of the same.
const LONGEST: usize = 8 * 1024;

fn tests(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(place)
}

/// Every file of the corpus of a target.
fn replay(target: &str, read: Read) {
    let corpus = tests("fuzz/corpus").join(target);
    let files = fs::read_dir(&corpus).unwrap_or_else(|e| panic!("{}: {e}", corpus.display()));
    let mut count = 0;
    for file in files {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        read(&bytes);
        // Cut anywhere, it is read as well as whole.
        for cut in (0..bytes.len()).step_by(bytes.len() / 64 + 1) {
            read(&bytes[..cut]);
        }
        count += 1;
    }
    assert!(count > 0, "{target} has no corpus");
}

#[test]
fn the_corpus_of_each_target_is_read() {
    for (target, read) in DOORS {
        replay(target, read);
    }
}

/// Every recorded answer of every kind of server: bodies, streams, and the lines of sockets each on its own.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut places: Vec<_> =
        ["comfyui", "gradio", "litellm", "wan2gp"].map(|kind| tests("fixtures").join(kind)).into();
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(&place).unwrap_or_else(|e| panic!("{}: {e}", place.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                places.push(path);
                continue;
            }
            let (name, bytes) = (path.display().to_string(), fs::read(&path).unwrap());
            let whole = &bytes[..bytes.len().min(LONGEST)];
            match path.extension().and_then(|e| e.to_str()) {
                Some("http") => {
                    let body = bytes.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
                    found.push((name, bytes[body..].to_vec()));
                }
                Some("ndjson") => {
                    let lines = String::from_utf8(bytes).unwrap();
                    let parts = lines.lines().flat_map(|line| {
                        let line: serde_json::Value = serde_json::from_str(line).unwrap();
                        ["text", "body"].map(|part| line[part].to_string().into_bytes())
                    });
                    let parts = parts.filter(|part| part != b"null");
                    found.extend(parts.enumerate().map(|(n, part)| (format!("{name} {n}"), part)));
                }
                Some("json") if name.contains("wan2gp") => {
                    let answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                    found.push((name, answer["body"].to_string().into_bytes()));
                }
                _ => found.push((name, whole.to_vec())),
            }
        }
    }
    found.sort();
    found
}

/// What wires and strangers do to bytes: bits flip, parts go, come twice, or come from elsewhere, numbers grow.
fn spoil(bytes: &mut Vec<u8>, dice: &mut fastrand::Rng, others: &[(String, Vec<u8>)]) {
    const STRANGE: [&[u8]; 10] = [
        b"null",
        b"-1",
        b"1e999",
        b"[[[[",
        b"{}",
        b"\"\\ud800\"",
        b"\xff\xfe",
        b"\0",
        b"\n\n",
        b"18446744073709551616",
    ];
    for _ in 0..=dice.usize(0..4) {
        let at = dice.usize(0..=bytes.len());
        let end = (at + dice.usize(0..32)).min(bytes.len());
        match dice.u8(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.u8(0..8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            3 => drop(bytes.splice(at..end, STRANGE[dice.usize(0..STRANGE.len())].iter().copied())),
            4 => {
                let (_, other) = &others[dice.usize(0..others.len())];
                let from = dice.usize(0..=other.len());
                let to = (from + dice.usize(0..64)).min(other.len());
                drop(bytes.splice(at..end, other[from..to].iter().copied()));
            }
            _ => bytes.truncate(at),
        }
    }
}

/// Every recorded answer, cut at every so many bytes and spoiled by a generator with a seed, through every door. What
/// panics fails the test, and what hangs is ended by it.
#[test]
fn recorded_answers_that_are_cut_or_spoiled_are_read_by_every_door() {
    let recordings = recordings();
    assert!(recordings.len() > 150, "{} recordings", recordings.len());
    let mut dice = fastrand::Rng::with_seed(7);
    let mut read = 0_u64;
    for (name, bytes) in &recordings {
        let mut through = |bytes: &[u8], how: &dyn std::fmt::Display| {
            for (door, open) in DOORS {
                let opened = std::panic::catch_unwind(|| open(bytes));
                assert!(opened.is_ok(), "{door} panics at {name}, {how}");
                read += 1;
            }
        };
        through(bytes, &"whole");
        for cut in (0..bytes.len()).step_by(bytes.len() / 8 + 1) {
            through(&bytes[..cut], &format_args!("cut at {cut}"));
        }
        // The longer it is, the fewer: each takes its time.
        let times = SPOILED / (1 + bytes.len() / 4096);
        for time in 0..times.max(2) {
            let mut spoiled = bytes.clone();
            spoil(&mut spoiled, &mut dice, &recordings);
            through(&spoiled, &format_args!("spoiled for the {time}th time"));
        }
    }
    assert!(read > 5_000, "{read} readings");
}
