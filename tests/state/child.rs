//! A process of its own that writes, tells what was acknowledged, and is killed or meets a failing disk.

use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use backline::state::{Condition, Store, Trouble};

use crate::place::{open, put};

const WRITERS: usize = 4;

/// The binary of this test, as the program that writes; `through` stands before it on the command line.
pub(crate) fn start(
    directory: &Path,
    round: usize,
    writes: usize,
    through: &[&str],
) -> (Child, Lines<BufReader<ChildStdout>>) {
    let test = std::env::current_exe().unwrap();
    let mut line: Vec<&str> = through.to_vec();
    line.extend([test.to_str().unwrap(), "--exact", "--ignored", "--nocapture", "child::child_that_writes"]);
    let mut child = Command::new(line[0])
        .args(&line[1..])
        .env("BACKLINE_STATE_CHILD", directory)
        .env("BACKLINE_STATE_ROUND", round.to_string())
        .env("BACKLINE_STATE_WRITES", writes.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

fn number(name: &str) -> usize {
    std::env::var(name).unwrap().parse().unwrap()
}

#[test]
#[ignore = "a child of other tests"]
fn child_that_writes() {
    // One thread for all that blocks: strace counts the calls of each thread.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().max_blocking_threads(1).build().unwrap().block_on(write_all());
}

async fn write_all() {
    let directory = std::env::var("BACKLINE_STATE_CHILD").unwrap();
    let (round, writes) = (number("BACKLINE_STATE_ROUND"), number("BACKLINE_STATE_WRITES"));
    let (store, _serving) = open(Path::new(&directory)).await;
    println!("\nbegun");
    if !store.watch().borrow().is_open() {
        println!("refusing");
    }
    let writers = (0..WRITERS).map(|writer| write(&store, round, writer, writes));
    futures_util::future::join_all(writers).await;
    // Once more, when the disk is well again, as far as it gets well.
    let mut condition = store.watch();
    let well =
        tokio::time::timeout(Duration::from_secs(1), condition.wait_for(Condition::is_open)).await.is_ok();
    if well {
        tell(format!("{round}-last"), put(&store, format!("{round}-last"), "last".into()).await);
    }
    // What fails from here on concerns no write.
    std::process::exit(0);
}

async fn write(store: &Store, round: usize, writer: usize, writes: usize) {
    for n in 0..writes {
        let key = format!("{round}-{writer}-{n}");
        let (lazy, value) = (format!("lazy {key}"), "x".repeat(n % 7 * 100));
        store.later("a lazy value", move |t| {
            t.execute("INSERT OR REPLACE INTO meta VALUES (?1, '')", [&lazy]).map(|_| ())
        });
        tell(key.clone(), put(store, key, value).await);
    }
}

fn tell(key: String, outcome: Result<(), Trouble>) {
    match outcome {
        Ok(()) => println!("ok {key}"),
        Err(trouble) => println!("err {:?} {:?} {key}", trouble.cause(), trouble.outcome()),
    }
}
