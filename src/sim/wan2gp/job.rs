//! The generations of the simulated server: one at a time, in a task that dies with the boot.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use bytes::Bytes;
use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};

use crate::sim::wan2gp::{Counts, Options, gallery::Gallery, models};

/// Events that are kept of a job.
const KEPT: usize = 500;

/// The generations of one boot.
pub(super) struct Jobs {
    options: Options,
    counts: Arc<Counts>,
    gallery: Arc<Gallery>,
    jobs: Mutex<IndexMap<String, Arc<Job>>>,
    tasks: Mutex<JoinSet<()>>,
}

/// One generation.
pub(super) struct Job {
    id: String,
    created: f64,
    state: Mutex<State>,
    cancel: watch::Sender<bool>,
    over: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    updated: f64,
    events: Vec<Value>,
    result: Option<Value>,
}

/// What a generation is asked for.
struct Asked {
    model: String,
    prompt: String,
    steps: u64,
    start: String,
}

impl Jobs {
    pub(super) fn new(options: Options, counts: Arc<Counts>, gallery: Arc<Gallery>) -> Self {
        Self { options, counts, gallery, jobs: Mutex::default(), tasks: Mutex::default() }
    }

    /// Begins one; `None` while another is under way.
    pub(super) fn begin(&self, source: &Value) -> Option<Arc<Job>> {
        let mut jobs = lock(&self.jobs);
        if jobs.values().any(|job| !*job.over.borrow()) {
            return None;
        }
        let job = Arc::new(Job {
            id: uuid::Uuid::new_v4().simple().to_string(),
            created: now(),
            state: Mutex::default(),
            cancel: watch::Sender::new(false),
            over: watch::Sender::new(false),
        });
        jobs.insert(job.id.clone(), job.clone());
        job.tell("started", json!({ "tasks": 1 }));
        self.counts.begun.fetch_add(1, Relaxed);
        let (work, counts, gallery) = (job.clone(), self.counts.clone(), self.gallery.clone());
        let (options, asked) = (self.options.clone(), Asked::of(source));
        lock(&self.tasks).spawn(async move { work.generate(asked, &options, &counts, &gallery).await });
        Some(job)
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Job>> {
        lock(&self.jobs).get(id.trim()).cloned()
    }

    pub(super) fn snapshot(&self, job: &Job, limit: usize) -> Value {
        let state = lock(&job.state);
        let mut result = state.result.clone();
        if let Some(result) = &mut result {
            let made = result["generated_files"].as_array().into_iter().flatten();
            let made: Vec<String> = made.filter_map(|p| p.as_str().map(str::to_owned)).collect();
            result["gallery_items"] = self.gallery.records(&made).into();
        }
        let events = &state.events[state.events.len().saturating_sub(limit.min(KEPT))..];
        json!({
            "job_id": job.id, "done": *job.over.borrow(), "cancel_requested": *job.cancel.borrow(),
            "webui_submission_ready": false, "webui_load_queue_token": "", "created_at": job.created,
            "updated_at": state.updated, "events": events, "result": result,
        })
    }
}

impl Asked {
    fn of(source: &Value) -> Self {
        let first = source.get("tasks").unwrap_or(source);
        let task = first.get(0).unwrap_or(first);
        let settings = task.get("params").or_else(|| task.get("settings")).unwrap_or(task);
        let text = |name: &str| settings[name].as_str().unwrap_or_default().to_owned();
        Self {
            model: text("model_type"),
            prompt: text("prompt"),
            steps: settings["num_inference_steps"].as_u64().unwrap_or(4).max(1),
            start: text("image_start"),
        }
    }
}

impl Job {
    pub(super) fn cancel(&self) {
        self.cancel.send_replace(true);
    }

    /// Returns once it is over.
    pub(super) async fn ended(&self) {
        // The sender lives as long as the job.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    async fn generate(&self, asked: Asked, options: &Options, counts: &Counts, gallery: &Gallery) {
        if asked.prompt.contains("invalid") {
            return self.fail("You must specify a valid resolution", "validation");
        }
        self.progress("loading_model", "Loading model", 10, None);
        let mut cancelled = self.cancel.subscribe();
        for step in 1..=asked.steps {
            let pause: Duration = options.step;
            tokio::select! {
                biased;
                _ = cancelled.wait_for(|asked| *asked) => {
                    return self.fail("Generation was cancelled", "cancelled");
                }
                () = tokio::time::sleep(pause) => {}
            }
            if step * 2 > asked.steps && asked.prompt.contains("oom") {
                return self.fail("CUDA out of memory. Tried to allocate 2.00 GiB.", "generation");
            }
            if step * 2 > asked.steps && asked.prompt.contains("fail") {
                return self.fail("The sampler broke", "generation");
            }
            let percent = (20 + 65 * step / asked.steps).min(90);
            self.progress("inference", "Prompt 1/1 | Denoising", percent, Some((step, asked.steps)));
        }
        let record = make(&asked, options, gallery);
        self.tell("output", Value::Null);
        self.end(true, json!([record["path"]]), json!([]));
        counts.finished.fetch_add(1, Relaxed);
    }

    fn progress(&self, phase: &str, status: &str, percent: u64, step: Option<(u64, u64)>) {
        let raw = if phase == "inference" { "Denoising" } else { status };
        let data = json!({
            "phase": phase, "status": status, "progress": percent, "current_step": step.map(|s| s.0),
            "total_steps": step.map(|s| s.1), "raw_phase": raw, "unit": null,
        });
        self.tell("progress", data);
    }

    fn fail(&self, message: &str, stage: &str) {
        let cancelled = stage == "cancelled";
        let error = json!({
            "message": message, "task_index": 1, "task_id": 1, "stage": stage, "cancelled": cancelled,
        });
        self.tell("error", error.clone());
        self.end(false, json!([]), json!([error]));
    }

    fn end(&self, success: bool, files: Value, errors: Value) {
        let cancelled = errors[0]["cancelled"].as_bool().unwrap_or(false);
        let result = json!({
            "success": success, "cancelled": cancelled, "generated_files": files, "errors": errors,
            "total_tasks": 1, "successful_tasks": u8::from(success), "failed_tasks": u8::from(!success),
            "artifacts": [],
        });
        self.tell("completed", result.clone());
        lock(&self.state).result = Some(result);
        self.over.send_replace(true);
    }

    fn tell(&self, kind: &str, data: Value) {
        let mut state = lock(&self.state);
        state.updated = now();
        let timestamp = state.updated;
        state.events.push(json!({ "kind": kind, "timestamp": timestamp, "data": data }));
        if state.events.len() > KEPT {
            state.events.remove(0);
        }
    }
}

/// A file of the model's kind, in the gallery.
fn make(asked: &Asked, options: &Options, gallery: &Gallery) -> Value {
    let output = models::find(&asked.model).map_or("video", |model| model.output);
    let (extension, bytes) = match output {
        "image" => ("png", crate::sim::png::encode(64, 64, [90, 80, 120])),
        "audio" => ("wav", sound()),
        _ => ("mp4", video(options.video)),
    };
    let name = format!("{}.{extension}", uuid::Uuid::new_v4().simple());
    let settings = json!({ "prompt": asked.prompt, "model_type": asked.model, "image_start": asked.start });
    gallery.add(&name, bytes, settings)
}

/// The beginning of an MP4, and noise.
fn video(length: usize) -> Bytes {
    let mut bytes = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom".to_vec();
    bytes.extend(std::iter::repeat_with(|| fastrand::u8(..)).take(length.saturating_sub(bytes.len())));
    bytes.into()
}

/// The header of a WAV without a sample.
fn sound() -> Bytes {
    let head = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00";
    let rest = b"\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00";
    [&head[..], &rest[..]].concat().into()
}

/// Seconds since 1970, as Python's `time.time()`.
fn now() -> f64 {
    let now = Timestamp::now();
    now.as_second() as f64 + f64::from(now.subsec_nanosecond()) / 1e9
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
