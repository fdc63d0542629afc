//! LiteLLM, over a stub that answers as a provider would.

use std::{path::PathBuf, process::Command, time::Duration};

use backline::{
    config::Secret,
    jobs::Job,
    model::{Code, JobState, Kind, Phase},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    server::{Server, apps, installed},
    story::{Story, backend},
};

pub(crate) async fn servers(key: &str) -> Option<(Server, Server)> {
    let python = PathBuf::from(installed("BACKLINE_REAL_LITELLM", "a real LiteLLM")?);
    let stubs_python = python.clone();
    let mut stub = Server::new(move |port, _| {
        let mut command = Command::new(&stubs_python);
        command.arg(apps().join("openai_stub.py")).arg(port.to_string());
        command
    });
    stub.start().await;
    let (upstream, key) = (format!("http://127.0.0.1:{}/v1", stub.port), key.to_owned());
    let mut server = Server::new(move |port, home| {
        let mut command = Command::new(python.with_file_name("litellm"));
        command.arg("--config").arg(apps().join("litellm.yaml")).args(["--host", "127.0.0.1"]);
        command.args(["--port", &port.to_string()]).current_dir(home).env("LITELLM_MASTER_KEY", &key);
        command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("OPENAI_STUB", &upstream);
        command
    });
    server.start().await;
    Some((stub, server))
}

fn ask(model: &str) -> Job {
    Job::chat("litellm", json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] }))
}

/// A picture as a file under our name with its hash, both ways that it comes, and sound as text.
async fn pictures_and_sound(story: &Story) {
    let home = tempfile::TempDir::new().unwrap();
    for format in ["b64_json", "url"] {
        let body = json!({ "prompt": "a dot", "response_format": format });
        let job = story.work(Job::image("litellm", body).save_to(home.path())).await;
        assert_eq!(job.state, JobState::Done, "{format}: {job:#?}");
        assert_eq!((job.outputs.len(), job.outputs[0].media_type.as_str()), (1, "image/png"), "{job:#?}");
        let bytes = std::fs::read(home.path().join(&job.outputs[0].name)).unwrap();
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(job.outputs[0].sha256, hash);
    }
    let sound = home.path().join("speech.wav");
    std::fs::write(&sound, vec![7; 300_000]).unwrap();
    let job = story.work(Job::transcribe("litellm", json!({ "file": { "$file": sound } }))).await;
    assert_eq!(job.state, JobState::Done, "{job:#?}");
    assert!(job.result.as_ref().unwrap().get().contains("hello audio of 300000 bytes"), "{job:#?}");
}

#[tokio::test]
async fn litellm() {
    let key = format!("sk-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let Some((_stub, mut server)) = servers(&key).await else { return };
    let real = backend("litellm", Kind::Litellm, server.port);
    let story = Story::begin(real.clone().with_key(Secret::Inline(key.as_str().into())), "litellm").await;
    assert_eq!(story.status().version.as_deref(), Some("1.106.2"));
    let job = story.work(ask("stub")).await;
    assert_eq!(job.state, JobState::Done, "{job:#?}");
    assert!(job.result.as_ref().unwrap().get().contains("tok0 tok1 tok2 tok3"), "{job:#?}");
    for cut in ["midcut", "miderr"] {
        let job = story.work(ask(cut)).await;
        assert!(matches!(job.state, JobState::Failed | JobState::Uncertain), "{cut}: {job:#?}");
    }
    pictures_and_sound(&story).await;
    let job = story.work(ask("nobody")).await;
    assert_eq!(
        (job.state, job.error.as_ref().unwrap().code()),
        (JobState::Failed, Code::MissingModel),
        "{job:#?}"
    );
    story.dies_and_comes_back(&mut server, Duration::from_secs(13), 1).await;
    story.hangs_and_comes_back(&server).await;

    let wrong = real.with_key(Secret::Inline("sk-wrong-0000000000000000".into()));
    let config = backline::config::Config::new().backend(wrong);
    let supervisor = backline::Supervisor::builder().config(config).start().await.unwrap();
    let mut cell = supervisor.watch();
    let parked = cell.wait_for(|now| now.backends[0].phase == Phase::Parked);
    tokio::time::timeout(Duration::from_secs(20), parked).await.unwrap().unwrap();
    let status = supervisor.snapshot().backends[0].clone();
    assert_eq!(status.last_error.as_ref().unwrap().code, Code::AuthWrong, "{status:#?}");
}

#[tokio::test]
async fn slow_litellm_comes_back_as_often_as_it_is_killed() {
    let key = format!("sk-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let Some((_stub, mut server)) = servers(&key).await else { return };
    let real = backend("litellm", Kind::Litellm, server.port).with_key(Secret::Inline(key.as_str().into()));
    let story = Story::begin(real, "litellm").await;
    story.dies_and_comes_back(&mut server, Duration::from_secs(13), 3).await;
}
