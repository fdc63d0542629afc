//! Simulated servers and a supervisor over them.

use std::{sync::Arc, time::Duration};

use backline::{
    Snapshot, Supervisor,
    config::{BackendConfig, Config, Secret},
    jobs::{Job, JobHandle},
    model::{BackendId, BackendStatus, JobState, JobStatus, Kind},
    net::Address,
    sim::{
        comfyui::{SimComfyui, Version as ComfyuiVersion},
        gradio::{Options as GradioOptions, SimGradio, Version as GradioVersion},
        litellm::{Options as LitellmOptions, SimLitellm},
    },
};
use serde_json::json;

/// Longest wait for anything; far above what is needed, so that only a hang meets it.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Servers {
    pub(crate) comfyui: SimComfyui,
    pub(crate) gradio: SimGradio,
    pub(crate) litellm: SimLitellm,
}

impl Servers {
    pub(crate) async fn start() -> Self {
        Self::with(LitellmOptions::default()).await
    }

    pub(crate) async fn with(options: LitellmOptions) -> Self {
        Self {
            comfyui: SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap(),
            gradio: SimGradio::start(GradioVersion::V6_31_0, GradioOptions::default()).await.unwrap(),
            litellm: SimLitellm::start(options).await.unwrap(),
        }
    }

    pub(crate) fn config(&self) -> Config {
        let key = Secret::Inline(self.litellm.key().into());
        Config::new()
            .backend(backend("comfyui", Kind::Comfyui, self.comfyui.server().port()))
            .backend(backend("gradio", Kind::Gradio, self.gradio.server().port()))
            .backend(backend("litellm", Kind::Litellm, self.litellm.port()).with_key(key))
    }
}

pub(crate) fn backend(id: &str, kind: Kind, port: u16) -> BackendConfig {
    BackendConfig::new(BackendId::new(id).unwrap(), kind, Address::loopback(port))
}

pub(crate) async fn supervise(config: Config) -> Supervisor {
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    supervisor.ready(backline::Wanted::All, LIMIT).await.unwrap();
    supervisor
}

/// Waits until a backend is as `fits` says.
pub(crate) async fn until(
    supervisor: &Supervisor,
    id: &str,
    fits: impl Fn(&BackendStatus) -> bool,
) -> Arc<BackendStatus> {
    let mut cell = supervisor.watch();
    let met = |now: &Arc<Snapshot>| now.backend(id).is_some_and(|b| fits(b));
    let now = tokio::time::timeout(LIMIT, cell.wait_for(met)).await;
    let Ok(Ok(now)) = now else { panic!("`{id}` never became so: {:#?}", supervisor.snapshot().backend(id)) };
    now.backend(id).unwrap().clone()
}

/// A workflow of so many steps, 100 ms each.
pub(crate) fn workflow(steps: u32, nonce: u32) -> Job {
    let graph = json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 8, "height": 8, "batch_size": 1, "color": 1 } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": steps, "delay": 0.1, "preview": false, "fail_at": -1, "nonce": nonce } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "host" } },
    });
    Job::workflow("comfyui", graph)
}

/// Starts a job and waits until it has made a step.
pub(crate) async fn in_the_middle(supervisor: &Supervisor, job: Job) -> JobHandle {
    let handle = supervisor.run(job).await.unwrap();
    let mut cell = handle.watch();
    let moving = |s: &Arc<JobStatus>| {
        s.state == JobState::Running && s.progress.as_ref().is_some_and(|p| p.value >= 1.0)
    };
    let met = tokio::time::timeout(LIMIT, cell.wait_for(moving)).await.is_ok_and(|met| met.is_ok());
    assert!(met, "no progress: {:#?}", handle.status());
    handle
}

pub(crate) async fn end(handle: &JobHandle) -> Arc<JobStatus> {
    let ended = tokio::time::timeout(LIMIT, handle.outcome()).await;
    ended.unwrap_or_else(|_| panic!("no end: {:#?}", handle.status()))
}

/// The end of a job that went well.
pub(crate) async fn done(handle: &JobHandle) -> Arc<JobStatus> {
    let status = end(handle).await;
    assert_eq!(status.state, JobState::Done, "{status:#?}");
    status
}

pub(crate) fn chat(model: &str) -> Job {
    Job::chat("litellm", json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] }))
}

/// A call of so many steps, 200 ms each.
pub(crate) fn stream(steps: u32) -> Job {
    Job::call("gradio", "/stream", json!(["a lighthouse", steps]))
}
