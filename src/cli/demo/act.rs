//! What is played: connect, work, kill, heal, crash, heal.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use serde_json::json;

use super::{stage::Stage, story::Story};
use crate::{
    Wanted,
    jobs::{Job, JobHandle},
    model::{BackendStatus, Code, JobState, JobStatus, Phase, Snapshot},
};

/// Longest step.
const STEP: Duration = Duration::from_secs(20);

pub(super) async fn play(stage: &Stage, story: &mut Story) {
    let connected = stage.supervisor.ready(Wanted::All, STEP).await;
    let outcome = connected.map(|()| shown(&stage.supervisor.snapshot())).map_err(|e| e.to_string());
    let connected = outcome.is_ok();
    story.tell("three backends are found and connected", outcome);
    if !connected {
        return;
    }
    for (name, id) in [
        ("ComfyUI renders a workflow", "comfyui"),
        ("Wan2GP runs a function", "wan2gp"),
        ("LiteLLM streams an answer", "litellm"),
    ] {
        let outcome = work(stage, story, job_for(id)).await;
        story.tell(name, outcome);
    }
    let outcome = killed(stage, story).await;
    story.tell("ComfyUI is killed in the middle of a job, comes back, and the job is done", outcome);
    let outcome = crashed(stage, story).await;
    story.tell(
        "a connection's actor panics in the middle of a job; the tree restarts it, and the job is done",
        outcome,
    );
    let snapshot = stage.supervisor.snapshot();
    let calm = snapshot.backends.iter().all(|b| b.phase == Phase::Ready);
    story.tell(
        "in the end everything is well",
        if calm { Ok(shown(&snapshot)) } else { Err(shown(&snapshot)) },
    );
}

async fn work(stage: &Stage, story: &Story, job: Job) -> Result<String, String> {
    let handle = stage.supervisor.run(job).await.map_err(|e| e.to_string())?;
    let end = watched(story, &handle).await?;
    let what = match (&end.result, end.outputs.len()) {
        (Some(result), _) => crate::model::fault::clean(result.get(), 120),
        (None, files) => format!("{files} files"),
    };
    if end.state == JobState::Done { Ok(what) } else { Err(story_of(&end)) }
}

/// Shows a job's progress until its end.
async fn watched(story: &Story, handle: &JobHandle) -> Result<Arc<JobStatus>, String> {
    let (mut progress, mut deltas) = (handle.progress(), handle.deltas());
    let mut text = String::new();
    let show = async {
        loop {
            tokio::select! {
                Some(more) = deltas.next() => {
                    text.push_str(&more);
                    // A line now and then, not one for each token.
                    if text.len() > 60 {
                        story.murmur(&format!("text: {}", std::mem::take(&mut text)));
                    }
                }
                Some(now) = progress.next() => {
                    let node = now.node.or(now.message).unwrap_or_default();
                    let max = now.max.map(|m| format!(" of {m}")).unwrap_or_default();
                    story.murmur(&format!("{}{max} {node}", now.value));
                }
                else => return,
            }
        }
    };
    match tokio::time::timeout(STEP, show).await {
        Ok(()) => Ok(handle.outcome().await),
        Err(_) => Err(format!("no end within {STEP:?}: {}", story_of(&handle.status()))),
    }
}

async fn killed(stage: &Stage, story: &Story) -> Result<String, String> {
    let handle = in_the_middle(stage, workflow(2)).await?;
    stage.cast.comfyui.server().kill();
    let down = until(stage, "comfyui", |b| b.phase != Phase::Ready).await?;
    let cause = |b: &BackendStatus| b.last_error.as_ref().map_or_else(String::new, |e| e.message.clone());
    story.murmur(&format!("ComfyUI is {}: {}", down.phase, cause(&down)));
    // A real server takes its time to start: that nothing listens meanwhile is the proof that the old one is dead.
    let refused =
        |b: &BackendStatus| b.last_error.as_ref().is_some_and(|e| e.code == Code::ConnectionRefused);
    let down = until(stage, "comfyui", refused).await?;
    story.murmur(&format!("ComfyUI is {}: {}", down.phase, cause(&down)));
    stage.cast.comfyui.server().restart().await.map_err(|e| format!("it could not be started again: {e}"))?;
    until(stage, "comfyui", |b| b.phase == Phase::Ready).await?;
    story.murmur("ComfyUI is ready again, by itself");
    let end = watched(story, &handle).await?;
    match (end.state, end.attempts) {
        (JobState::Done, 2) => Ok(format!("its queue was lost with the server; {}", story_of(&end))),
        _ => Err(story_of(&end)),
    }
}

async fn crashed(stage: &Stage, story: &Story) -> Result<String, String> {
    let others = epochs(&stage.supervisor.snapshot());
    let handle = in_the_middle(stage, workflow(3)).await?;
    let before = stage.cast.comfyui.all_executions();
    stage.supervisor.inject_panic("comfyui").map_err(|e| e.to_string())?;
    let healed = until(stage, "comfyui", |b| b.phase == Phase::Ready && b.restarts > 0).await?;
    story.murmur(&format!("its actor was restarted, {} in all", healed.restarts));
    let end = watched(story, &handle).await?;
    let again = stage.cast.comfyui.all_executions() - before;
    let untouched = others == epochs(&stage.supervisor.snapshot());
    match (end.state, again, untouched) {
        (JobState::Done, 0, true) => {
            Ok(format!("run once; the other connections noticed nothing; {}", story_of(&end)))
        }
        (JobState::Done, 0, false) => Err("another backend was reconnected, too".to_owned()),
        _ => Err(format!("{again} more executions; {}", story_of(&end))),
    }
}

/// Starts a job and waits until it has made progress.
async fn in_the_middle(stage: &Stage, job: Job) -> Result<JobHandle, String> {
    let handle = stage.supervisor.run(job).await.map_err(|e| e.to_string())?;
    let mut cell = handle.watch();
    let moving = |s: &Arc<JobStatus>| {
        s.state == JobState::Running && s.progress.as_ref().is_some_and(|p| p.value >= 1.0)
    };
    let met = tokio::time::timeout(STEP, cell.wait_for(moving)).await.map(|met| met.is_ok());
    if met == Ok(true) { Ok(handle) } else { Err(format!("no progress: {}", story_of(&handle.status()))) }
}

async fn until(
    stage: &Stage,
    id: &str,
    fits: impl Fn(&BackendStatus) -> bool,
) -> Result<Arc<BackendStatus>, String> {
    let mut cell = stage.supervisor.watch();
    let fits = |now: &Arc<Snapshot>| now.backend(id).is_some_and(|b| fits(b));
    match tokio::time::timeout(STEP, cell.wait_for(fits)).await {
        Ok(Ok(now)) => now.backend(id).cloned().ok_or_else(|| format!("`{id}` is gone")),
        _ => Err(format!("`{id}` did not change: {}", shown(&stage.supervisor.snapshot()))),
    }
}

/// A job that shows what this backend can do.
pub(super) fn job_for(id: &str) -> Job {
    match id {
        "wan2gp" => Job::call("wan2gp", "/generate_video", json!(["a lighthouse", 4, null, "t2v"])),
        "litellm" => {
            let messages = json!([{ "role": "user", "content": "Hello" }]);
            Job::chat("litellm", json!({ "model": "mock", "messages": messages }))
        }
        _ => workflow(fastrand::u32(10..2_000_000_000)),
    }
}

/// Eight slow steps with previews; the nonce keeps ComfyUI from serving it from its cache.
fn workflow(nonce: u32) -> Job {
    let graph = json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 64, "height": 48, "batch_size": 1, "color": 255 } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": 8, "delay": 0.25, "preview": true, "fail_at": -1, "nonce": nonce } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "demo" } },
    });
    Job::workflow("comfyui", graph)
}

fn epochs(snapshot: &Snapshot) -> Vec<(String, u64)> {
    let others = snapshot.backends.iter().filter(|b| b.id.as_str() != "comfyui");
    others.map(|b| (b.id.to_string(), b.epoch)).collect()
}

fn shown(snapshot: &Snapshot) -> String {
    let each = snapshot.backends.iter().map(|b| {
        format!("{} {} {}", b.kind.title(), b.version.as_deref().unwrap_or("of unknown version"), b.phase)
    });
    each.collect::<Vec<_>>().join(", ")
}

fn story_of(status: &JobStatus) -> String {
    let steps: Vec<_> =
        status.timeline.iter().map(|step| format!("{} ({})", step.state, step.evidence)).collect();
    format!("{} attempts: {}", status.attempts, steps.join(" -> "))
}
