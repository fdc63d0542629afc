//! Files that jobs take: what counts is what they were when the job was accepted.

use std::{path::Path, time::Duration};

use backline::{
    Error, Supervisor,
    jobs::{Job, Receipt},
    model::Code,
};
use serde_json::json;

use crate::world::{Servers, done};

async fn start(servers: &Servers, home: &Path) -> Supervisor {
    for _ in 0..200 {
        let builder = Supervisor::builder().config(servers.config()).state_dir(home.join("state"));
        match builder.start().await {
            Ok(supervisor) => return supervisor,
            Err(Error::State(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the state directory was never given back");
}

/// A picture, as the server is told to load and to save it.
fn picture(path: &Path) -> Job {
    let graph = json!({
        "1": { "class_type": "LoadImage", "inputs": { "image": { "$file": path } } },
        "2": { "class_type": "SaveImage", "inputs": { "images": ["1", 0], "filename_prefix": "x" } },
    });
    Job::workflow("comfyui", graph)
}

fn kept(home: &Path) -> usize {
    std::fs::read_dir(home.join("state/inputs")).unwrap().count()
}

#[tokio::test]
async fn an_original_that_goes_after_acceptance_is_not_missed_also_over_a_start() {
    let servers = Servers::start().await;
    let home = tempfile::tempdir().unwrap();
    let original = home.path().join("start.png");
    std::fs::write(&original, b"pixels").unwrap();
    servers.comfyui.server().kill();
    let first = start(&servers, home.path()).await;
    let id = first.submit(picture(&original)).await.unwrap().job.id();
    std::fs::remove_file(&original).unwrap();
    drop(first);
    let second = start(&servers, home.path()).await;
    servers.comfyui.server().restart().await.unwrap();
    let job = second.job(id).await.unwrap();
    let status = done(&job).await;
    assert_eq!((status.outputs.len(), status.outputs[0].media_type.as_str()), (1, "image/png"));
    assert_eq!(kept(home.path()), 1);
    second.erase_job(id).await.unwrap();
    assert_eq!(kept(home.path()), 0, "what no job takes any more lies about");
}

#[tokio::test]
async fn a_key_counts_what_is_in_a_file_and_not_what_it_is_called() {
    let servers = Servers::start().await;
    let home = tempfile::tempdir().unwrap();
    let original = home.path().join("start.png");
    let write = |bytes: &str| std::fs::write(&original, bytes).unwrap();
    write("one");
    let supervisor = start(&servers, home.path()).await;
    let ask = || supervisor.submit(picture(&original).key("monday"));
    let first = ask().await.unwrap();
    assert_eq!(ask().await.unwrap().receipt, Receipt::Known);
    write("two");
    let other = ask().await.unwrap_err();
    assert!(matches!(&other, Error::Fault(fault) if fault.code() == Code::KeyConflict), "{other}");
    done(&first.job).await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_at_once_with_its_place() {
    let servers = Servers::start().await;
    let home = tempfile::tempdir().unwrap();
    let supervisor = start(&servers, home.path()).await;
    let call = Job::call("gradio", "/generate", json!(["a lighthouse", 1, { "$file": home.path() }, "t2v"]));
    let error = supervisor.submit(call).await.unwrap_err();
    let Error::Fault(fault) = &error else { panic!("{error}") };
    assert!(fault.message().starts_with("`data[2]`: ") && fault.message().contains("a directory"), "{fault}");
    assert!(supervisor.jobs().is_empty());
}
