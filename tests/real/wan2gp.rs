//! WanGP's own MCP server over its own session API; only the generating is played, so it needs no card.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use backline::{
    jobs::Job,
    model::{Capability, Channel, Code, JobState, Kind, Phase},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    server::{Server, apps, installed},
    story::{Story, backend, end},
};

/// A server whose generations take this long a step.
pub(crate) async fn server(step: &'static str) -> Option<Server> {
    let checkout = installed("BACKLINE_WAN2GP_DIR", "a real WanGP")?;
    let python = installed("BACKLINE_WAN2GP_PYTHON", "a real WanGP")?;
    let mut server = Server::new(move |port, home| {
        let mut command = Command::new(&python);
        command.arg(apps().join("wan2gp_stub.py")).args([&checkout, &port.to_string()]);
        command.arg(home.join("outputs")).env("WAN2GP_STUB_STEP", step);
        command
    });
    server.start().await;
    Some(server)
}

fn ask(settings: Value) -> Job {
    Job::generate("wan2gp", settings)
}

/// What the server itself wrote of its generations: the first word of each line.
fn ledger(server: &Server) -> Vec<String> {
    let book = fs::read_to_string(server.home().join("outputs/ledger")).unwrap();
    book.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// The only file that the server made, as it lies there.
fn made(server: &Server, extension: &str) -> PathBuf {
    let files = fs::read_dir(server.home().join("outputs")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.extension().is_some_and(|e| e == extension));
    let file = files.next().unwrap();
    assert!(files.next().is_none(), "more than one {extension}");
    file
}

#[tokio::test]
async fn wan2gp_mcp() {
    let Some(mut server) = server("0.2").await else { return };
    let story = Story::begin(backend("wan2gp", Kind::Wan2gp, server.port), "wan2gp").await;
    let status = story.status();
    assert_eq!((status.kind, status.channel), (Kind::Wan2gp, Channel::Polling));
    let can = [Capability::ImageGenerate, Capability::VideoGenerate, Capability::AudioGenerate];
    assert_eq!(status.capabilities, can);
    story.until(Duration::from_secs(5), |b| b.models[..] == ["t2v", "i2v", "flux", "ace_step"]).await;

    // A file with its hash, and progress on the way.
    let home = tempfile::TempDir::new().unwrap();
    let job = ask(json!({ "model_type": "t2v", "prompt": "a cat", "num_inference_steps": 6 }));
    let job = story.supervisor.run(job.save_to(home.path())).await.unwrap();
    let mut cell = job.watch();
    let half = cell.wait_for(|now| now.progress.as_ref().is_some_and(|p| p.value >= 20.0 && p.value < 85.0));
    tokio::time::timeout(Duration::from_secs(20), half).await.unwrap().unwrap();
    let done = end(&job).await;
    assert_eq!(done.state, JobState::Done, "{done:#?}");
    let theirs = fs::read(made(&server, "mp4")).unwrap();
    let hash: String = Sha256::digest(&theirs).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(done.outputs[0].sha256, hash);
    assert_eq!(done.outputs[0].media_type, "video/mp4");
    assert_eq!(fs::read(home.path().join(&done.outputs[0].name)).unwrap(), theirs);

    // An upload, a refusal, a cancel.
    let picture = home.path().join("start.png");
    fs::write(&picture, one_pixel()).unwrap();
    let upload = json!({ "model_type": "i2v", "prompt": "x", "image_start": { "$file": picture } });
    let done = story.work(ask(upload)).await;
    assert_eq!(done.state, JobState::Done, "{done:#?}");
    assert!(done.result.as_ref().unwrap().get().contains("mcp_uploads"), "{done:#?}");
    let failed = story.work(ask(json!({ "model_type": "t2v", "prompt": "oom" }))).await;
    assert_eq!(failed.error.as_ref().unwrap().code(), Code::OutOfMemory, "{failed:#?}");
    let long = json!({ "model_type": "t2v", "prompt": "x", "num_inference_steps": 300 });
    let job = story.supervisor.run(ask(long)).await.unwrap();
    let mut cell = job.watch();
    let running = cell.wait_for(|now| now.state == JobState::Running);
    tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap();
    job.cancel();
    assert_eq!(end(&job).await.state, JobState::Cancelled);
    assert_eq!(ledger(&server).last().unwrap(), "cancelled");

    story.dies_and_comes_back(&mut server, Duration::from_secs(2), 1).await;
    story.hangs_and_comes_back(&server).await;
}

#[tokio::test]
async fn wan2gp_mcp_dies_with_a_job_and_the_job_runs_again() {
    let Some(mut server) = server("0.3").await else { return };
    let story = Story::begin(backend("wan2gp", Kind::Wan2gp, server.port), "wan2gp").await;
    let job = ask(json!({ "model_type": "flux", "prompt": "x", "num_inference_steps": 15 }));
    let job = story.supervisor.run(job).await.unwrap();
    let mut cell = job.watch();
    let far = cell.wait_for(|now| now.progress.as_ref().is_some_and(|p| p.value >= 25.0));
    tokio::time::timeout(Duration::from_secs(20), far).await.unwrap().unwrap();
    server.kill();
    story.until(Duration::from_secs(2), |b| b.phase != Phase::Ready).await;
    server.start().await;
    let done = end(&job).await;
    assert_eq!((done.state, done.attempts), (JobState::Done, 2), "{done:#?}");
    assert_eq!(ledger(&server), ["begun", "begun", "ended"]);
}

#[tokio::test]
async fn wan2gp_mcp_that_is_told_to_stop_stops_while_we_are_connected() {
    let Some(mut server) = server("0.05").await else { return };
    let story = Story::begin(backend("wan2gp", Kind::Wan2gp, server.port), "wan2gp").await;
    server.interrupt(Duration::from_secs(10)).await;
    story.until(Duration::from_secs(2), |b| b.phase != Phase::Ready).await;
}

/// The smallest picture.
fn one_pixel() -> Vec<u8> {
    let pixel = "89504e470d0a1a0a0000000d49484452000000010000000108000000003a\
                 7e9b550000000a49444154789c63a8070000810080d394534a0000000049454e44ae426082";
    let digits: Vec<u8> = pixel.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
