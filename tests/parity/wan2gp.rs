//! WanGP's MCP server: what a script sees of it, simulated or real.

#[path = "wan2gp/normal.rs"]
mod normal;
#[path = "wan2gp/real.rs"]
mod real;
#[path = "wan2gp/scenes.rs"]
mod scenes;

use std::time::Duration;

use backline::sim::wan2gp::{Options, SimWan2gp};

use crate::golden;

const GOLDEN: &str = "wan2gp/trace-12.60.txt";

/// Drives a server through every scene and returns what it did, with ids and times made comparable.
async fn trace(base: &str) -> Vec<String> {
    let mut script = scenes::Script::new(base);
    script.doors().await;
    script.protocol().await;
    script.models().await;
    script.generations().await;
    script.transfers().await;
    script.complaints().await;
    script.lines
}

#[tokio::test]
async fn the_simulated_server_does_what_the_real_one_did() {
    let sim = SimWan2gp::start(Options::default().step(Duration::from_millis(50))).await.unwrap();
    golden::compare(GOLDEN, &trace(&sim.url()).await);
}

#[tokio::test]
async fn the_real_server_still_does_what_was_recorded() {
    let Some(server) = real::start().await else { return };
    golden::compare(GOLDEN, &trace(&server.url).await);
}

/// Writes the committed trace anew, from a real server.
#[tokio::test]
#[ignore = "writes a fixture: run by hand where a real server is installed"]
async fn record() {
    let server = real::start().await.expect("a real server is installed");
    let mut text = trace(&server.url).await.join("\n");
    text.push('\n');
    std::fs::write(golden::path(GOLDEN), text).unwrap();
}
