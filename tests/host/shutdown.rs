//! P13: a shutdown is orderly and in time, in every phase.

use std::time::Duration;

use backline::model::JobState;
use tokio::time::Instant;

use crate::world::{Servers, end, in_the_middle, supervise, workflow};

#[tokio::test]
async fn p13_a_shutdown_waits_for_jobs_within_its_grace() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let job = in_the_middle(&supervisor, workflow(8, 1)).await;
    let report = supervisor.shutdown(Duration::from_secs(10)).await;
    assert!(report.clean && report.unfinished.is_empty(), "{report:?}");
    assert_eq!(job.status().state, JobState::Done);
}

#[tokio::test]
async fn p13_a_job_that_outlasts_the_grace_is_named_and_goes_on_at_its_backend() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    let job = in_the_middle(&supervisor, workflow(40, 2)).await;
    let begun = Instant::now();
    let report = supervisor.shutdown(Duration::from_millis(500)).await;
    assert!(begun.elapsed() <= Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(report.clean, "{report:?}");
    assert_eq!(report.unfinished, [job.id()]);
    assert_eq!(end(&job).await.state, JobState::Uncertain);
    // It was not cancelled: nobody asked for that.
    let cancels = servers.comfyui.server().seen().iter().filter(|s| s.path.starts_with("/interrupt")).count();
    assert_eq!(cancels, 0);
}

#[tokio::test]
async fn p13_with_every_server_frozen_it_is_still_in_time() {
    let servers = Servers::start().await;
    let supervisor = supervise(servers.config()).await;
    servers.comfyui.server().freeze();
    servers.gradio.server().freeze();
    servers.litellm.freeze();
    let begun = Instant::now();
    supervisor.shutdown(Duration::from_secs(1)).await;
    assert!(begun.elapsed() <= Duration::from_secs(5), "{:?}", begun.elapsed());
}
