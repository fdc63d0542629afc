//! What real traffic that fails shows of the server.

use std::{sync::Arc, time::Duration};

use backline::{
    backends::{Session as _, Setback, Sign},
    model::{Code, Kind},
};
use tokio::time::Instant;

use super::rig::{ask, attempt, dial, line, sim, stranger, target};
use crate::log::{Log, end};

#[tokio::test]
async fn a_server_killed_in_the_middle_is_seen_within_a_second() {
    let sim = sim().await;
    let mut line = line(&sim).await;
    let log = Arc::new(Log::default());
    let run = line.run(attempt(&ask("midhang")), &log);
    log.until_text("tok1").await;
    let killed = Instant::now();
    sim.kill();
    let Err(Setback::Uncertain(fault)) = end(run).await else { panic!("not uncertain") };
    assert_eq!(fault.code(), Code::Truncated);
    assert_eq!(log.text(), "tok0 tok1 ", "what came stays");
    let Some(Sign::Lost(fault)) = line.sign().await else { panic!("not lost") };
    assert_eq!(fault.code(), Code::ConnectionRefused);
    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
    assert_eq!(line.sign().await, None, "the channel ends");
}

#[tokio::test]
async fn one_refused_request_ends_the_session() {
    let sim = sim().await;
    let mut line = line(&sim).await;
    sim.kill();
    let Err(Setback::Unsent(_)) = line.chat(&ask("stub")).await.0 else { panic!("sent") };
    assert!(matches!(line.sign().await, Some(Sign::Lost(_))));
}

#[tokio::test]
async fn a_fault_of_one_chat_ends_no_session() {
    let sim = sim().await;
    let mut line = line(&sim).await;
    let log = Arc::new(Log::default());
    let run = line.run(attempt(&ask("midhang")), &log);
    log.until_text("tok1").await;
    sim.cut();
    let Err(Setback::Uncertain(_)) = end(run).await else { panic!("not uncertain") };
    // It was looked into: the server answers, and nothing is signed.
    let quiet = tokio::time::timeout(Duration::from_millis(300), line.sign()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    assert!(line.chat(&ask("stub")).await.0.is_ok());
}

#[tokio::test]
async fn a_stopped_server_is_silent_and_then_heard() {
    let sim = sim().await;
    let mut slow = target(&sim.url(), Kind::Litellm, Some(sim.key()));
    slow.timeouts.idle_stream = Duration::from_millis(300);
    let mut line = dial(slow).await.unwrap();
    let log = Arc::new(Log::default());
    let run = line.run(attempt(&ask("stub")), &log);
    log.until_text("tok0").await;
    sim.freeze();
    let Err(Setback::Uncertain(fault)) = end(run).await else { panic!("not uncertain") };
    assert_eq!(fault.code(), Code::RequestTimeout);
    let Some(Sign::Silent(fault)) = line.sign().await else { panic!("not silent") };
    assert_eq!(fault.code(), Code::RequestTimeout);
    sim.thaw();
    assert_eq!(line.sign().await, Some(Sign::Heard));
    assert!(line.session.ended().is_none());
}

#[tokio::test]
async fn another_program_on_the_port_fails_the_probe() {
    let sim = sim().await;
    let line = line(&sim).await;
    sim.trouble("/health", None, backline::sim::Act::Answer(http::StatusCode::OK, "\"ok\"".to_owned()));
    assert_eq!(line.session.probe().await.unwrap_err().code(), Code::WrongProgram);
}

#[tokio::test]
async fn a_model_that_is_added_is_told() {
    let added = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = added.clone();
    let server = stranger(move |path, _| {
        let listing = match now.load(std::sync::atomic::Ordering::Relaxed) {
            false => r#"{"object":"list","data":[{"id":"a"}]}"#,
            true => r#"{"object":"list","data":[{"id":"a"},{"id":"b-embed"}]}"#,
        };
        if path == "/v1/models" { (200, "application/json", listing) } else { (404, "text/plain", "") }
    });
    let server = server.await.unwrap();
    let mut line = dial(target(&server.url(), Kind::Openai, None)).await.unwrap();
    line.session.probe().await.unwrap();
    added.store(true, std::sync::atomic::Ordering::Relaxed);
    line.session.probe().await.unwrap();
    let Some(Sign::Identity(identity)) = line.sign().await else { panic!("not told") };
    assert_eq!(identity.models[..], ["a", "b-embed"]);
    assert_eq!(identity.capabilities.len(), 2);
}
