//! P1, P2 and P3 with real servers: what is seen is asserted, and its order; of the time only that it is not far more
//! than promised, since a loaded machine takes cores away. Virtual time has the bounds.

use std::{net::TcpStream, time::Duration};

use backline::{
    config::Secret,
    jobs::{Job, JobHandle, Rerun},
    model::{Code, EventBody, Health, JobState, Kind, Phase},
};
use futures_util::StreamExt;
use serde_json::json;

use crate::{
    gradio, litellm,
    server::Server,
    story::{Story, backend, end},
};

/// Promised are 13 s at most.
const SEEN: Duration = Duration::from_secs(30);

/// A real server under watch, and a job that keeps it busy for some seconds.
struct Stage {
    story: Story,
    server: Server,
    /// What stands behind it.
    upstream: Option<Server>,
    job: fn() -> Job,
}

async fn on_gradio() -> Option<Stage> {
    let mut server = gradio::server("BACKLINE_REAL_GRADIO_6", "")?;
    server.start().await;
    let story = Story::begin(backend("gradio", Kind::Gradio, server.port), "gradio").await;
    let job = || Job::call("gradio", "generate", json!(["a cat", 30, null, "t2v"])).rerun(Rerun::Never);
    Some(Stage { story, server, upstream: None, job })
}

/// Its upstream says nothing for 3 s, and then the proxy gives it up.
async fn on_litellm() -> Option<Stage> {
    let key = format!("sk-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let (stub, server) = litellm::servers(&key).await?;
    let real = backend("litellm", Kind::Litellm, server.port).with_key(Secret::Inline(key.as_str().into()));
    let story = Story::begin(real, "litellm").await;
    let job = || {
        let body = json!({ "model": "hang", "messages": [{ "role": "user", "content": "hi" }] });
        Job::chat("litellm", body).rerun(Rerun::Never)
    };
    Some(Stage { story, server, upstream: Some(stub), job })
}

impl Stage {
    /// A job that is under way there.
    async fn busy(&self) -> JobHandle {
        let job = self.story.supervisor.run((self.job)()).await.unwrap();
        match &self.upstream {
            // The proxy has handed it on.
            Some(upstream) => {
                let asked = || upstream.log().lines().filter(|line| line.contains(" hang ")).count();
                let begun = tokio::time::Instant::now();
                while asked() == 0 {
                    assert!(begun.elapsed() < SEEN, "it never arrived: {:#?}", job.status());
                    // Nobody tells us when another process writes a line.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            None => {
                let moving = |s: &std::sync::Arc<backline::model::JobStatus>| {
                    s.progress.as_ref().is_some_and(|p| p.value >= 1.0)
                };
                let mut cell = job.watch();
                tokio::time::timeout(SEEN, cell.wait_for(moving)).await.unwrap().unwrap();
            }
        }
        assert!(!job.status().state.is_end(), "{:#?}", job.status());
        job
    }

    /// The end of its phase as an event, with its cause.
    async fn lost(&self, events: &mut backline::Events) -> Code {
        let id = self.story.status().id.clone();
        let seen = async {
            while let Some(event) = events.next().await {
                if let EventBody::BackendPhase { backend, phase, reason, .. } = &event.unwrap().body
                    && *backend == id
                    && *phase != Phase::Ready
                {
                    return reason.clone().expect("a cause").code();
                }
            }
            panic!("the events ended");
        };
        let lost = tokio::time::timeout(SEEN, seen).await;
        lost.unwrap_or_else(|_| panic!("its end was not seen: {:#?}", self.story.status()))
    }
}

async fn killed(stage: Option<Stage>, allowed: JobState) {
    let Some(mut stage) = stage else { return };
    let job = stage.busy().await;
    let mut events = stage.story.supervisor.events();
    stage.server.kill();
    let code = stage.lost(&mut events).await;
    let near = matches!(code, Code::ConnectionRefused | Code::ConnectionClosed | Code::ConnectionReset);
    assert!(near, "{code}");
    stage.story.nobody_else_noticed();
    // What became of the job, the next server's word may be needed for.
    stage.server.start().await;
    stage.story.until(SEEN, |b| b.phase == Phase::Ready).await;
    let ended = end(&job).await;
    assert_eq!((ended.state, ended.attempts), (allowed, 1), "{ended:#?}");
}

#[tokio::test]
async fn p1_a_gradio_that_is_killed_with_a_job_is_seen_with_its_cause() {
    killed(on_gradio().await, JobState::Lost).await;
}

#[tokio::test]
async fn p1_a_litellm_that_is_killed_with_a_job_is_seen_with_its_cause() {
    killed(on_litellm().await, JobState::Uncertain).await;
}

/// The kernel still takes connections for a process that is stopped: they prove nothing.
async fn stopped_while_idle(stage: Option<Stage>) {
    let Some(stage) = stage else { return };
    let mut events = stage.story.supervisor.events();
    stage.server.stop();
    TcpStream::connect(("127.0.0.1", stage.server.port)).expect("a stopped process still gets connections");
    let code = stage.lost(&mut events).await;
    let silent = matches!(code, Code::Hang | Code::RequestTimeout | Code::ConnectTimeout);
    assert!(silent, "{code}");
    TcpStream::connect(("127.0.0.1", stage.server.port)).expect("a stopped process still gets connections");
    assert_ne!(stage.story.status().phase, Phase::Ready);
    stage.story.nobody_else_noticed();
    stage.server.resume();
    stage.story.until(SEEN, |b| b.phase == Phase::Ready).await;
}

#[tokio::test]
async fn p2_a_gradio_that_hangs_is_seen_though_it_takes_connections() {
    stopped_while_idle(on_gradio().await).await;
}

#[tokio::test]
async fn p2_a_litellm_that_hangs_is_seen_though_it_takes_connections() {
    stopped_while_idle(on_litellm().await).await;
}

/// With a job under way silence stops new work, and neither ends the session nor sends the job again.
async fn stopped_with_a_job(stage: Option<Stage>, allowed: JobState) {
    let Some(stage) = stage else { return };
    let epoch = stage.story.status().epoch;
    let job = stage.busy().await;
    stage.server.stop();
    stage.story.until(SEEN, |b| b.health == Health::Unhealthy).await;
    let status = stage.story.status();
    assert_eq!((status.phase, status.epoch), (Phase::Ready, epoch), "{status:#?}");
    let id = status.id.as_str();
    let refused = stage.story.supervisor.lease_within(id, Duration::ZERO).await.map(drop);
    assert!(refused.is_err(), "it got new work");
    assert!(!job.status().state.is_end(), "{:#?}", job.status());
    stage.server.resume();
    let ended = end(&job).await;
    assert_eq!((ended.state, ended.attempts), (allowed, 1), "{ended:#?}");
    stage.story.until(SEEN, |b| b.phase == Phase::Ready && b.health == Health::Healthy).await;
    assert_eq!(stage.story.status().epoch, epoch);
    if let Some(upstream) = &stage.upstream {
        let log = upstream.log();
        assert_eq!(log.lines().filter(|line| line.contains(" hang ")).count(), 1, "{log}");
    }
    stage.story.nobody_else_noticed();
}

#[tokio::test]
async fn p3_a_gradio_that_is_slow_keeps_its_session_and_its_job_is_sent_once() {
    stopped_with_a_job(on_gradio().await, JobState::Done).await;
}

#[tokio::test]
async fn p3_a_litellm_that_is_slow_keeps_its_session_and_its_job_is_sent_once() {
    stopped_with_a_job(on_litellm().await, JobState::Failed).await;
}
