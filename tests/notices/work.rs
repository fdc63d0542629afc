//! Causes of work that cannot be done, or of which nobody knows whether it was.

use std::time::Duration;

use backline::{
    Supervisor,
    config::Config,
    jobs::{Job, Rerun},
    model::{Code, JobState, Kind, Phase},
    sim::{
        comfyui::{SimComfyui, Version as ComfyuiVersion},
        gradio::{Options as GradioOptions, SimGradio, Version as GradioVersion},
        litellm::{Options as LitellmOptions, SimLitellm},
    },
    supervisor::Force,
};
use serde_json::json;

use crate::place::{
    LIMIT, backend, chat, dead_port, ended, fails, graph, keyed, litellm, raised, ready, ready_with, start,
    succeeds, until, workflow,
};

async fn comfyui() -> (SimComfyui, Supervisor) {
    let server = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let supervisor = ready_with(backend(Kind::Comfyui, server.server().port())).await;
    (server, supervisor)
}

pub(crate) async fn a_request_that_the_provider_refuses() -> Option<Code> {
    let (_server, supervisor) = litellm().await;
    let seen = fails(&supervisor, chat("r400")).await;
    succeeds(&supervisor, chat("stub")).await;
    seen
}

pub(crate) async fn a_workflow_with_a_value_out_of_range() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    let mut wrong = graph(1);
    wrong["1"]["inputs"]["width"] = json!(999_999);
    let seen = fails(&supervisor, Job::workflow("a", wrong)).await;
    succeeds(&supervisor, workflow(1)).await;
    seen
}

/// It ends when the server was restarted, as it is after an installation.
pub(crate) async fn a_node_that_is_not_installed() -> Option<Code> {
    let (server, supervisor) = comfyui().await;
    let mut wrong = graph(1);
    wrong["1"]["class_type"] = json!("NoSuchNode");
    let seen = fails(&supervisor, Job::workflow("a", wrong)).await;
    let notice = raised(&supervisor, Code::MissingNode).await;
    assert_eq!(notice.subject.as_deref(), Some("NoSuchNode"));
    let epoch = supervisor.snapshot().backends[0].epoch;
    server.server().kill();
    server.server().restart().await.unwrap();
    until(&supervisor, |b| b.phase == Phase::Ready && b.epoch > epoch).await;
    ended(&supervisor, Code::MissingNode).await;
    seen
}

pub(crate) async fn a_model_that_is_not_there() -> Option<Code> {
    let (_server, supervisor) = litellm().await;
    let seen = fails(&supervisor, chat("nonexistent")).await;
    let notice = raised(&supervisor, Code::MissingModel).await;
    assert!(notice.fix.contains("stub"), "the remedy lists what there is: {}", notice.fix);
    succeeds(&supervisor, chat("stub")).await;
    seen
}

pub(crate) async fn a_workflow_that_was_saved_in_the_editor() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    let editor = json!({ "nodes": [{ "id": 1, "type": "EmptyImage" }], "links": [], "version": 0.4 });
    let seen = fails(&supervisor, Job::workflow("a", editor)).await;
    // The same, exported for the API.
    succeeds(&supervisor, workflow(1)).await;
    seen
}

pub(crate) async fn a_function_that_the_app_lacks() -> Option<Code> {
    let server = SimGradio::start(GradioVersion::V6_31_0, GradioOptions::default()).await.unwrap();
    let supervisor = ready_with(backend(Kind::Gradio, server.server().port())).await;
    let seen = fails(&supervisor, Job::call("a", "/streem", json!(["x", 1]))).await;
    succeeds(&supervisor, Job::call("a", "/stream", json!(["x", 1]))).await;
    seen
}

pub(crate) async fn a_node_that_fails() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    let mut wrong = graph(3);
    wrong["2"]["inputs"]["fail_at"] = json!(1);
    let seen = fails(&supervisor, Job::workflow("a", wrong)).await;
    succeeds(&supervisor, workflow(3)).await;
    seen
}

pub(crate) async fn an_attempt_that_a_person_cuts_short() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    let lease = supervisor.lease("a").await.unwrap();
    supervisor.reconnect("a", Force::Yes).await.unwrap();
    let begun = tokio::time::Instant::now();
    let fault = loop {
        if let Some(fault) = lease.ended() {
            break fault;
        }
        assert!(begun.elapsed() < LIMIT, "the session goes on");
        tokio::task::yield_now().await;
    };
    ready(&supervisor).await;
    Some(fault.code())
}

async fn running(supervisor: &Supervisor, job: Job) -> backline::jobs::JobHandle {
    let handle = supervisor.run(job).await.unwrap();
    let mut cell = handle.watch();
    let begun = cell.wait_for(|status| status.state == JobState::Running);
    tokio::time::timeout(LIMIT, begun).await.unwrap().unwrap();
    handle
}

async fn end(handle: &backline::jobs::JobHandle) -> Option<Code> {
    let end = tokio::time::timeout(LIMIT, handle.outcome()).await;
    let end = end.unwrap_or_else(|_| panic!("no end: {:#?}", handle.status()));
    Some(end.error.as_ref().unwrap_or_else(|| panic!("it went well: {end:#?}")).code())
}

pub(crate) async fn a_server_that_died_with_the_job() -> Option<Code> {
    let (server, supervisor) = comfyui().await;
    let job = running(&supervisor, workflow(50).rerun(Rerun::Never)).await;
    server.server().kill();
    server.server().restart().await.unwrap();
    let seen = end(&job).await;
    succeeds(&supervisor, workflow(1)).await;
    seen
}

pub(crate) async fn a_job_that_takes_too_long() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    let seen = fails(&supervisor, workflow(100).deadline(Duration::from_millis(500))).await;
    succeeds(&supervisor, workflow(10).deadline(LIMIT)).await;
    seen
}

pub(crate) async fn a_job_that_nobody_takes_in_time() -> Option<Code> {
    let port = dead_port();
    let supervisor = start(backend(Kind::Comfyui, port)).await;
    let seen = fails(&supervisor, workflow(1).time_to_live(Duration::from_millis(100))).await;
    let _server = SimComfyui::start_on(port, ComfyuiVersion::V0_24_0).await.unwrap();
    succeeds(&supervisor, workflow(1).time_to_live(LIMIT)).await;
    seen
}

pub(crate) async fn a_key_that_is_used_twice() -> Option<Code> {
    let supervisor = start(backend(Kind::Comfyui, dead_port())).await;
    supervisor.run(workflow(1).key("shot-1")).await.unwrap();
    supervisor.run(workflow(1).key("shot-1")).await.unwrap();
    let error = supervisor.run(workflow(2).key("shot-1")).await.map(|_| ()).unwrap_err();
    // Both remedies: a new key, or the first request unchanged.
    supervisor.run(workflow(2).key("shot-2")).await.unwrap();
    supervisor.run(workflow(1).key("shot-1")).await.unwrap();
    assert_eq!(error.code(), Code::KeyConflict.as_str());
    Some(Code::KeyConflict)
}

pub(crate) async fn a_journal_with_too_many_open_jobs() -> Option<Code> {
    let mut config = Config::new().backend(backend(Kind::Comfyui, dead_port()));
    config.jobs.open = 2;
    let supervisor = Supervisor::builder().config(config.clone()).start().await.unwrap();
    let first = supervisor.run(workflow(1)).await.unwrap();
    supervisor.run(workflow(2)).await.unwrap();
    let error = supervisor.run(workflow(3)).await.map(|_| ()).unwrap_err();
    assert_eq!(error.code(), Code::JournalFull.as_str());
    // The remedy: one that is not needed any more.
    first.cancel();
    first.outcome().await;
    supervisor.run(workflow(3)).await.unwrap();
    // Or a higher limit, which counts at once.
    assert!(supervisor.run(workflow(4)).await.is_err());
    config.jobs.open = 3;
    supervisor.apply(config).await.unwrap();
    supervisor.run(workflow(4)).await.unwrap();
    Some(Code::JournalFull)
}

/// A chat that is answered for a second, in a supervisor that keeps its jobs.
struct Talk {
    server: SimLitellm,
    directory: tempfile::TempDir,
}

impl Talk {
    async fn new() -> Self {
        let options =
            LitellmOptions { pace: Duration::from_millis(20), pieces: 50, ..LitellmOptions::default() };
        let server = SimLitellm::start(options).await.unwrap();
        Self { server, directory: tempfile::tempdir().unwrap() }
    }

    async fn supervisor(&self) -> Supervisor {
        let builder = Supervisor::builder().config(Config::new().backend(keyed(&self.server)));
        let supervisor = builder.state_dir(self.directory.path().join("state")).start().await.unwrap();
        ready(&supervisor).await;
        supervisor
    }

    async fn begun(&self, supervisor: &Supervisor) -> backline::jobs::JobHandle {
        let job = running(supervisor, chat("stub")).await;
        let begun = tokio::time::Instant::now();
        while self.server.executions() == 0 {
            assert!(begun.elapsed() < LIMIT, "no model was asked");
            tokio::task::yield_now().await;
        }
        job
    }

    /// The remedy: the server's own record says whether it ended; it is sent again all the same.
    async fn again(&self, supervisor: &Supervisor, id: backline::model::JobId) {
        assert_eq!((self.server.executions(), self.server.finished()), (1, 0));
        supervisor.retry_job(id).await.unwrap();
        let mut cell = supervisor.job(id).await.unwrap().watch();
        let done = cell.wait_for(|status| status.state == JobState::Done);
        tokio::time::timeout(LIMIT, done).await.unwrap().unwrap();
        assert_eq!((self.server.executions(), self.server.finished()), (2, 1));
    }
}

/// Backline is stopped in the middle, and afterwards nobody can ask this kind what became of a request.
pub(crate) async fn a_chat_whose_connection_was_lost() -> Option<Code> {
    let talk = Talk::new().await;
    let first = talk.supervisor().await;
    let id = talk.begun(&first).await.id();
    first.shutdown(Duration::ZERO).await;
    let second = talk.supervisor().await;
    let job = second.job(id).await.unwrap();
    let seen = end(&job).await;
    assert_eq!(job.status().state, JobState::Uncertain, "{:#?}", job.status());
    talk.again(&second, id).await;
    seen
}

/// The state is the same, and the cause is what was seen of it.
pub(crate) async fn a_server_that_dies_while_it_answers() -> Option<Code> {
    let talk = Talk::new().await;
    let supervisor = talk.supervisor().await;
    let job = talk.begun(&supervisor).await;
    talk.server.kill();
    let seen = end(&job).await;
    assert_eq!(job.status().state, JobState::Uncertain, "{:#?}", job.status());
    talk.server.restart().await.unwrap();
    talk.again(&supervisor, job.id()).await;
    seen
}

pub(crate) async fn a_job_that_a_stop_ends() -> Option<Code> {
    let supervisor = start(backend(Kind::Comfyui, dead_port())).await;
    let job = supervisor.run(workflow(1)).await.unwrap();
    supervisor.shutdown(Duration::ZERO).await;
    end(&job).await
}

pub(crate) async fn a_job_whose_request_was_damaged_on_the_disk() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let run = || {
        let config = Config::new().backend(backend(Kind::Comfyui, dead_port()));
        Supervisor::builder().config(config).state_dir(directory.path().join("state")).start()
    };
    let first = run().await.unwrap();
    let id = first.run(workflow(1)).await.unwrap().id();
    first.shutdown(Duration::from_secs(5)).await;
    let database = rusqlite::Connection::open(directory.path().join("state/state.db")).unwrap();
    let changed = database.execute("UPDATE jobs SET request = '{'", ()).unwrap();
    assert_eq!(changed, 1);
    drop(database);
    let second = run().await.unwrap();
    let job = second.job(id).await.unwrap();
    end(&job).await
}
