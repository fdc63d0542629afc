//! Rows of the table of faults (`tests/jobs/matrix.txt`) that real servers can be made to play.

use std::{sync::Arc, time::Duration};

use backline::{
    Error, Supervisor, Wanted,
    config::{Config, Secret},
    jobs::{Job, JobHandle},
    model::{JobId, JobState, JobStatus, Kind, Phase},
    sim::proxy::{End, FaultProxy},
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    comfyui, gradio, litellm,
    server::Server,
    story::{backend, end},
    wan2gp,
};

const TABLE: &str = include_str!("../jobs/matrix.txt");
const LIMIT: Duration = Duration::from_secs(60);

/// A real server behind a proxy that cuts lines, and our own starts over one state directory.
struct Stand {
    kind: Kind,
    proxy: FaultProxy,
    key: Option<String>,
    home: TempDir,
}

impl Stand {
    async fn before(kind: Kind, port: u16) -> Self {
        let proxy = FaultProxy::before(port).await.unwrap();
        Self { kind, proxy, key: None, home: TempDir::new().unwrap() }
    }

    /// Over the server itself: only so is its death a refusal.
    async fn start(&self, port: u16) -> Supervisor {
        let real = backend("b", self.kind, port);
        let real = match &self.key {
            Some(key) => real.with_key(Secret::Inline(key.as_str().into())),
            None => real,
        };
        let state = self.home.path().join(format!("state-{port}"));
        let begun = tokio::time::Instant::now();
        loop {
            let config = Config::new().backend(real.clone());
            match Supervisor::builder().config(config).state_dir(&state).start().await {
                Ok(supervisor) => {
                    supervisor.ready(Wanted::All, LIMIT).await.unwrap();
                    return supervisor;
                }
                Err(Error::State(_)) if begun.elapsed() < LIMIT => {
                    // Nobody tells us when a lock is given back.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// The end is one that the table allows, after so many attempts, with its evidence and its files.
fn judge(kind: &str, fault: &str, status: &JobStatus, attempts: u32) {
    let mut rows = TABLE.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let row = rows.find(|row| row.len() == 6 && row[0] == kind && row[1] == fault);
    let row = row.unwrap_or_else(|| panic!("no row for {kind} {fault}"));
    assert!(row[2].split(',').any(|end| end == status.state.as_str()), "{kind} {fault}: {status:#?}");
    assert_eq!(status.attempts, attempts, "{kind} {fault}: {status:#?}");
    let last = status.timeline.last().unwrap();
    assert!(last.state == status.state && !last.evidence.is_empty(), "{kind} {fault}: {status:#?}");
    for output in &status.outputs {
        assert_eq!(std::fs::metadata(&output.url).unwrap().len(), output.bytes, "{kind} {fault}");
    }
    eprintln!("{kind} {fault}: {}", status.state);
}

async fn until(job: &JobHandle, fits: impl Fn(&JobStatus) -> bool) {
    let mut cell = job.watch();
    let met = tokio::time::timeout(LIMIT, cell.wait_for(|now| fits(now))).await;
    assert!(met.is_ok_and(|met| met.is_ok()), "it never became so: {:#?}", job.status());
}

async fn moving(job: &JobHandle) {
    until(job, |s| s.state == JobState::Running && s.progress.as_ref().is_some_and(|p| p.value >= 2.0)).await;
}

async fn submit(supervisor: &Supervisor, job: Job) -> JobHandle {
    supervisor.submit(job).await.unwrap().job
}

async fn end_of(supervisor: &Supervisor, id: JobId) -> Arc<JobStatus> {
    end(&supervisor.job(id).await.unwrap()).await
}

/// Kills the server and starts it again once that was seen.
async fn kill(server: &mut Server, supervisor: &Supervisor) {
    server.kill();
    let mut cell = supervisor.watch();
    let seen = cell.wait_for(|now| now.backend("b").is_some_and(|b| b.phase != Phase::Ready));
    tokio::time::timeout(LIMIT, seen).await.unwrap().unwrap();
    server.start().await;
}

fn picture(steps: u32, nonce: u32) -> Job {
    let graph = json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 64, "height": 48, "batch_size": 1, "color": nonce } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": steps, "delay": 0.1, "preview": false, "fail_at": -1, "nonce": nonce } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "matrix" } },
    });
    Job::workflow("b", graph)
}

/// Our marks in the server's temporary folder.
fn marks(server: &Server) -> Vec<String> {
    let files = std::fs::read_dir(server.home().join("temp")).into_iter().flatten().flatten();
    files
        .map(|file| file.file_name().into_string().unwrap())
        .filter(|name| name.starts_with("backline-"))
        .collect()
}

#[tokio::test]
async fn comfyui_plays_its_rows() {
    let Some(mut server) = comfyui::server().await else { return };
    let stand = Stand::before(Kind::Comfyui, server.port).await;
    let supervisor = stand.start(stand.proxy.port()).await;
    let job = submit(&supervisor, picture(20, 1)).await;
    moving(&job).await;
    stand.proxy.cut(End::Rst);
    judge("comfyui", "socket_cut", &*end(&job).await, 1);
    drop(supervisor);

    let first = stand.start(server.port).await;
    let running = submit(&first, picture(20, 2)).await;
    let waiting = submit(&first, picture(5, 3)).await;
    moving(&running).await;
    until(&waiting, |s| s.progress.as_ref().is_some_and(|p| p.message.is_some())).await;
    let (running, waiting) = (running.id(), waiting.id());
    drop(first);
    let second = stand.start(server.port).await;
    judge("comfyui", "we_die_running", &*end_of(&second, running).await, 1);
    judge("comfyui", "we_die_sent", &*end_of(&second, waiting).await, 1);

    let running = submit(&second, picture(40, 4)).await;
    let waiting = submit(&second, picture(5, 5)).await;
    moving(&running).await;
    until(&waiting, |s| s.progress.as_ref().is_some_and(|p| p.message.is_some())).await;
    let before = marks(&server);
    assert!(!before.is_empty(), "no mark of ours in its temporary folder");
    kill(&mut server, &second).await;
    judge("comfyui", "killed_mid_run", &*end(&running).await, 2);
    judge("comfyui", "killed_before", &*end(&waiting).await, 1);
    let after = marks(&server);
    assert!(!after.iter().any(|mark| before.contains(mark)), "it kept {before:?}: {after:?}");
}

fn call(function: &str, steps: u32) -> Job {
    match function {
        "function" => Job::call("b", "/generate", json!(["a cat", steps, null, "t2v"])),
        _ => Job::call("b", "/stream", json!(["a cat", steps])),
    }
}

#[tokio::test]
async fn gradio_6_plays_its_rows() {
    let Some(mut server) = gradio::server("BACKLINE_REAL_GRADIO_6", "") else { return };
    server.start().await;
    let stand = Stand::before(Kind::Gradio, server.port).await;
    let supervisor = stand.start(stand.proxy.port()).await;
    for kind in ["function", "generator"] {
        let job = submit(&supervisor, call(kind, 15)).await;
        until(&job, |s| s.state == JobState::Running && s.progress.is_some()).await;
        stand.proxy.cut(End::Rst);
        judge(kind, "socket_cut", &*end(&job).await, 1);
    }
    drop(supervisor);
    for kind in ["function", "generator"] {
        let first = stand.start(server.port).await;
        let job = submit(&first, call(kind, 15)).await;
        until(&job, |s| s.state == JobState::Running && s.progress.is_some()).await;
        let id = job.id();
        drop(first);
        let second = stand.start(server.port).await;
        judge(kind, "we_die_running", &*end_of(&second, id).await, 1);
        let done = end(&submit(&second, call(kind, 2)).await).await.id;
        drop(second);
        judge(kind, "we_die_ended", &*end_of(&stand.start(server.port).await, done).await, 1);
    }
    for (running, waiting) in [("function", "generator"), ("generator", "function")] {
        let supervisor = stand.start(server.port).await;
        let (one, other) = (submit(&supervisor, call(running, 25)).await, call(waiting, 3));
        until(&one, |s| s.state == JobState::Running && s.progress.is_some()).await;
        let other = submit(&supervisor, other).await;
        until(&other, |s| s.progress.as_ref().is_some_and(|p| p.message.is_some())).await;
        kill(&mut server, &supervisor).await;
        judge(running, "killed_mid_run", &*end(&one).await, 2);
        judge(waiting, "killed_before", &*end(&other).await, 1);
    }
}

#[tokio::test]
async fn litellm_plays_its_rows() {
    let key = format!("sk-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let Some((_stub, mut server)) = litellm::servers(&key).await else { return };
    let mut stand = Stand::before(Kind::Litellm, server.port).await;
    stand.key = Some(key);
    let ask = |model: &str| {
        Job::chat("b", json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] }))
    };
    // It says a few words, and hangs.
    let speaking = async |supervisor: &Supervisor| {
        let job = submit(supervisor, ask("midhang")).await;
        let mut words = job.deltas();
        tokio::time::timeout(LIMIT, futures_util::StreamExt::next(&mut words))
            .await
            .unwrap()
            .expect("a word");
        job
    };
    let supervisor = stand.start(stand.proxy.port()).await;
    let job = speaking(&supervisor).await;
    stand.proxy.cut(End::Rst);
    judge("chat", "socket_cut", &*end(&job).await, 1);
    drop(supervisor);
    let first = stand.start(server.port).await;
    let done = end(&submit(&first, ask("stub")).await).await.id;
    let id = speaking(&first).await.id();
    drop(first);
    let second = stand.start(server.port).await;
    judge("chat", "we_die_running", &*end_of(&second, id).await, 1);
    judge("chat", "we_die_ended", &*end_of(&second, done).await, 1);
    let job = speaking(&second).await;
    server.kill();
    judge("chat", "killed_mid_run", &*end(&job).await, 1);
}

#[tokio::test]
async fn wan2gps_mcp_server_plays_its_rows() {
    let Some(mut server) = wan2gp::server("0.3").await else { return };
    let stand = Stand::before(Kind::Wan2gp, server.port).await;
    let film = |steps: u32| {
        Job::generate("b", json!({ "model_type": "t2v", "prompt": "x", "num_inference_steps": steps }))
    };
    let supervisor = stand.start(stand.proxy.port()).await;
    let job = submit(&supervisor, film(6)).await;
    moving(&job).await;
    stand.proxy.cut(End::Rst);
    judge("wan2gp", "socket_cut", &*end(&job).await, 1);
    drop(supervisor);
    let first = stand.start(server.port).await;
    let job = submit(&first, film(8)).await;
    moving(&job).await;
    let id = job.id();
    drop(first);
    let second = stand.start(server.port).await;
    judge("wan2gp", "we_die_running", &*end_of(&second, id).await, 1);
    let id = submit(&second, film(15)).await;
    moving(&id).await;
    let id = id.id();
    drop(second);
    let third = stand.start(server.port).await;
    let job = third.job(id).await.unwrap();
    until(&job, |s| s.timeline.iter().any(|step| step.evidence.contains("under way again"))).await;
    kill(&mut server, &third).await;
    judge("wan2gp", "adopted_then_killed", &*end(&job).await, 2);
}
