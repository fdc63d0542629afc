//! The disk fails: system calls answer with errors, put in by strace.

use std::{fs, io::Write, process::Command};

use backline::state::Condition;

use crate::{
    child,
    place::{Place, close, open},
};

const WRITES: usize = 10;

fn strace_is_missing() -> bool {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|s| s.success());
    if !works {
        let why = "SKIP: a failing disk: strace is missing or may not trace here (Debian: strace)";
        eprintln!("{why}");
        if let Ok(path) = std::env::var("BACKLINE_SKIPS") {
            let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            writeln!(file, "{why}").unwrap();
        }
    }
    !works
}

/// What came of one scenario.
struct Played {
    /// How often the fault fired.
    fired: usize,
    /// It hit something else than the directory, too: SQLite passes over a failed synchronisation of the directory,
    /// after which the store makes its own.
    heard: bool,
    acknowledged: usize,
    said: Vec<String>,
}

/// Where the fault strikes: the making of the database takes many calls, its use few.
#[derive(Debug, Clone, Copy)]
enum Database {
    New,
    Made,
}

/// What to strike, and at which call.
fn strikes() -> impl Iterator<Item = (Database, usize)> {
    let each = |database| (1..=13).step_by(3).map(move |nth| (database, nth));
    each(Database::New).chain(each(Database::Made))
}

/// Writes under the fault, then opens the database on the disk that is well again.
async fn play(database: Database, fault: &str) -> Played {
    let place = Place::new();
    if let Database::Made = database {
        let (_, serving) = open(&place.path()).await;
        close(serving).await;
    }
    let log = place.path().with_file_name("strace");
    let call = fault.split(':').next().unwrap();
    let (trace, inject) = (format!("trace={call}"), format!("inject={fault}"));
    let through = ["strace", "-f", "-y", "-qq", "-o", log.to_str().unwrap(), "-e", &trace, "-e", &inject];
    let (mut child, lines) = child::start(&place.path(), 0, WRITES, &through);
    let said: Vec<String> = lines.map_while(Result::ok).collect();
    let status = child.wait().unwrap();
    assert!(status.success(), "{fault}: it crashed: {said:?}");
    let trace = fs::read_to_string(&log).unwrap();
    let hit: Vec<&str> = trace.lines().filter(|line| line.contains("(INJECTED)")).collect();
    let directory = format!("<{}>", place.path().display());
    let (fired, heard) = (hit.len(), hit.iter().any(|line| !line.contains(&directory)));
    let (store, serving) = open(&place.path()).await;
    let Condition::Open { opening } = store.watch().borrow().clone() else { panic!("{fault}: {store:?}") };
    assert_eq!(opening.salvaged, None, "{fault}");
    let there: Vec<String> = store
        .read("what is there", |c| {
            c.prepare("SELECT key FROM meta")?.query_map((), |row| row.get(0))?.collect()
        })
        .await
        .unwrap();
    let mut acknowledged = 0;
    for key in said.iter().filter_map(|line| line.strip_prefix("ok ")) {
        assert!(there.iter().any(|t| t == key), "{fault}: `{key}` was acknowledged and is gone");
        acknowledged += 1;
    }
    close(serving).await;
    Played { fired, heard, acknowledged, said }
}

fn is_loud(played: &Played) -> bool {
    played.said.iter().any(|line| line.starts_with("err ") || line == "refusing")
}

#[tokio::test]
async fn a_disk_that_fails_for_good_is_told_and_keeps_what_was_acknowledged() {
    if strace_is_missing() {
        return;
    }
    let mut some = 0;
    for call in ["fsync:error=EIO", "pwrite64:error=ENOSPC", "pwrite64:error=EIO"] {
        for (database, nth) in strikes() {
            let fault = format!("{call}:when={nth}+");
            let played = play(database, &fault).await;
            assert!(played.fired > 0, "{fault}: it never fired: {:?}", played.said);
            assert!(is_loud(&played), "{fault}: nobody was told: {:?}", played.said);
            let whole = played.said.iter().any(|line| line.starts_with("ok 0-last"));
            assert!(!whole, "{fault}: it went on as if nothing was: {:?}", played.said);
            some += played.acknowledged;
        }
    }
    assert!(some > 0, "no scenario came as far as an acknowledgement");
}

#[tokio::test]
async fn a_disk_that_fails_once_is_used_again() {
    if strace_is_missing() {
        return;
    }
    for call in ["fsync:error=EIO", "pwrite64:error=ENOSPC"] {
        for (database, nth) in strikes() {
            let fault = format!("{call}:when={nth}");
            let played = play(database, &fault).await;
            assert!(played.fired > 0, "{fault}: it never fired: {:?}", played.said);
            assert!(is_loud(&played) || !played.heard, "{fault}: nobody was told: {:?}", played.said);
            let back = played.said.iter().any(|line| line.starts_with("ok 0-last"));
            assert!(back, "{fault}: it did not come back: {:?}", played.said);
        }
    }
}
