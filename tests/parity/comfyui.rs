//! ComfyUI: what a script sees of a server, simulated or real.

#[path = "comfyui/asks.rs"]
mod asks;
#[path = "comfyui/normal.rs"]
mod normal;
#[path = "comfyui/real.rs"]
mod real;
#[path = "comfyui/scenes.rs"]
mod scenes;
#[path = "comfyui/script.rs"]
mod script;
#[path = "comfyui/session.rs"]
mod session;
#[path = "comfyui/socket.rs"]
mod socket;
#[path = "comfyui/typed.rs"]
mod typed;

use backline::sim::comfyui::{SimComfyui, Version};

use crate::golden;

/// Drives a server through every scene and returns what it did, with ids, times and numbers made comparable.
pub async fn trace(base: &str) -> Vec<String> {
    let mut script = script::Script::new(base);
    asks::routes(&mut script).await;
    asks::origins(&mut script).await;
    asks::refusals(&mut script).await;
    asks::uploads(&mut script).await;
    scenes::success_then_cached(&mut script).await;
    scenes::previews_without_flags(&mut script).await;
    scenes::failure(&mut script).await;
    scenes::partial(&mut script).await;
    scenes::same_id_thrice(&mut script).await;
    scenes::interrupt(&mut script).await;
    scenes::reconnect(&mut script).await;
    scenes::deaf(&mut script).await;
    scenes::no_client(&mut script).await;
    scenes::odd_messages(&mut script).await;
    script.lines
}

fn golden_of(version: &str) -> String {
    format!("comfyui/trace-{version}.txt")
}

#[tokio::test]
async fn the_simulated_0_3_64_does_what_the_real_one_did() {
    let sim = SimComfyui::start(Version::V0_3_64).await.unwrap();
    golden::compare(&golden_of("0.3.64"), &trace(&sim.server().url()).await);
    typed::check(&sim.server().url()).await;
}

#[tokio::test]
async fn the_simulated_0_24_0_does_what_the_real_one_did() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    golden::compare(&golden_of("0.24.0"), &trace(&sim.server().url()).await);
    typed::check(&sim.server().url()).await;
}

#[tokio::test]
async fn the_real_server_still_does_what_was_recorded() {
    let Some(server) = real::start().await else { return };
    if golden::path(&golden_of(&server.version)).exists() {
        golden::compare(&golden_of(&server.version), &trace(&server.url).await);
    } else {
        golden::skip(&format!("no trace of ComfyUI {} is committed", server.version));
    }
}

#[tokio::test]
async fn our_session_works_on_the_real_server() {
    let Some(server) = real::start().await else { return };
    typed::check(&server.url).await;
    session::check(server).await;
}

/// Writes the committed trace anew, from a running server that `BACKLINE_PARITY_URL` names.
#[tokio::test]
#[ignore = "writes a fixture: run by hand against a real server"]
async fn record() {
    let base = std::env::var("BACKLINE_PARITY_URL").expect("the address of a real server");
    let version = real::version(&base).await.expect("a ComfyUI answers there");
    let mut text = trace(&base).await.join("\n");
    text.push('\n');
    std::fs::write(golden::path(&golden_of(&version)), text).unwrap();
}
