//! Gradio 4, 5 and 6.

use std::{process::Command, time::Duration};

use backline::{
    config::Secret,
    jobs::{Job, Rerun},
    model::{JobState, Kind},
};
use serde_json::json;

use crate::{
    server::{Server, apps, installed},
    story::{Story, backend, end},
};

pub(crate) fn server(variable: &str, door: &'static str) -> Option<Server> {
    let python = installed(variable, "a real Gradio")?;
    Some(Server::new(move |port, _| {
        let mut command = Command::new(&python);
        command
            .arg(apps().join("gradio_app.py"))
            .arg(port.to_string())
            .env("GRADIO_ANALYTICS_ENABLED", "False")
            .env("PYTHONUNBUFFERED", "1");
        if !door.is_empty() {
            command.arg(door);
        }
        command
    }))
}

async fn whole(variable: &str, version: &str) {
    let Some(mut server) = server(variable, "") else { return };
    server.start().await;
    let story = Story::begin(backend("gradio", Kind::Gradio, server.port), "gradio").await;
    assert_eq!(story.status().version.as_deref(), Some(version));
    works(&story, &server).await;
    killed_in_the_middle(&story, &mut server).await;
    killed_in_the_middle_of_what_never_runs_twice(&story, &mut server).await;
    story.dies_and_comes_back(&mut server, Duration::from_secs(1), 3).await;
    story.hangs_and_comes_back(&server).await;
    works(&story, &server).await;
}

/// A call that we watched up to the death of its app is made a second time, once another app answers in its place.
async fn killed_in_the_middle(story: &Story, server: &mut Server) {
    let call = Job::call("gradio", "generate", json!(["a cat", 30, null, "t2v"]));
    let call = story.supervisor.run(call).await.unwrap();
    call.watch().wait_for(|s| s.progress.as_ref().is_some_and(|p| p.value >= 1.0)).await.unwrap();
    story.dies_and_comes_back(server, Duration::from_secs(1), 1).await;
    let call = end(&call).await;
    assert_eq!((call.state, call.attempts), (JobState::Done, 2), "{call:#?}");
    let died = "its backend died before it was finished: gradio was restarted";
    assert!(call.timeline.iter().any(|step| step.evidence.starts_with(died)), "{call:#?}");
}

/// Who asked for at most one execution gets no second, and is told why.
async fn killed_in_the_middle_of_what_never_runs_twice(story: &Story, server: &mut Server) {
    let call = Job::call("gradio", "generate", json!(["a cat", 30, null, "t2v"])).rerun(Rerun::Never);
    let call = story.supervisor.run(call).await.unwrap();
    call.watch().wait_for(|s| s.progress.as_ref().is_some_and(|p| p.value >= 1.0)).await.unwrap();
    story.dies_and_comes_back(server, Duration::from_secs(1), 1).await;
    let call = end(&call).await;
    assert_eq!((call.state, call.attempts), (JobState::Lost, 1), "{call:#?}");
}

async fn works(story: &Story, server: &Server) {
    let file = server.home().join("sent.txt");
    std::fs::write(&file, "sent and returned").unwrap();
    let out = server.home().join("out");
    let data = json!([{ "$file": file }]);
    let job = story.work(Job::call("gradio", "fileecho", data).save_to(&out)).await;
    assert_eq!(job.state, JobState::Done, "{job:#?}");
    assert_eq!(std::fs::read_to_string(&job.outputs[0].url).unwrap(), "sent and returned");
    let job = story.work(Job::call("gradio", "/stream", json!({ "prompt": "x", "steps": 3 }))).await;
    assert_eq!(job.state, JobState::Done, "{job:#?}");
    assert!(job.result.as_ref().unwrap().get().contains("Status: 0 1 2"), "{job:#?}");
    let job = story.work(Job::call("gradio", "generate", json!(["fail", 3, null, "t2v"]))).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(job.error.as_ref().unwrap().message().contains("boom from generate"), "{job:#?}");
}

#[tokio::test]
async fn gradio_6() {
    whole("BACKLINE_REAL_GRADIO_6", "6.31.0").await;
}

#[tokio::test]
async fn gradio_5() {
    whole("BACKLINE_REAL_GRADIO_5", "5.29.0").await;
}

#[tokio::test]
async fn gradio_4() {
    whole("BACKLINE_REAL_GRADIO_4", "4.44.1").await;
}

#[tokio::test]
async fn gradio_6_with_a_log_in_logs_in_again_after_a_restart() {
    let Some(mut server) = server("BACKLINE_REAL_GRADIO_6", "auth") else { return };
    server.start().await;
    let real = backend("gradio", Kind::Gradio, server.port).with_login("user", Secret::Inline("pass".into()));
    let story = Story::begin(real, "gradio").await;
    works(&story, &server).await;
    story.dies_and_comes_back(&mut server, Duration::from_secs(1), 1).await;
    works(&story, &server).await;
}
