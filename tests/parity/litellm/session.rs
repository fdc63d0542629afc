//! Our session on a real server: what the simulated one was built for.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use backline::{
    backends::{
        Attempt, Connector, Finished, Past, Report, Session as _, Setback, Sign, Sink, Start, Target,
        litellm::{
            Audio, ChatRequest, EmbedRequest, ImageRequest, Litellm, RawRequest, Session, TranscribeRequest,
            embedding::Vector,
        },
        target::Timeouts,
    },
    model::{Capability, Code, Epoch, Fault, Kind, Work},
    net::Address,
    sim::{
        FaultProxy,
        proxy::{End, Limit, Way},
    },
};
use futures_util::{StreamExt, stream::BoxStream};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::real::Real;

/// What a chat said as it came.
#[derive(Default)]
struct Said(Mutex<String>, tokio::sync::Notify);

impl Sink for Said {
    fn report(&self, report: Report) {
        if let Report::Delta(text) = report {
            self.0.lock().unwrap().push_str(&text);
            self.1.notify_one();
        }
    }
}

impl Said {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

struct Line {
    session: Arc<Session>,
    live: BoxStream<'static, Sign>,
}

async fn dial(url: &str, kind: Kind, key: Option<&str>) -> Result<Line, Fault> {
    let mut target = Target::new("llm".parse().unwrap(), kind, Address::parse(url).unwrap());
    target.http.key = key.map(|k| k.to_owned().into());
    target.timeouts = Timeouts { request: Duration::from_secs(10), ..Timeouts::default() };
    let dialed = Litellm::new(target)?.dial(Epoch::new(1)).await?;
    if kind == Kind::Litellm {
        assert_eq!(dialed.identity.version.as_deref(), Some("1.106.2"));
    }
    let can =
        [Capability::TextChat, Capability::TextEmbed, Capability::ImageGenerate, Capability::AudioTranscribe];
    assert_eq!(dialed.identity.capabilities, can);
    assert_eq!(dialed.identity.models.len(), 16);
    let session = dialed.session.downcast::<Session>().unwrap_or_else(|_| panic!("another kind's"));
    Ok(Line { session, live: dialed.live })
}

fn ask(model: &str) -> Attempt {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#);
    let work = Work::Chat(RawValue::from_string(body).unwrap().into());
    Attempt { work, remote: uuid::Uuid::new_v4().to_string(), start: Start::Fresh, past: Past::default() }
}

async fn run(line: &Line, model: &str) -> (Result<Finished, Setback>, String) {
    let said = Arc::new(Said::default());
    let ended = line.session.clone().run(ask(model), said.clone()).await;
    (ended, said.text())
}

pub async fn check(mut server: Real) {
    keys(&server).await;
    let mut line = dial(&server.url, Kind::Litellm, Some(&server.key)).await.unwrap();
    dial(&server.url, Kind::Openai, Some(&server.key)).await.unwrap();
    typed(&line).await;
    ends(&line).await;
    behind_a_proxy(&server).await;
    #[cfg(unix)]
    stopped(&server, &line).await;
    killed(&mut server, &mut line).await;
}

async fn keys(server: &Real) {
    for kind in [Kind::Litellm, Kind::Openai] {
        let fault = dial(&server.url, kind, None).await.err().unwrap();
        assert_eq!(fault.code(), Code::AuthRequired, "{fault:?}");
        let fault = dial(&server.url, kind, Some("sk-wrong-0123456789")).await.err().unwrap();
        assert_eq!(fault.code(), Code::AuthWrong, "{fault:?}");
    }
}

async fn typed(line: &Line) {
    line.session.probe().await.unwrap();
    let whole = line.session.chat(ChatRequest::new().user("hi").model("stub")).await.unwrap();
    assert_eq!(whole.text(), "hello from stub");
    let embeddings = line.session.embeddings(EmbedRequest::new(&"abc").unwrap()).await.unwrap();
    assert_eq!(embeddings.data[0].embedding, Vector::Floats(vec![0.1, 0.2, 0.3]));
    let images = line.session.images(ImageRequest::new("a dot")).await.unwrap();
    assert!(images.data[0].b64_json.as_ref().unwrap().starts_with("iVBOR"), "{images:?}");
    let audio = Audio::Bytes { name: "a.wav".to_owned(), bytes: vec![7; 300_000].into() };
    let heard = line.session.transcribe(TranscribeRequest::new(audio)).await.unwrap();
    assert_eq!(heard.text, "hello audio of 300000 bytes");
    let used = line.session.tokens();
    assert_eq!((used.answers, used.prompt, used.completion), (4, 5 + 3 + 3, 4 + 4), "{used:?}");
    let raw = line.session.raw(RawRequest::get("health/readiness/details").unwrap()).await.unwrap();
    assert_eq!(raw.status, 200);
    assert!(std::str::from_utf8(&raw.body).unwrap().contains("1.106.2"));
    let raw = line.session.raw(RawRequest::get("metrics").unwrap()).await.unwrap();
    assert_ne!(raw.status, 200, "a redirect or a refusal comes back as it is");
    assert_eq!(line.session.models().await.unwrap().len(), 16);
}

/// Every way in which a chat ends.
async fn ends(line: &Line) {
    let (ended, text) = run(line, "mock").await;
    let finished = ended.unwrap();
    assert!(text.starts_with("Hello from the mock model"), "{text}");
    assert!(finished.result.unwrap().get().contains("\"usage\":{"));
    for (model, code) in
        [("r429", Code::RateLimited), ("r400", Code::BadRequest), ("nonexistent", Code::MissingModel)]
    {
        let (Err(Setback::Refused(fault)), _) = run(line, model).await else { panic!("{model}") };
        assert_eq!(fault.code(), code, "{model}: {fault:?}");
    }
    for (model, code, said) in [
        ("r500", Code::BackendError, ""),
        ("down", Code::BackendError, ""),
        ("hang", Code::RequestTimeout, ""),
        ("midcut", Code::BackendError, "tok0 tok1 "),
        ("miderr", Code::BackendError, "tok0 tok1 "),
        ("midhang", Code::BackendError, "tok0 tok1 "),
    ] {
        let (Err(Setback::Failed(fault)), text) = run(line, model).await else { panic!("{model}") };
        assert_eq!((fault.code(), text.as_str()), (code, said), "{model}: {fault:?}");
    }
    // LiteLLM's invented ends.
    assert_eq!(run(line, "midclose").await.1, "tok0 tok1 ");
    let finished = run(line, "garbage").await.0.unwrap();
    assert!(finished.notes[0].contains("empty"), "{:?}", finished.notes);
}

/// The answer is lost, or cut, between the server and us.
async fn behind_a_proxy(server: &Real) {
    let proxy = FaultProxy::before(server.port()).await.unwrap();
    let line = dial(&proxy.url(), Kind::Litellm, Some(&server.key)).await.unwrap();
    for (way, bytes, end) in [
        (Way::Request, 100, End::Fin),
        (Way::Answer, 0, End::Rst),
        (Way::Answer, 700, End::Fin),
        (Way::Answer, 2000, End::Rst),
    ] {
        let cuts = proxy.tally().cuts;
        proxy.limit(Limit { way, bytes, end, times: Some(1) });
        let (ended, _) = run(&line, "stub").await;
        assert!(matches!(ended, Err(Setback::Uncertain(_))), "{way:?} {bytes}: {ended:?}");
        assert_eq!(proxy.tally().cuts, cuts + 1);
    }
    assert_eq!(run(&line, "stub").await.1, "tok0 tok1 tok2 tok3 ");
}

/// A stopped process still takes connections: only an answer counts as life.
#[cfg(unix)]
async fn stopped(server: &Real, line: &Line) {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    kill(Pid::from_raw(server.pid()), Signal::SIGSTOP).unwrap();
    let probe = tokio::time::timeout(Duration::from_secs(2), line.session.probe()).await;
    assert!(probe.is_err(), "{probe:?}");
    kill(Pid::from_raw(server.pid()), Signal::SIGCONT).unwrap();
    line.session.probe().await.unwrap();
}

async fn killed(server: &mut Real, line: &mut Line) {
    let said = Arc::new(Said::default());
    let chat = line.session.clone().run(ask("midhang"), said.clone());
    let kill = async {
        while !said.text().contains("tok1") {
            said.1.notified().await;
        }
        server.kill();
        Instant::now()
    };
    let (ended, killed) = tokio::join!(chat, kill);
    let Err(Setback::Uncertain(fault)) = ended else { panic!("{ended:?}") };
    assert_eq!(fault.code(), Code::Truncated);
    let sign = tokio::time::timeout(Duration::from_secs(2), line.live.next()).await;
    let Ok(Some(Sign::Lost(fault))) = sign else { panic!("{sign:?}") };
    assert_eq!(fault.code(), Code::ConnectionRefused);
    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
    let (ended, _) = run(line, "mock").await;
    assert!(matches!(ended, Err(Setback::Unsent(_))), "{ended:?}");
}
