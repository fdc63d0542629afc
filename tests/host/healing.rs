//! Jobs go on over cut sockets, dead servers and crashed actors, and run no more often than they must.

use std::time::Duration;

use backline::{
    NodeState,
    model::{Channel, Code, JobState, Kind, Phase},
    sim::{FaultProxy, proxy::End},
    supervisor::query::Tree,
};
use tokio::time::Instant;

use crate::world::{Servers, backend, end, in_the_middle, supervise, until, workflow};

#[tokio::test]
async fn a_socket_cut_in_the_middle_of_a_job_costs_nothing_and_sends_no_second_prompt() {
    for (turn, how) in [End::Fin, End::Rst].into_iter().enumerate() {
        let servers = Servers::start().await;
        let proxy = FaultProxy::before(servers.comfyui.server().port()).await.unwrap();
        let config = backline::config::Config::new().backend(backend("comfyui", Kind::Comfyui, proxy.port()));
        let supervisor = supervise(config).await;
        let epoch = supervisor.snapshot().backend("comfyui").unwrap().epoch;
        let job = in_the_middle(&supervisor, workflow(15, turn as u32)).await;
        let before = job.status().progress.clone().unwrap().value;
        proxy.cut(how);
        until(&supervisor, "comfyui", |b| b.phase == Phase::Ready && b.epoch > epoch).await;
        let mut cell = job.watch();
        let resumed = cell
            .wait_for(|s| s.progress.as_ref().is_some_and(|p| p.value > before) || s.state.is_end())
            .await;
        assert!(!resumed.unwrap().state.is_end(), "no progress was seen after the cut");
        let status = end(&job).await;
        assert_eq!((status.state, status.attempts), (JobState::Done, 1), "{:#?}", status.timeline);
        assert_eq!(servers.comfyui.all_executions(), 1, "it ran twice");
    }
}

#[tokio::test]
async fn p14_a_panic_in_the_middle_of_a_job_costs_one_restart_and_no_second_prompt() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let others = |id| supervisor.snapshot().backend(id).unwrap().epoch;
    let before = (others("gradio"), others("litellm"));
    let job = in_the_middle(&supervisor, workflow(10, 7)).await;
    let begun = Instant::now();
    supervisor.inject_panic("comfyui").unwrap();
    let healed = until(&supervisor, "comfyui", |b| b.phase == Phase::Ready && b.restarts == 1).await;
    assert!(begun.elapsed() <= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_ne!(healed.channel, Channel::None);
    let tree = supervisor.query(Tree).await.unwrap();
    let child = tree.child("backends/comfyui").unwrap();
    assert_eq!((child.restarts, child.state), (1, NodeState::Running));
    let status = end(&job).await;
    assert_eq!((status.state, status.attempts), (JobState::Done, 1), "{:#?}", status.timeline);
    assert_eq!(servers.comfyui.all_executions(), 1);
    assert_eq!(before, (others("gradio"), others("litellm")), "another backend was reconnected");
}

#[tokio::test]
async fn a_server_killed_in_the_middle_of_a_job_runs_it_again_once_and_says_so() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let job = in_the_middle(&supervisor, workflow(10, 8)).await;
    servers.comfyui.server().kill();
    let refused = |b: &backline::model::BackendStatus| {
        b.last_error.as_ref().is_some_and(|e| e.code == Code::ConnectionRefused && !e.fix.is_empty())
    };
    until(&supervisor, "comfyui", refused).await;
    servers.comfyui.server().restart().await.unwrap();
    let status = end(&job).await;
    assert_eq!((status.state, status.attempts), (JobState::Done, 2), "{:#?}", status.timeline);
    assert_eq!(servers.comfyui.all_executions(), 2);
    assert!(status.timeline.iter().any(|step| step.evidence.contains("died before it was finished")));
}

#[tokio::test]
async fn a_frozen_server_keeps_its_job_and_its_epoch() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let epoch = supervisor.snapshot().backend("comfyui").unwrap().epoch;
    let job = in_the_middle(&supervisor, workflow(10, 9)).await;
    servers.comfyui.server().freeze();
    until(&supervisor, "comfyui", |b| b.health == backline::model::Health::Unhealthy).await;
    servers.comfyui.server().thaw();
    let status = end(&job).await;
    assert_eq!((status.state, status.attempts), (JobState::Done, 1), "{:#?}", status.timeline);
    assert_eq!(supervisor.snapshot().backend("comfyui").unwrap().epoch, epoch);
}
