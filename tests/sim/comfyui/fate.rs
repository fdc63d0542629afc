//! Jobs whose line, server or answer is lost.

use std::{sync::Arc, time::Duration};

use backline::{
    backends::{Report, Setback, Sign, Start},
    model::{Channel, Code},
    sim::{Act, comfyui::Upgrades},
};

use super::rig::{attempt, connector, fault_of, sim, slow};
use crate::{
    line::Line,
    log::{Log, end, follow},
};

fn lost(sign: &Sign) -> bool {
    matches!(sign, Sign::Lost(_))
}

#[tokio::test]
async fn a_cut_line_in_the_middle_of_a_job_costs_nothing() {
    let sim = sim().await;
    let connector = connector(&sim);
    let line = Line::dial(&connector).await.unwrap();
    let job = attempt(&slow(40, 0.03, ""), Start::Fresh);
    let log = Arc::new(Log::default());
    let run = line.run(job.clone(), &log);
    log.until(|r| matches!(r, Report::Progress(p) if p.value >= 3.0)).await;
    sim.server().cut();
    line.until(lost).await;
    assert!(matches!(end(run).await, Err(Setback::Adrift(_))));

    let line = Line::dial(&connector).await.unwrap();
    let resumed = Arc::new(Log::default());
    let finished = end(line.run(follow(&job), &resumed)).await.unwrap();
    assert_eq!(finished.files.len(), 1);
    assert!(resumed.steps("WireSlow").len() > 5, "progress resumes: {:?}", resumed.all());
    assert_eq!(sim.executions(&job.remote), 1);
    let prompts = sim.server().seen().iter().filter(|s| s.path == "/prompt" && s.method == "POST").count();
    assert_eq!(prompts, 1);
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_nothing_is_sent_twice() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    // Only the answer is lost: the rule cuts the connection of this request alone.
    sim.server().trouble("/prompt", Some(1), Act::LoseAnswer);
    let job = attempt(&slow(2, 0.01, ""), Start::Fresh);
    let finished = end(line.run(job.clone(), &Arc::default())).await.unwrap();
    assert_eq!(finished.files.len(), 1);
    assert_eq!(sim.executions(&job.remote), 1);
    let sent = sim.server().seen().iter().filter(|s| s.path == "/prompt" && s.method == "POST").count();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_lost_request_is_sent_again_once_its_absence_is_proven() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    // A proxy that answers in the server's place: nobody can say whether the prompt arrived.
    sim.server().trouble(
        "/prompt",
        Some(1),
        Act::Answer(http::StatusCode::BAD_GATEWAY, "bad gateway".to_owned()),
    );
    let job = attempt(&slow(2, 0.01, ""), Start::Fresh);
    let begun = tokio::time::Instant::now();
    let finished = end(line.run(job.clone(), &Arc::default())).await.unwrap();
    assert_eq!(finished.files.len(), 1);
    assert!(begun.elapsed() >= Duration::from_secs(2), "absent twice, 2 s apart");
    assert_eq!(sim.executions(&job.remote), 1);
}

#[tokio::test]
async fn a_job_that_its_server_forgot_in_a_restart_is_gone() {
    let sim = sim().await;
    let connector = connector(&sim);
    let line = Line::dial(&connector).await.unwrap();
    let job = attempt(&slow(500, 0.05, ""), Start::Fresh);
    let log = Arc::new(Log::default());
    let run = line.run(job.clone(), &log);
    log.until(|r| matches!(r, Report::Progress(p) if p.value >= 1.0)).await;
    sim.server().kill();
    line.until(lost).await;
    assert!(matches!(end(run).await, Err(Setback::Adrift(_))));
    let Err(fault) = Line::dial(&connector).await else { panic!("nothing listens") };
    assert_eq!(fault.code(), Code::ConnectionRefused);

    sim.server().restart().await.unwrap();
    let line = Line::dial(&connector).await.unwrap();
    let setback = end(line.run(follow(&job), &Arc::default())).await.unwrap_err();
    let Setback::Gone { evidence, unfinished } = setback else { panic!("{setback:?}") };
    assert_eq!(evidence.code(), Code::Lost);
    assert!(unfinished, "it was watched up to the death of the server");
    assert_eq!(sim.executions(&job.remote), 1);
}

#[tokio::test]
async fn a_job_that_nobody_watched_to_the_death_may_have_finished() {
    let sim = sim().await;
    let connector = connector(&sim);
    let line = Line::dial(&connector).await.unwrap();
    let job = attempt(&slow(500, 0.05, ""), Start::Fresh);
    let log = Arc::new(Log::default());
    let run = line.run(job.clone(), &log);
    log.until_started().await;
    sim.server().cut();
    line.until(lost).await;
    assert!(matches!(end(run).await, Err(Setback::Adrift(_))));
    // The server outlived the cut: what it did until its death was not seen.
    drop(Line::dial(&connector).await.unwrap());
    sim.server().restart().await.unwrap();
    let line = Line::dial(&connector).await.unwrap();
    let setback = end(line.run(follow(&job), &Arc::default())).await.unwrap_err();
    assert!(matches!(setback, Setback::Gone { unfinished: false, .. }), "{setback:?}");
}

#[tokio::test]
async fn a_mute_socket_delays_a_result_and_is_found_out() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    sim.mute(true);
    let job = attempt(&slow(2, 0.01, ""), Start::Fresh);
    let finished = end(line.run(job.clone(), &Arc::default())).await.unwrap();
    assert_eq!(finished.files.len(), 1);
    line.until(|s| *s == Sign::Channel(Channel::Degraded)).await;
    assert_eq!(sim.executions(&job.remote), 1);
    // Still mute: the next socket gets no greeting, and jobs are polled for.
    let next = end(line.run(attempt(&slow(3, 0.01, ""), Start::Fresh), &Arc::default())).await;
    assert_eq!(next.unwrap().files.len(), 1);
}

#[tokio::test]
async fn a_deaf_socket_is_found_by_the_probe_and_replaced_under_another_id() {
    let sim = sim().await;
    let connector = connector(&sim);
    let line = Line::dial(&connector).await.unwrap();
    // Another socket takes our id and closes: the server forgets the id, and with it us.
    let path = sim.server().seen().into_iter().find(|s| s.path.starts_with("/ws")).unwrap().path;
    deafen(&sim.server().url(), &path).await;
    let job = attempt(&slow(200, 0.02, ""), Start::Fresh);
    let log = Arc::new(Log::default());
    let run = line.run(job.clone(), &log);
    log.until(|r| matches!(r, Report::Accepted { .. })).await;
    line.session.probe().await.unwrap();
    line.session.probe().await.unwrap();
    line.until(|s| *s == Sign::Channel(Channel::Degraded)).await;
    line.until(|s| *s == Sign::Channel(Channel::Live)).await;
    let sockets: Vec<_> = sim.server().seen().into_iter().filter(|s| s.path.starts_with("/ws")).collect();
    assert_ne!(sockets.first().unwrap().path, sockets.last().unwrap().path);
    line.session.cancel(job.remote).await.unwrap();
    assert!(matches!(end(run).await, Err(Setback::Cancelled)));
}

async fn deafen(url: &str, path: &str) {
    let url = format!("{}{path}", url.replace("http", "ws"));
    let tcp = tokio::net::TcpStream::connect(url.strip_prefix("ws://").unwrap().split('/').next().unwrap());
    let (mut socket, _) = tokio_tungstenite::client_async(url.as_str(), tcp.await.unwrap()).await.unwrap();
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = futures_util::StreamExt::next(&mut socket).await {}
}

#[tokio::test]
async fn without_upgrades_jobs_are_polled_for() {
    let sim = sim().await;
    sim.upgrades(Upgrades::Refused);
    let line = Line::dial(&connector(&sim)).await.unwrap();
    assert_eq!(line.channel, Channel::Polling);
    let log = Arc::new(Log::default());
    let job = attempt(&slow(30, 0.02, ""), Start::Fresh);
    let finished = end(line.run(job, &log)).await.unwrap();
    assert_eq!(finished.files.len(), 1);
    assert!(log.all().iter().any(|r| matches!(r, Report::Started)));
    sim.server().kill();
    line.until(lost).await;
}

#[tokio::test]
async fn a_server_that_stops_is_silent_and_heard_again() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    sim.server().freeze();
    line.until(|s| matches!(s, Sign::Silent(fault) if fault.code() == Code::Hang)).await;
    sim.server().thaw();
    line.until(|s| *s == Sign::Heard).await;
    assert!(line.session.ended().is_none());
}

#[tokio::test]
async fn a_job_deleted_by_somebody_else_is_cancelled() {
    let sim = sim().await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let blocker = attempt(&slow(1000, 0.05, ""), Start::Fresh);
    let first = Arc::new(Log::default());
    let _running = line.run(blocker, &first);
    first.until_started().await;
    let job = attempt(&slow(1, 0.0, r#","nonce":1"#), Start::Fresh);
    let log = Arc::new(Log::default());
    let run = line.run(job.clone(), &log);
    log.until(|r| matches!(r, Report::Waiting { position: Some(0) })).await;
    let delete = format!(r#"{{"delete":["{}"]}}"#, job.remote);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.post(format!("{}/queue", sim.server().url())).body(delete).send().await.unwrap();
    assert!(matches!(end(run).await, Err(Setback::Cancelled)));
    assert_eq!(sim.executions(&job.remote), 0);
}

#[tokio::test]
async fn the_end_of_a_session_ends_what_waits_on_it_at_once() {
    let sim = sim().await;
    let mut line = Line::dial(&connector(&sim)).await.unwrap();
    let log = Arc::new(Log::default());
    let run = line.run(attempt(&slow(500, 0.05, ""), Start::Fresh), &log);
    log.until_started().await;
    line.session.end(backline::model::Fault::new(Code::Paused, "paused by a person"));
    let setback = end(run).await.unwrap_err();
    assert!(matches!(&setback, Setback::Adrift(f) if f.code() == Code::Paused), "{setback:?}");
    line.until_closed().await;
    assert_eq!(line.session.probe().await.unwrap_err().code(), Code::Paused);
    assert_eq!(fault_of(setback).message(), "paused by a person");
}
