//! How long it takes to load a configuration and to start: `cargo bench`.
//!
//! Each figure is a median, beside that of a peer in the same run, so that a slow machine shows as one. Promised of a
//! release build: a configuration loads in under 10 ms, a start without network takes under 50 ms.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports, and stops where it cannot"
)]
#![expect(clippy::disallowed_types, reason = "the time of the wall is what is measured")]

use std::{
    fmt::Write as _,
    hint::black_box,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use backline::config::Loader;

fn main() -> ExitCode {
    let directory = tempfile::tempdir().unwrap();
    let many = directory.path().join("many.ron");
    std::fs::write(&many, backends(200)).unwrap();
    let quiet = directory.path().join("quiet.ron");
    std::fs::write(&quiet, "(version: 1, discovery: (adopt: never))").unwrap();
    let studio = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/studio.ron");
    let good = [
        compare("studio.ron loads", 500, Duration::from_millis(10), || load(&studio), || parse(&studio)),
        compare("200 backends load", 50, Duration::from_millis(10), || load(&many), || parse(&many)),
        compare(
            "the binary starts",
            20,
            Duration::from_millis(50),
            || start(directory.path(), &quiet),
            || bare(directory.path()),
        ),
    ];
    ExitCode::from(u8::from(good.contains(&false)))
}

/// Measures by turns, so that both meet the same weather; prints a line; false where the limit is passed.
fn compare(
    name: &str,
    turns: usize,
    limit: Duration,
    ours: impl Fn() -> Duration,
    peer: impl Fn() -> Duration,
) -> bool {
    let _warm = (ours(), peer());
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        our_times.push(ours());
        peer_times.push(peer());
    }
    let (ours, peer) = (median(our_times), median(peer_times));
    let ratio = ours.as_secs_f64() / peer.as_secs_f64();
    let verdict = if ours < limit { "under" } else { "OVER" };
    println!("{name:<20} {ours:>10.2?}   peer {peer:>10.2?}   ratio {ratio:>6.1}   {verdict} {limit:?}");
    ours < limit
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    black_box(work());
    begun.elapsed()
}

/// Every layer, checks and all.
fn load(file: &Path) -> Duration {
    const SECRETS: [&str; 7] = [
        "LITELLM_MASTER_KEY",
        "RENDER_TOKEN",
        "STUDIO_GATEWAY_TOKEN",
        "FACES_PASSWORD",
        "STUDIO_BACKLINE_TOKEN",
        "STUDIO_BACKLINE_READER",
        "STUDIO_HOOK_TOKEN",
    ];
    let variables: Vec<_> = SECRETS.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
    timed(|| Loader::new().env(variables).file(file).load().unwrap())
}

/// The peer: the same bytes as an untyped document.
fn parse(file: &Path) -> Duration {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    timed(|| options.from_str::<ron::Value>(&std::fs::read_to_string(file).unwrap()).unwrap())
}

/// From the process's start until its API is served: configuration, state, tree, dashboard.
fn start(directory: &Path, config: &Path) -> Duration {
    let begun = Instant::now();
    let mut child = binary(directory)
        .args(["--quiet", "--config", config.to_str().unwrap(), "run", "--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines();
    let served = said.map_while(Result::ok).any(|line| line.starts_with("dashboard: "));
    let took = begun.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(served, "it ended before it served anything");
    took
}

/// The peer: the same binary, when there is nothing to do.
fn bare(directory: &Path) -> Duration {
    timed(|| binary(directory).arg("--version").stdout(Stdio::null()).status().unwrap())
}

fn binary(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backline"));
    command.env_clear().env("HOME", directory).env("BACKLINE_STATE_DIR", directory.join("state"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn backends(count: usize) -> String {
    let mut text = "(version: 1, backends: {\n".to_owned();
    for n in 0..count {
        let port = 10_000 + n;
        writeln!(text, r#"    "b{n}": (kind: comfyui, url: "http://127.0.0.1:{port}", probe: (rise: 2)),"#)
            .unwrap();
    }
    text.push_str("})\n");
    text
}
