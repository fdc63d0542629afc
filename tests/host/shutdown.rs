//! P13: a shutdown is orderly and in time, in every phase.

use std::time::Duration;

use backline::{
    Supervisor,
    config::Config,
    model::{JobState, Kind, Phase},
    supervisor::ShutdownReport,
};
use tokio::time::Instant;

use crate::world::{Servers, backend, chat, in_the_middle, stream, supervise, until, workflow};

#[tokio::test]
async fn p13_a_shutdown_waits_for_jobs_within_its_grace() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let job = in_the_middle(&supervisor, workflow(8, 1)).await;
    let report = supervisor.shutdown(Duration::from_secs(10)).await;
    assert!(report.clean && report.unfinished.is_empty(), "{report:?}");
    assert_eq!(job.status().state, JobState::Done);
}

/// Shuts down with a grace of half a second, and checks what is promised of every end.
async fn shut(supervisor: Supervisor, phase: &str) -> ShutdownReport {
    let handle = supervisor.handle();
    let begun = Instant::now();
    let report = supervisor.shutdown(Duration::from_millis(500)).await;
    assert!(begun.elapsed() <= Duration::from_secs(5), "{phase}: {:?}", begun.elapsed());
    assert!(report.clean && report.killed.is_empty(), "{phase}: {report:?}");
    for backend in &handle.snapshot().backends {
        assert_eq!(backend.phase, Phase::Closed, "{phase}: `{}`", backend.id);
    }
    let refused = handle.run(workflow(1, 1)).await;
    assert!(refused.is_err(), "{phase}: it took a job");
    report
}

#[tokio::test]
async fn p13_clean_shutdown_while_ready_and_idle() {
    let servers = Servers::start().await;
    let report = shut(supervise(servers.config()).await, "ready").await;
    assert!(report.unfinished.is_empty());
}

#[tokio::test]
async fn p13_clean_shutdown_with_jobs_under_way_names_them_and_leaves_comfyuis_running() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let render = in_the_middle(&supervisor, workflow(30, 1)).await;
    let call = supervisor.run(stream(100)).await.unwrap();
    let talk = supervisor.run(chat("hang")).await.unwrap();
    let report = shut(supervisor, "working").await;
    assert!(report.unfinished.contains(&render.id()) && report.unfinished.contains(&call.id()), "{report:?}");
    assert_eq!(report.left_running, [render.id()], "{report:?}");
    assert!(report.cut_off.contains(&call.id()), "{report:?}");
    for job in [&render, &call, &talk] {
        let state = job.status().state;
        assert!(matches!(state, JobState::Uncertain | JobState::Failed), "{state}: it looks as if it ran on");
    }
    // A second supervisor could follow it: the server has not been told to stop.
    assert_eq!(servers.comfyui.all_executions(), 1);
    let interrupts = servers.comfyui.server().seen();
    assert!(interrupts.iter().all(|seen| !seen.path.contains("interrupt")), "{interrupts:?}");
}

#[tokio::test]
async fn p13_clean_shutdown_while_dialing_a_server_that_says_nothing() {
    let servers = Servers::start().await;
    for server in [servers.comfyui.server(), servers.gradio.server(), &servers.litellm] {
        server.freeze();
    }
    let supervisor = Supervisor::builder().config(servers.config()).start().await.unwrap();
    for id in ["comfyui", "gradio", "litellm"] {
        until(&supervisor, id, |b| b.phase == Phase::Dialing).await;
    }
    shut(supervisor, "dialing").await;
}

#[tokio::test]
async fn p13_clean_shutdown_while_waiting_parked_and_paused() {
    let servers = Servers::start().await;
    // A ComfyUI where a LiteLLM is configured, a dead port, and one that a person stopped.
    servers.comfyui.server().kill();
    let config = Config::new()
        .backend(backend("waiting", Kind::Comfyui, servers.comfyui.server().port()))
        .backend(backend("parked", Kind::Comfyui, servers.litellm.port()))
        .backend(backend("paused", Kind::Gradio, servers.gradio.server().port()));
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    until(&supervisor, "waiting", |b| b.phase == Phase::Waiting).await;
    let parked = until(&supervisor, "parked", |b| b.phase == Phase::Parked).await;
    assert!(!parked.last_error.as_ref().unwrap().fix.is_empty());
    until(&supervisor, "paused", |b| b.phase == Phase::Ready).await;
    supervisor.pause_backend("paused").unwrap();
    until(&supervisor, "paused", |b| b.phase == Phase::Paused).await;
    shut(supervisor, "waiting, parked and paused").await;
}

#[tokio::test]
async fn p13_clean_shutdown_while_draining_and_while_frozen() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let _call = supervisor.run(stream(100)).await.unwrap();
    in_the_middle(&supervisor, workflow(100, 1)).await;
    supervisor.pause_backend("comfyui").unwrap();
    until(&supervisor, "comfyui", |b| b.phase == Phase::Draining).await;
    servers.gradio.server().freeze();
    servers.litellm.freeze();
    shut(supervisor, "draining and frozen").await;
}
