//! What a thousand idle backends cost: `cargo bench --bench idle`.
//!
//! The servers live in a child process, so that only ours is measured: resident memory a backend, actors, sockets and
//! all that is kept of it included, and the share of one core while nothing happens but pings and probes. Promised:
//! under 32 KiB each, and under 1 % of a core. How fast a core is differs: beside it stands what as many bare WebSockets
//! take that do nothing but ping as often.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark reports, and stops where it cannot"
)]

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    time::Duration,
};

use backline::{
    Supervisor, Wanted,
    config::{BackendConfig, Config},
    model::Kind,
    net::Address,
    sim::comfyui::{SimComfyui, Version},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    runtime::Builder,
    task::JoinSet,
    time::{Instant, interval_at},
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

const SERVE: &str = "--serve";
const COUNT: usize = 1_000;
const SETTLE: Duration = Duration::from_secs(15);
const WATCH: Duration = Duration::from_secs(30);

fn main() {
    if std::env::args().any(|argument| argument == SERVE) {
        return serve();
    }
    let (mut child, port) = server();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // What one costs that is alone is the process's, not the backend's.
        let first = start(1, port).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        first.shutdown(Duration::from_secs(1)).await;
        let before = resident();
        let supervisor = start(COUNT, port).await;
        tokio::time::sleep(SETTLE).await;
        let each = (resident().saturating_sub(before)) as f64 / COUNT as f64 / 1024.0;
        let (used, before) = (cpu(), supervisor.snapshot());
        tokio::time::sleep(WATCH).await;
        let share = (cpu() - used).as_secs_f64() / WATCH.as_secs_f64() * 100.0;
        let after = supervisor.snapshot();
        let verdict = |good: bool| if good { "under" } else { "OVER" };
        println!("{COUNT} idle simulated ComfyUI");
        println!("  memory   {each:>6.1} KiB each   {} 32 KiB", verdict(each < 32.0));
        println!("  cpu      {share:>6.2} % of a core   {} 1 %", verdict(share < 1.0));
        // Idle is where nothing happens: what a session that is lost costs is not measured here.
        let sessions = before.backends.iter().zip(&after.backends);
        let again = sessions.filter(|(before, after)| before.epoch != after.epoch).count();
        println!("  happened {:>6} events, {again} dials", after.revision - before.revision);
        supervisor.shutdown(Duration::from_secs(5)).await;
        let bare = bare(port).await;
        println!(
            "  bare     {bare:>6.2} % of a core   for WebSockets that only ping: {:.2} times",
            share / bare
        );
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What as many WebSockets take that ping every 5 s, by the same coarse clock, and read.
#[expect(clippy::disallowed_methods, reason = "what is compared has none of our limits")]
async fn bare(port: u16) -> f64 {
    let mut all = JoinSet::new();
    let origin = Instant::now();
    for number in 0..COUNT {
        let address = format!("ws://127.0.0.1:{port}/ws?clientId=bare{number}");
        let (mut socket, _) = connect_async(address).await.unwrap();
        all.spawn(async move {
            // Ten times in 5 s some of them are due.
            let first = origin + SETTLE + Duration::from_millis(500) * (number % 10) as u32;
            let mut clock = interval_at(first, Duration::from_secs(5));
            loop {
                tokio::select! {
                    _ = clock.tick() => {
                        socket.send(Message::Ping(Bytes::from_static(b"bare"))).await.unwrap();
                    }
                    heard = socket.next() => {
                        heard.unwrap().unwrap();
                    }
                }
            }
        });
    }
    tokio::time::sleep_until(origin + 2 * SETTLE).await;
    let used = cpu();
    tokio::time::sleep(WATCH).await;
    (cpu() - used).as_secs_f64() / WATCH.as_secs_f64() * 100.0
}

/// One simulated server, for as long as somebody reads.
fn serve() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = SimComfyui::start(Version::V0_24_0).await.unwrap();
        println!("{}", server.server().port());
        std::io::stdout().flush().unwrap();
        std::future::pending::<()>().await;
    });
}

fn server() -> (Child, u16) {
    let mut child =
        Command::new(std::env::current_exe().unwrap()).arg(SERVE).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

async fn start(count: usize, port: u16) -> Supervisor {
    let mut config = Config::new();
    for number in 0..count {
        let id = format!("c{number}").parse().unwrap();
        config = config.backend(BackendConfig::new(id, Kind::Comfyui, Address::loopback(port)));
    }
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    supervisor.ready(Wanted::All, Duration::from_secs(60)).await.unwrap();
    supervisor
}

/// Resident memory that this process has for itself, in bytes: pages of its executable are nobody's cost.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Time that this process was on a core.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
