//! Jobs on the disk: what a start finds of an earlier run, and that nothing runs twice in silence.

use std::{path::Path, time::Duration};

use backline::{
    Error, Supervisor,
    jobs::{Job, Receipt},
    model::{Code, JobState},
};
use sha2::{Digest, Sha256};

use crate::world::{Servers, chat, done, end, in_the_middle, until, workflow};

/// A host with a state directory; ended by a drop it is as good as killed: nothing is waited for.
struct Home {
    servers: Servers,
    directory: tempfile::TempDir,
}

impl Home {
    async fn new() -> Self {
        Self { servers: Servers::start().await, directory: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> std::path::PathBuf {
        self.directory.path().join("state")
    }

    async fn start(&self) -> Supervisor {
        let builder = Supervisor::builder().config(self.servers.config()).state_dir(self.state());
        builder.start().await.unwrap()
    }

    /// Starts once the process before has given the state directory back.
    async fn again(&self) -> Supervisor {
        for _ in 0..200 {
            let builder = Supervisor::builder().config(self.servers.config()).state_dir(self.state());
            match builder.start().await {
                Ok(supervisor) => return supervisor,
                Err(Error::State(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the state directory was never given back");
    }
}

fn hash(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_running_job_is_taken_up_by_the_next_start_and_runs_once() {
    let home = Home::new().await;
    let first = home.start().await;
    let job = in_the_middle(&first, workflow(10, 1)).await;
    let id = job.id();
    drop(first);
    // It has no end in this process; who waits for one is not left waiting.
    assert_eq!(end(&job).await.state, JobState::Running);
    let second = home.again().await;
    let status = done(&second.job(id).await.unwrap()).await;
    assert_eq!((status.attempts, home.servers.comfyui.all_executions()), (1, 1), "{status:#?}");
    let output = &status.outputs[0];
    assert_eq!(hash(Path::new(&output.url)), output.sha256);
    assert!(Path::new(&output.url).starts_with(home.state()), "{}", output.url);
    assert!(status.timeline.iter().any(|step| step.evidence.contains("Backline was away")), "{status:#?}");
}

#[tokio::test]
async fn a_job_that_finished_while_nobody_watched_is_fetched() {
    let home = Home::new().await;
    let first = home.start().await;
    let id = in_the_middle(&first, workflow(5, 2)).await.id();
    drop(first);
    // The server's own count says when it is over.
    home.servers.comfyui.ended().wait_for(|ended| *ended == 1).await.unwrap();
    let second = home.again().await;
    let status = done(&second.job(id).await.unwrap()).await;
    assert_eq!((status.attempts, status.outputs.len()), (1, 1), "{status:#?}");
    assert_eq!(home.servers.comfyui.all_executions(), 1);
}

#[tokio::test]
async fn what_waits_for_a_backend_waits_on_over_a_start() {
    let home = Home::new().await;
    home.servers.comfyui.server().kill();
    let first = home.start().await;
    let id = first.submit(workflow(1, 3).priority(7)).await.unwrap().job.id();
    drop(first);
    let second = home.again().await;
    home.servers.comfyui.server().restart().await.unwrap();
    let status = done(&second.job(id).await.unwrap()).await;
    assert_eq!((status.attempts, home.servers.comfyui.all_executions()), (1, 1), "{status:#?}");
}

#[tokio::test]
async fn a_key_makes_one_job_of_many_requests_also_after_a_start() {
    let home = Home::new().await;
    let first = home.start().await;
    until(&first, "comfyui", |b| b.phase == backline::model::Phase::Ready).await;
    let ask = || first.submit(workflow(2, 4).key("monday"));
    let (one, two) = tokio::join!(ask(), ask());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.job.id(), two.job.id());
    assert_ne!(one.receipt, two.receipt, "one of them made it");
    done(&one.job).await;
    let other = first.submit(workflow(3, 4).key("monday")).await.unwrap_err();
    assert!(matches!(&other, Error::Fault(fault) if fault.code() == Code::KeyConflict), "{other}");
    drop(first);
    let second = home.again().await;
    let again = second.submit(workflow(2, 4).key("monday")).await.unwrap();
    assert_eq!((again.receipt, again.job.id()), (Receipt::Known, one.job.id()));
    assert_eq!(again.job.status().state, JobState::Done);
    assert_eq!(home.servers.comfyui.all_executions(), 1);
}

#[tokio::test]
async fn a_call_and_a_chat_whose_process_died_are_a_doubt_and_not_repeated() {
    let home = Home::new().await;
    let first = home.start().await;
    let call = in_the_middle(
        &first,
        Job::call("gradio", "/generate", serde_json::json!(["a lighthouse", 30, null, "t2v"])),
    )
    .await
    .id();
    let talk = first.submit(chat("hang")).await.unwrap().job;
    let mut cell = talk.watch();
    cell.wait_for(|now| now.attempts == 1).await.unwrap();
    drop(first);
    let second = home.again().await;
    for id in [call, talk.id()] {
        let status = end(&second.job(id).await.unwrap()).await;
        assert_eq!((status.state, status.attempts), (JobState::Uncertain, 1), "{status:#?}");
        assert!(status.error.is_some());
    }
    assert_eq!(home.servers.gradio.all_begun(), 1);
}

#[tokio::test]
async fn an_ended_job_runs_again_on_a_persons_word_and_can_be_erased() {
    let home = Home::new().await;
    let first = home.start().await;
    let job = in_the_middle(&first, workflow(30, 5)).await;
    assert!(matches!(first.erase_job(job.id()).await, Err(Error::Open { .. })));
    job.cancel();
    assert_eq!(end(&job).await.state, JobState::Cancelled);
    first.retry_job(job.id()).await.unwrap();
    let mut cell = job.watch();
    let moving = |s: &std::sync::Arc<backline::model::JobStatus>| s.state == JobState::Running;
    cell.wait_for(moving).await.unwrap();
    let status = done(&job).await;
    assert_eq!(status.attempts, 2, "{status:#?}");
    assert!(first.retry_job(job.id()).await.is_err(), "it is done");
    let file = std::path::PathBuf::from(&status.outputs[0].url);
    first.erase_job(job.id()).await.unwrap();
    assert!(!file.exists(), "its files are there");
    assert!(matches!(first.job(job.id()).await, Err(Error::UnknownJob { .. })));
}

#[tokio::test]
async fn a_job_that_waits_too_long_has_failed_and_never_ran() {
    let home = Home::new().await;
    home.servers.comfyui.server().kill();
    let supervisor = home.start().await;
    let job: Job = workflow(1, 6).time_to_live(Duration::from_millis(200));
    let status = end(&supervisor.submit(job).await.unwrap().job).await;
    assert_eq!(status.error.as_ref().unwrap().code(), Code::Expired);
    assert_eq!((status.state, status.attempts), (JobState::Failed, 0));
}
