//! P21: another program, or another version, on the port of a backend is recognised and fed no jobs.

use std::time::Duration;

use backline::{
    config::Config,
    model::{BackendStatus, Code, JobState, Kind, Phase},
    registry::Compatibility,
    sim::{
        comfyui::{SimComfyui, Version},
        gradio::{Options, SimGradio, Version as GradioVersion},
    },
    supervisor::{Force, query::Registry},
};

use crate::world::{backend, done, supervise, until, workflow};

#[tokio::test]
async fn p21_another_program_on_the_port_is_recognised_and_fed_no_jobs() {
    let first = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let port = first.server().port();
    let supervisor = supervise(Config::new().backend(backend("comfyui", Kind::Comfyui, port))).await;
    done(&supervisor.run(workflow(1, 1)).await.unwrap()).await;
    drop(first);
    let stranger = loop {
        // The port is free a moment after its server went.
        if let Ok(sim) = SimGradio::start_on(port, GradioVersion::V6_31_0, Options::default()).await {
            break sim;
        }
        tokio::task::yield_now().await;
    };
    let status = until(&supervisor, "comfyui", |b| b.phase == Phase::Parked).await;
    assert_eq!(status.last_error.as_ref().unwrap().code, Code::WrongProgram, "{status:#?}");
    let job = supervisor.run(workflow(1, 2)).await.unwrap();
    supervisor.reconnect("comfyui", Force::No).await.unwrap();
    let again = |b: &BackendStatus| b.phase == Phase::Parked && b.last_attempt_at > status.last_attempt_at;
    until(&supervisor, "comfyui", again).await;
    assert_eq!(job.status().state, JobState::Queued);
    let fed: Vec<_> = stranger.server().seen().into_iter().filter(|seen| seen.method == "POST").collect();
    assert!(fed.is_empty(), "{fed:?}");
    drop(stranger);

    // Another version of the right program is taken for what it is.
    let second = loop {
        if let Ok(sim) = SimComfyui::start_on(port, Version::V0_3_64).await {
            break sim;
        }
        tokio::task::yield_now().await;
    };
    supervisor.reconnect("comfyui", Force::No).await.unwrap();
    until(&supervisor, "comfyui", |b| b.version.as_deref() == Some("0.3.64") && b.phase == Phase::Ready)
        .await;
    done(&job).await;
    let entry = supervisor.query(Registry).await.unwrap().backends.remove(0);
    assert_eq!((entry.version.as_deref(), entry.compatibility), (Some("0.3.64"), Compatibility::Tested));
    supervisor.shutdown(Duration::from_secs(5)).await;
    drop(second);
}
