//! Causes that a server shows by what it answers.

use std::{sync::Arc, time::Duration};

use backline::{
    config::{Config, Secret, Thresholds},
    discovery::{PortRange, Scope},
    jobs::Job,
    model::{Code, Kind, Phase},
    net::Address,
    sim::{
        comfyui::{SimComfyui, Version as ComfyuiVersion},
        fault::Act,
        gradio::{Options as GradioOptions, SimGradio, Version as GradioVersion},
        litellm::{Options as LitellmOptions, SimLitellm},
        server::{App, Body, SimServer, plain},
        wan2gp::{Options as WanOptions, SimWan2gp},
    },
};
use futures_util::{FutureExt, future::BoxFuture};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use crate::place::{
    backend, chat, dead_port, ended, failed, fails, keyed, litellm, raised, ready, ready_with, start,
    succeeds, until, workflow,
};

/// A server that gives one answer, whatever it is asked.
struct One(StatusCode, &'static str, bytes::Bytes);

impl App for One {
    fn answer(self: Arc<Self>, _: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        async move { plain(self.0, self.1, self.2.clone()) }.boxed()
    }
}

async fn one(status: StatusCode, body: impl Into<bytes::Bytes>) -> SimServer {
    let body = body.into();
    SimServer::start(move || Arc::new(One(status, "application/json", body.clone()))).await.unwrap()
}

pub(crate) async fn another_program_is_named() -> Option<Code> {
    let server = SimLitellm::start(LitellmOptions::default()).await.unwrap();
    let supervisor = start(backend(Kind::Comfyui, server.port())).await;
    let notice = raised(&supervisor, Code::WrongProgram).await;
    assert!(notice.message.contains("answers, but it is LiteLLM"), "{}", notice.message);
    assert!(notice.fix.contains("`kind: litellm`"), "{}", notice.fix);
    supervisor.apply(Config::new().backend(keyed(&server))).await.unwrap();
    ready(&supervisor).await;
    ended(&supervisor, Code::WrongProgram).await;
    Some(notice.code)
}

/// Gradio 3 spoke by WebSocket and named its protocol so.
pub(crate) async fn a_gradio_that_is_too_old_is_updated() -> Option<Code> {
    let old = one(
        StatusCode::OK,
        r#"{"version":"3.50.2","protocol":"ws","mode":"blocks","components":[],"dependencies":[]}"#,
    )
    .await;
    let port = old.port();
    let supervisor = start(backend(Kind::Gradio, port)).await;
    let notice = raised(&supervisor, Code::VersionUnsupported).await;
    assert!(notice.message.contains("3.50.2") && notice.fix.contains("4.44"), "{notice:?}");
    drop(old);
    let _new = gradio(port, GradioVersion::V6_31_0).await;
    ready(&supervisor).await;
    ended(&supervisor, Code::VersionUnsupported).await;
    Some(notice.code)
}

/// What is judged is the version that it tells.
pub(crate) async fn a_gradio_of_an_untried_version_is_updated() -> Option<Code> {
    let old = one(
        StatusCode::OK,
        r#"{"version":"4.20.0","protocol":"sse_v2","app_id":7,"mode":"blocks","components":[],"dependencies":[]}"#,
    )
    .await;
    let port = old.port();
    let supervisor = start(backend(Kind::Gradio, port)).await;
    let notice = raised(&supervisor, Code::VersionOld).await;
    assert!(notice.message.contains("4.20.0") && notice.fix.contains("4.44.1"), "{notice:?}");
    drop(old);
    let _new = gradio(port, GradioVersion::V6_31_0).await;
    until(&supervisor, |b| b.phase == Phase::Ready && b.version.as_deref() == Some("6.31.0")).await;
    ended(&supervisor, Code::VersionOld).await;
    Some(notice.code)
}

async fn gradio(port: u16, version: GradioVersion) -> SimGradio {
    // Who had the port before lets go of it a moment after its end.
    let begun = tokio::time::Instant::now();
    loop {
        match SimGradio::start_on(port, version, GradioOptions::default()).await {
            Ok(server) => return server,
            Err(error) => assert!(begun.elapsed() < crate::place::LIMIT, "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn a_version_with_holes_is_updated() -> Option<Code> {
    let old = gradio(0, GradioVersion::V5_29_0).await;
    let port = old.server().port();
    let supervisor = ready_with(backend(Kind::Gradio, port)).await;
    let notice = raised(&supervisor, Code::VersionVulnerable).await;
    assert!(notice.fix.contains("6.20.0"), "{}", notice.fix);
    let epoch = supervisor.snapshot().backends[0].epoch;
    drop(old);
    let _new = gradio(port, GradioVersion::V6_31_0).await;
    until(&supervisor, |b| b.phase == Phase::Ready && b.epoch > epoch).await;
    ended(&supervisor, Code::VersionVulnerable).await;
    Some(notice.code)
}

pub(crate) async fn a_key_that_is_missing_is_set() -> Option<Code> {
    let server = SimLitellm::start(LitellmOptions::default()).await.unwrap();
    let supervisor = start(backend(Kind::Litellm, server.port())).await;
    let notice = raised(&supervisor, Code::AuthRequired).await;
    assert!(notice.fix.contains("api_key"), "{}", notice.fix);
    supervisor.apply(Config::new().backend(keyed(&server))).await.unwrap();
    ready(&supervisor).await;
    ended(&supervisor, Code::AuthRequired).await;
    Some(notice.code)
}

pub(crate) async fn a_key_that_is_wrong_is_corrected() -> Option<Code> {
    let server = SimLitellm::start(LitellmOptions::default()).await.unwrap();
    let wrong = backend(Kind::Litellm, server.port()).with_key(Secret::Inline("sk-wrong-wrong-wrong".into()));
    let supervisor = start(wrong).await;
    let notice = raised(&supervisor, Code::AuthWrong).await;
    supervisor.apply(Config::new().backend(keyed(&server))).await.unwrap();
    ready(&supervisor).await;
    ended(&supervisor, Code::AuthWrong).await;
    Some(notice.code)
}

/// ComfyUI 0.24.0 answers 403 without a body to a foreign `Origin`.
pub(crate) async fn a_server_that_forbids_us() -> Option<Code> {
    let server = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    server.server().trouble("/", None, Act::Answer(StatusCode::FORBIDDEN, String::new()));
    let supervisor = start(backend(Kind::Comfyui, server.server().port())).await;
    let seen = raised(&supervisor, Code::Forbidden).await.code;
    server.server().calm();
    ready(&supervisor).await;
    ended(&supervisor, Code::Forbidden).await;
    Some(seen)
}

pub(crate) async fn an_answer_that_is_not_the_protocols() -> Option<Code> {
    let server = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    server.server().trouble("/object_info", None, Act::Answer(StatusCode::OK, "[1, 2".to_owned()));
    let supervisor = start(backend(Kind::Comfyui, server.server().port())).await;
    let seen = failed(&supervisor, Code::Protocol).await;
    server.server().calm();
    ready(&supervisor).await;
    seen
}

pub(crate) async fn an_answer_over_the_cap() -> Option<Code> {
    let server = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    server.server().trouble("/object_info", None, Act::Answer(StatusCode::OK, " ".repeat(17 * 1024 * 1024)));
    let supervisor = start(backend(Kind::Comfyui, server.server().port())).await;
    let seen = failed(&supervisor, Code::TooLarge).await;
    server.server().calm();
    ready(&supervisor).await;
    seen
}

pub(crate) async fn a_stream_that_stops_in_the_middle() -> Option<Code> {
    let (server, supervisor) = litellm().await;
    // The proxy was killed while it answered: the answer has no end.
    server.trouble("/v1/chat/completions", None, Act::CutAfter(200));
    let job = chat("stub").keep(backline::jobs::Keep::All);
    let handle = supervisor.run(job).await.unwrap();
    let end = tokio::time::timeout(crate::place::LIMIT, handle.outcome()).await.unwrap();
    let fault = end.error.as_ref().unwrap();
    server.calm();
    succeeds(&supervisor, chat("stub")).await;
    Some(fault.code())
}

pub(crate) async fn a_provider_that_fails() -> Option<Code> {
    let (_server, supervisor) = litellm().await;
    let seen = fails(&supervisor, chat("r500").rerun(backline::jobs::Rerun::Never)).await;
    succeeds(&supervisor, chat("stub")).await;
    seen
}

/// llama.cpp while it loads its model (documented, not run).
pub(crate) async fn a_model_that_is_still_loaded() -> Option<Code> {
    let loading = r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#;
    let server = SimLitellm::start(LitellmOptions::default()).await.unwrap();
    server.trouble("/", None, Act::Answer(StatusCode::SERVICE_UNAVAILABLE, loading.to_owned()));
    let mut loading = keyed(&server);
    loading.kind = Kind::Openai;
    let supervisor = start(loading).await;
    let seen = failed(&supervisor, Code::Loading).await;
    server.calm();
    ready(&supervisor).await;
    seen
}

pub(crate) async fn a_queue_that_is_full_and_empties() -> Option<Code> {
    let options = GradioOptions { queue: 1, step: Duration::from_millis(100), ..GradioOptions::default() };
    let server = SimGradio::start(GradioVersion::V6_31_0, options).await.unwrap();
    let supervisor = ready_with(backend(Kind::Gradio, server.server().port())).await;
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(supervisor.run(Job::call("a", "/stream", json!(["x", 5]))).await.unwrap());
    }
    let notice = raised(&supervisor, Code::QueueFull).await;
    assert_eq!(notice.subject.as_deref(), Some("jobs"));
    for job in jobs {
        let end = tokio::time::timeout(crate::place::LIMIT, job.outcome()).await.unwrap();
        assert_eq!(end.state, backline::model::JobState::Done, "nothing is lost: {end:#?}");
    }
    ended(&supervisor, Code::QueueFull).await;
    Some(notice.code)
}

pub(crate) async fn a_provider_that_limits_the_rate() -> Option<Code> {
    let (_server, supervisor) = litellm().await;
    let job = supervisor.run(chat("r429")).await.unwrap();
    let notice = raised(&supervisor, Code::RateLimited).await;
    job.cancel();
    succeeds(&supervisor, chat("stub")).await;
    ended(&supervisor, Code::RateLimited).await;
    Some(notice.code)
}

pub(crate) async fn a_card_that_is_full_and_a_smaller_job() -> Option<Code> {
    let server = SimWan2gp::start(WanOptions::default().step(Duration::from_millis(20))).await.unwrap();
    let supervisor = ready_with(backend(Kind::Wan2gp, server.port())).await;
    let render = |prompt: &str| Job::generate("a", json!({ "model_type": "t2v", "prompt": prompt }));
    let seen = fails(&supervisor, render("oom")).await;
    assert_eq!(raised(&supervisor, Code::OutOfMemory).await.code, Code::OutOfMemory);
    succeeds(&supervisor, render("a cat")).await;
    ended(&supervisor, Code::OutOfMemory).await;
    seen
}

async fn look(supervisor: &backline::Supervisor, ports: &[u16]) {
    let ports = ports.iter().map(|port| PortRange::one(*port));
    let swept = supervisor.discover(Scope::new().ports(ports)).await.unwrap();
    supervisor.found(swept.found).await.unwrap();
}

pub(crate) async fn a_server_that_moved() -> Option<Code> {
    let (from, to) = (dead_port(), dead_port());
    let before = SimComfyui::start_on(from, ComfyuiVersion::V0_24_0).await.unwrap();
    let supervisor = ready_with(backend(Kind::Comfyui, from)).await;
    look(&supervisor, &[from, to]).await;
    drop(before);
    until(&supervisor, |b| b.phase != Phase::Ready).await;
    let _after = SimComfyui::start_on(to, ComfyuiVersion::V0_24_0).await.unwrap();
    look(&supervisor, &[from, to]).await;
    let notice = raised(&supervisor, Code::BackendMoved).await;
    assert!(notice.fix.contains(&to.to_string()), "{}", notice.fix);
    supervisor.apply(Config::new().backend(backend(Kind::Comfyui, to))).await.unwrap();
    ready(&supervisor).await;
    ended(&supervisor, Code::BackendMoved).await;
    Some(notice.code)
}

pub(crate) async fn a_server_that_nobody_configured() -> Option<Code> {
    let known = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let stranger = SimLitellm::start(LitellmOptions::default()).await.unwrap();
    let supervisor = ready_with(backend(Kind::Comfyui, known.server().port())).await;
    look(&supervisor, &[known.server().port(), stranger.port()]).await;
    let notice = raised(&supervisor, Code::BackendFound).await;
    assert_eq!(notice.subject, Some(Address::loopback(stranger.port()).to_string()));
    let mut wanted = keyed(&stranger);
    wanted.id = backline::model::BackendId::new("litellm").unwrap();
    let known = backend(Kind::Comfyui, known.server().port());
    supervisor.apply(Config::new().backend(known).backend(wanted)).await.unwrap();
    ended(&supervisor, Code::BackendFound).await;
    Some(notice.code)
}

fn limited(server: &SimComfyui, thresholds: Thresholds) -> backline::config::BackendConfig {
    let mut backend = backend(Kind::Comfyui, server.server().port());
    backend.thresholds = thresholds;
    (backend.probe.interval, backend.probe.fast) = (Duration::from_millis(200), Duration::from_millis(200));
    // What is slow or fails is not to end the session.
    backend.probe.fall = 100;
    backend
}

/// A limit is passed, told, and left by the remedy that is always there: another limit.
async fn passes(
    server: &SimComfyui,
    limits: Thresholds,
    code: Code,
    act: impl AsyncFnOnce(&backline::Supervisor),
) -> Option<Code> {
    let supervisor = ready_with(limited(server, limits)).await;
    act(&supervisor).await;
    let notice = raised(&supervisor, code).await;
    supervisor.apply(Config::new().backend(limited(server, Thresholds::default()))).await.unwrap();
    ended(&supervisor, code).await;
    Some(notice.code)
}

pub(crate) async fn answers_that_come_late() -> Option<Code> {
    let server = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let limits = Thresholds { latency: Some(Duration::from_millis(50)), ..Thresholds::default() };
    passes(&server, limits, Code::LatencyHigh, async |_| {
        server.server().trouble("/", None, Act::Delay(Duration::from_millis(120)));
    })
    .await
}

pub(crate) async fn a_queue_that_grows() -> Option<Code> {
    let server = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let limits = Thresholds { queue: Some(1), ..Thresholds::default() };
    passes(&server, limits, Code::QueueLong, async |supervisor| {
        for steps in 500..504 {
            supervisor.run(workflow(steps)).await.unwrap();
        }
    })
    .await
}

pub(crate) async fn checks_that_fail() -> Option<Code> {
    let server = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let limits = Thresholds { success: Some(90), ..Thresholds::default() };
    passes(&server, limits, Code::SuccessLow, async |_| {
        server.server().trouble("/", None, Act::Answer(StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    })
    .await
}

pub(crate) async fn a_card_with_little_memory() -> Option<Code> {
    let server = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let limits = Thresholds { vram_free: Some(1 << 50), ..Thresholds::default() };
    passes(&server, limits, Code::VramLow, async |_| {}).await
}
