//! LiteLLM: what a script sees of a server, simulated or real.

#[path = "litellm/normal.rs"]
mod normal;
#[path = "litellm/raw.rs"]
mod raw;
#[path = "litellm/real.rs"]
mod real;
#[path = "litellm/scenes.rs"]
mod scenes;
#[path = "litellm/session.rs"]
mod session;

use std::time::Duration;

use backline::sim::litellm::{Options, SimLitellm};

use crate::golden;

const GOLDEN: &str = "litellm/trace-1.106.2.txt";

/// Drives a server through every scene and returns what it did, with ids and times made comparable.
pub async fn trace(base: &str, key: &str) -> Vec<String> {
    let mut script = scenes::Script::new(base, key);
    script.health().await;
    script.listings().await;
    script.keys().await;
    script.mistakes().await;
    script.whole_answers().await;
    script.streams().await;
    script.embeddings().await;
    script.pictures().await;
    script.transcriptions().await;
    script.lines
}

#[tokio::test]
async fn the_simulated_1_106_2_does_what_the_real_one_did() {
    let quick = Options {
        patience: Duration::from_millis(200),
        pace: Duration::from_millis(1),
        ..Options::default()
    };
    let sim = SimLitellm::start(quick).await.unwrap();
    golden::compare(GOLDEN, &trace(&sim.url(), sim.key()).await);
}

#[tokio::test]
async fn the_real_server_still_does_what_was_recorded() {
    let Some(server) = real::start().await else { return };
    golden::compare(GOLDEN, &trace(&server.url, &server.key).await);
}

#[tokio::test]
async fn our_session_works_on_the_real_server() {
    let Some(server) = real::start().await else { return };
    session::check(server).await;
}

/// Writes the committed trace anew, from a running server that `BACKLINE_PARITY_URL` names.
#[tokio::test]
#[ignore = "writes a fixture: run by hand against a real server"]
async fn record() {
    let base = std::env::var("BACKLINE_PARITY_URL").expect("the address of a real server");
    let key = std::env::var("BACKLINE_PARITY_KEY").expect("its master key");
    let mut text = trace(&base, &key).await.join("\n");
    text.push('\n');
    std::fs::write(golden::path(GOLDEN), text).unwrap();
}
