//! `backline run` is killed at random under a stream of submits over HTTP, each with its key.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use backline::sim::comfyui::{SimComfyui, Version};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinSet,
    time::Instant,
};

use crate::home::LIMIT;

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The instance, over a directory of its own.
struct Instance {
    child: Child,
    url: String,
    _drain: JoinSet<()>,
}

/// What a client knows: the job behind each key that was acknowledged.
struct Client {
    http: reqwest::Client,
    known: BTreeMap<u32, String>,
    asked: u32,
}

impl Instance {
    async fn start(directory: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backline"));
        command.args(["run", "--listen", "127.0.0.1:0"]).current_dir(directory).env_clear();
        for kept in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.env("HOME", directory).env("BACKLINE_STATE_DIR", directory.join("state"));
        command
            .env("BACKLINE_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let url = loop {
            let line = tokio::time::timeout(LIMIT, lines.next_line()).await.unwrap().unwrap();
            let Some(line) = line else { panic!("it ended before it listened: {said:?}") };
            if let Some(url) = line.strip_prefix("dashboard: ") {
                break url.split('#').next().unwrap().trim_end_matches('/').to_owned();
            }
            said.push(line);
        };
        // What it says further must not fill the pipe.
        let mut drain = JoinSet::new();
        drain.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, url, _drain: drain }
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// A short workflow: another number runs anew.
fn request(number: u32) -> Value {
    json!({ "target": "b", "workflow": {
        "1": { "class_type": "EmptyImage", "inputs": { "width": 1, "height": 1, "batch_size": 1, "color": number } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": 2, "delay": 0.01, "preview": false, "fail_at": -1, "nonce": number } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "served" } },
    }})
}

/// Submits; `None` where the instance was killed before it answered.
async fn submit(http: reqwest::Client, url: String, number: u32) -> Option<(u32, String)> {
    let post = http.post(format!("{url}/api/v1/jobs")).bearer_auth(TOKEN);
    let post = post.header("Idempotency-Key", format!("key-{number}")).json(&request(number));
    let answer = post.send().await.ok()?;
    let status = answer.status().as_u16();
    let text = answer.text().await.ok()?;
    assert!(matches!(status, 200 | 202), "key-{number}: {status}: {text}");
    let job: Value = serde_json::from_str(&text).unwrap();
    Some((number, job["id"].as_str().unwrap().to_owned()))
}

impl Client {
    /// A key stands for one job, whoever asks and whenever.
    fn learn(&mut self, number: u32, id: String) {
        let first = self.known.entry(number).or_insert_with(|| id.clone());
        assert_eq!(*first, id, "the key {number} stands for two jobs");
    }

    /// One life of the instance: a few submits, some of them repeated, and a kill somewhere among them.
    async fn round(&mut self, directory: &Path, dice: &mut fastrand::Rng) {
        let instance = Instance::start(directory).await;
        let mut submits = JoinSet::new();
        for _ in 0..dice.u32(1..4) {
            submits.spawn(submit(self.http.clone(), instance.url.clone(), self.asked));
            self.asked += 1;
            if dice.bool() {
                let again = dice.u32(0..self.asked);
                submits.spawn(submit(self.http.clone(), instance.url.clone(), again));
            }
        }
        // Somewhere between the submit, its commit, its sending, and its end.
        tokio::time::sleep(Duration::from_micros(dice.u64(0..80_000))).await;
        instance.kill().await;
        while let Some(told) = submits.join_next().await {
            if let Some((number, id)) = told.unwrap() {
                self.learn(number, id);
            }
        }
    }

    /// Repeats every key, and waits for the end of each job.
    async fn collect(&mut self, directory: &Path) {
        let instance = Instance::start(directory).await;
        for number in 0..self.asked {
            let told = submit(self.http.clone(), instance.url.clone(), number).await;
            let (number, id) = told.expect("it lives");
            self.learn(number, id);
        }
        for (number, id) in &self.known {
            let job = self.ended(&instance.url, id).await;
            assert_eq!((&job["state"], &job["attempts"]), (&json!("done"), &json!(1)), "{number}: {job:#}");
            assert_eq!(job["outputs"].as_array().unwrap().len(), 1, "{number}: {job:#}");
        }
        instance.kill().await;
    }

    async fn ended(&self, url: &str, id: &str) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            let get = self.http.get(format!("{url}/api/v1/jobs/{id}")).bearer_auth(TOKEN);
            let job: Value = get.send().await.unwrap().json().await.unwrap();
            let open = ["queued", "sent", "running", "fetching"];
            if !open.contains(&job["state"].as_str().unwrap_or_default()) {
                return job;
            }
            assert!(Instant::now() < deadline, "no end: {job:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn configured(port: u16) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(r#"(backends: {{ "b": (kind: comfyui, url: "http://127.0.0.1:{port}") }})"#);
    std::fs::write(directory.path().join("backline.ron"), text).unwrap();
    let path = directory.path().to_owned();
    (directory, path)
}

async fn play(kills: u32, time: Duration) {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let (_directory, path) = configured(sim.server().port());
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut client = Client { http, known: BTreeMap::new(), asked: 0 };
    let begun = Instant::now();
    let mut killed = 0;
    while killed < kills && begun.elapsed() < time {
        client.round(&path, &mut dice).await;
        killed += 1;
    }
    eprintln!("{killed} kills, {} keys, {} acknowledged before", client.asked, client.known.len());
    assert!(!client.known.is_empty(), "no submit was acknowledged");
    client.collect(&path).await;
    assert_eq!(sim.all_executions(), client.asked, "each key ran once");
}

#[tokio::test]
async fn every_202_ends_once_under_kills_of_the_instance() {
    play(u32::MAX, Duration::from_secs(25)).await;
}

#[tokio::test]
async fn slow_every_202_ends_once_under_five_hundred_kills_of_the_instance() {
    play(500, Duration::MAX).await;
}
