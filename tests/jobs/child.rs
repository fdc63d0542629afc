//! A process of its own that takes jobs and sees them through, and is killed.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use backline::{
    Supervisor,
    config::{BackendConfig, Config},
    jobs::Job,
    model::Kind,
    net::Address,
};
use serde_json::json;
use tokio::io::AsyncBufReadExt;

/// The process, and its lines.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    lines: mpsc::Receiver<String>,
}

impl Process {
    /// The binary of this test, as the program that takes jobs.
    pub(crate) fn start(directory: &Path, port: u16) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "child::child_that_takes_jobs"])
            .env("BACKLINE_JOBS_CHILD", directory)
            .env("BACKLINE_JOBS_PORT", port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (tell, lines) = mpsc::sync_channel(4_096);
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            // A test that has ended reads no more.
            output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        Self { input: child.stdin.take().unwrap(), child, lines }
    }

    pub(crate) fn say(&mut self, line: &str) {
        // One that was killed takes nothing.
        let _ = writeln!(self.input, "{line}");
    }

    /// The next line, within a minute.
    pub(crate) fn hear(&self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_secs(60)).ok()
    }

    /// Kills it, and answers what it had said before.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }
}

#[test]
#[ignore = "a child of other tests"]
fn child_that_takes_jobs() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve());
}

/// A short workflow: another number runs anew.
fn job(number: u32) -> Job {
    let graph = json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 1, "height": 1, "batch_size": 1, "color": number } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": 2, "delay": 0.01, "preview": false, "fail_at": -1, "nonce": number } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "kills" } },
    });
    Job::workflow("b", graph).key(format!("key-{number}"))
}

async fn serve() {
    let directory = std::env::var("BACKLINE_JOBS_CHILD").unwrap();
    let port = std::env::var("BACKLINE_JOBS_PORT").unwrap().parse().unwrap();
    let backend = BackendConfig::new("b".parse().unwrap(), Kind::Comfyui, Address::loopback(port));
    let config = Config::new().backend(backend);
    let supervisor = Supervisor::builder().config(config).state_dir(&directory).start().await.unwrap();
    println!("\nbegun");
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    let mut asked = tokio::task::JoinSet::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let Some((word, number)) = line.split_once(' ') else { continue };
        let number: u32 = number.parse().unwrap();
        let handle = supervisor.handle();
        let wait = word == "end";
        asked.spawn(async move {
            match handle.submit(job(number)).await {
                Ok(submitted) if wait => {
                    let status = submitted.job.outcome().await;
                    let (id, state) = (status.id, status.state);
                    println!("end {number} {id} {state} {} {}", status.attempts, status.outputs.len());
                }
                Ok(submitted) => println!("ok {number} {}", submitted.job.id()),
                Err(error) => println!("err {number} {error}"),
            }
        });
    }
    while asked.join_next().await.is_some() {}
    std::process::exit(0);
}
