//! Gradio: what a script sees of an app, simulated or real.

#[path = "gradio/asks.rs"]
mod asks;
#[path = "gradio/door.rs"]
mod door;
#[path = "gradio/narrow.rs"]
mod narrow;
#[path = "gradio/normal.rs"]
mod normal;
#[path = "gradio/real.rs"]
mod real;
#[path = "gradio/scenes.rs"]
mod scenes;
#[path = "gradio/script.rs"]
mod script;
#[path = "gradio/session.rs"]
mod session;

use backline::sim::gradio::{Options, SimGradio, Version};

use crate::golden;

/// User and password of the apps of the tests that ask for them.
pub const LOGIN: (&str, &str) = ("user", "pass");

/// Drives an app through every scene and returns what it did, with ids, times and paths made comparable.
pub async fn trace(base: &str, login: Option<(&str, &str)>) -> Vec<String> {
    let mut script = script::Script::new(base).await;
    if let Some(login) = login {
        door::knock(&mut script).await;
        door::enter(&mut script, login).await;
        return script.lines;
    }
    asks::routes(&mut script).await;
    asks::refusals(&mut script).await;
    asks::files(&mut script).await;
    scenes::endings(&mut script).await;
    scenes::generator(&mut script).await;
    scenes::state(&mut script).await;
    scenes::simple(&mut script).await;
    scenes::never_opened(&mut script).await;
    scenes::dropped(&mut script).await;
    scenes::cancelled(&mut script).await;
    scenes::full(&mut script).await;
    script.lines
}

fn golden_of(version: &str, login: bool) -> String {
    let door = if login { "-login" } else { "" };
    format!("gradio/trace-{version}{door}.txt")
}

async fn simulated(version: Version) {
    let sim = SimGradio::start(version, Options::default()).await.unwrap();
    golden::compare(&golden_of(version.as_str(), false), &trace(&sim.server().url(), None).await);
    session::check(&sim.server().url()).await;
    session::check_simple(&sim.server().url()).await;
    let login = Some((LOGIN.0.to_owned(), LOGIN.1.to_owned()));
    let locked = SimGradio::start(version, Options { login, ..Options::default() }).await.unwrap();
    golden::compare(&golden_of(version.as_str(), true), &trace(&locked.server().url(), Some(LOGIN)).await);
    session::check_login(&locked.server().url()).await;
}

async fn really(variable: &str, version: Version) {
    let Some(mut app) = real::start(variable, version, real::Door::Open).await else { return };
    golden::compare(&golden_of(version.as_str(), false), &trace(&app.url, None).await);
    session::check(&app.url).await;
    session::check_simple(&app.url).await;
    session::check_death(&mut app).await;
    let locked = real::start(variable, version, real::Door::Locked).await.expect("started a moment ago");
    golden::compare(&golden_of(version.as_str(), true), &trace(&locked.url, Some(LOGIN)).await);
    session::check_login(&locked.url).await;
}

#[tokio::test]
async fn the_simulated_4_44_1_does_what_the_real_one_did() {
    simulated(Version::V4_44_1).await;
}

#[tokio::test]
async fn the_simulated_5_29_0_does_what_the_real_one_did() {
    simulated(Version::V5_29_0).await;
}

#[tokio::test]
async fn the_simulated_6_31_0_does_what_the_real_one_did() {
    simulated(Version::V6_31_0).await;
}

#[tokio::test]
async fn the_real_4_44_1_still_does_what_was_recorded() {
    really("BACKLINE_REAL_GRADIO_4", Version::V4_44_1).await;
}

#[tokio::test]
async fn the_real_5_29_0_still_does_what_was_recorded() {
    really("BACKLINE_REAL_GRADIO_5", Version::V5_29_0).await;
}

#[tokio::test]
async fn the_real_6_31_0_still_does_what_was_recorded() {
    really("BACKLINE_REAL_GRADIO_6", Version::V6_31_0).await;
}

/// Writes the committed traces anew, from the real apps.
#[tokio::test]
#[ignore = "writes fixtures: run by hand with the real apps installed"]
async fn record() {
    let apps = [("4", Version::V4_44_1), ("5", Version::V5_29_0), ("6", Version::V6_31_0)];
    for (major, version) in apps {
        for (door, login) in [(real::Door::Open, None), (real::Door::Locked, Some(LOGIN))] {
            let variable = format!("BACKLINE_REAL_GRADIO_{major}");
            let app = real::start(&variable, version, door).await.expect("a real app");
            let mut text = trace(&app.url, login).await.join("\n");
            text.push('\n');
            std::fs::write(golden::path(&golden_of(version.as_str(), login.is_some())), text).unwrap();
        }
    }
}
