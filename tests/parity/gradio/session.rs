//! Our own session on an app, simulated or real.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use backline::{
    backends::{
        Attempt, Connector, Finished, Past, Report, Session, Setback, Sink, Start, Target, gradio::Gradio,
    },
    model::{Channel, Code, Epoch, Kind, Work},
    net::Address,
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{
    LOGIN,
    narrow::Narrow,
    real::Real,
    script::{PATIENCE, SILENCE},
};

#[derive(Default)]
struct Log(Mutex<Vec<Report>>, tokio::sync::Notify);

impl Sink for Log {
    fn report(&self, report: Report) {
        self.0.lock().unwrap().push(report);
        self.1.notify_waiters();
    }
}

impl Log {
    async fn until(&self, wanted: impl Fn(&Report) -> bool) {
        let seen = async {
            loop {
                let grown = self.1.notified();
                if self.0.lock().unwrap().iter().any(&wanted) {
                    return;
                }
                grown.await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("reported in time");
    }

    fn count(&self, wanted: impl Fn(&Report) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|r| wanted(r)).count()
    }
}

fn target(url: &str) -> Target {
    Target::new("app".parse().unwrap(), Kind::Gradio, Address::parse(url).unwrap())
}

fn attempt(function: &str, data: &Value) -> Attempt {
    let data = serde_json::value::to_raw_value(data).unwrap();
    let work = Work::Call { function: function.to_owned(), data: data.into() };
    Attempt { work, remote: uuid::Uuid::new_v4().to_string(), start: Start::Fresh, past: Past::default() }
}

async fn run(session: &Arc<dyn Session>, function: &str, data: Value) -> Result<Finished, Setback> {
    session.clone().run(attempt(function, &data), Arc::new(Log::default())).await
}

fn data(finished: &Finished) -> Value {
    let document: Value = serde_json::from_str(finished.result.as_ref().unwrap().get()).unwrap();
    document["data"].clone()
}

async fn bytes(session: &Arc<dyn Session>, finished: &Finished, from: u64) -> (u64, Vec<u8>) {
    let mut download = session.fetch(finished.files[0].clone(), from).await.unwrap();
    let mut all = Vec::new();
    while let Some(chunk) = download.bytes.next().await {
        all.extend_from_slice(&chunk.unwrap());
    }
    (download.offset, all)
}

/// Every operation, on an app without a log-in.
pub async fn check(url: &str) {
    let dialed = Gradio::new(target(url)).unwrap().dial(Epoch::new(1)).await.unwrap();
    let session = dialed.session;
    assert_eq!(dialed.channel, Channel::Live);
    assert!(dialed.identity.functions.contains(&"/generate".to_owned()), "{:?}", dialed.identity);
    session.probe().await.unwrap();
    progress_and_picture(&session).await;
    generator(&session).await;
    file_there_and_back(&session).await;
    conversation(&session).await;
    refusals(&session).await;
    cancels(&session).await;
    full_queue(&session).await;
}

async fn progress_and_picture(session: &Arc<dyn Session>) {
    let log = Arc::new(Log::default());
    let call = attempt("/generate", &json!({"prompt": "p", "steps": 3, "image_start": null}));
    let finished = session.clone().run(call, log.clone()).await.unwrap();
    assert_eq!(data(&finished)[1], "done p img=None");
    assert!(log.count(|r| matches!(r, Report::Progress(_))) > 0);
    let (_, whole) = bytes(session, &finished, 0).await;
    assert_eq!(&whole[1..4], b"PNG");
    let (offset, rest) = bytes(session, &finished, 5).await;
    assert_eq!(whole[usize::try_from(offset).unwrap()..], rest);
}

async fn generator(session: &Arc<dyn Session>) {
    let log = Arc::new(Log::default());
    let finished = session.clone().run(attempt("stream", &json!(["s", 3])), log.clone()).await.unwrap();
    let last = log.0.lock().unwrap().iter().rev().find_map(|r| match r {
        Report::Partial(text) => Some(serde_json::from_str::<Value>(text).unwrap()),
        _ => None,
    });
    assert_eq!(last.unwrap(), data(&finished));
    assert_eq!(log.count(|r| matches!(r, Report::Partial(_))), 3);
}

async fn file_there_and_back(session: &Arc<dyn Session>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b#é.bin");
    let sent: Vec<u8> = (0..300_000u32).map(|i| (i % 253) as u8).collect();
    std::fs::write(&path, &sent).unwrap();
    let finished = run(session, "fileecho", json!([{"$file": path}])).await.unwrap();
    let (_, back) = bytes(session, &finished, 0).await;
    assert!(back == sent, "other bytes came back");
    let finished = run(session, "generate", json!(["with", 1, null, "t2v"])).await.unwrap();
    assert_eq!(finished.files.len(), 1);
}

/// A state is kept from call to call, and no other conversation has it.
async fn conversation(session: &Arc<dyn Session>) {
    let session =
        session.clone().downcast::<backline::backends::gradio::Session>().unwrap_or_else(|_| panic!());
    let log = Arc::new(Log::default());
    let talk = session.converse().await.unwrap();
    for number in 1..=3 {
        let finished = talk.call("count", &json!({"x": "a"}), log.clone()).await.unwrap();
        assert_eq!(data(&finished)[1], format!("{number} a"));
    }
    assert_eq!(log.count(|r| matches!(r, Report::Note(line) if line == "counted a")), 3);
    let other = session.converse().await.unwrap();
    let finished = other.call("/count", &json!(["b"]), log.clone()).await.unwrap();
    assert_eq!(data(&finished)[1], "1 b");
    let finished = talk.call("noop", &json!(["between"]), log.clone()).await.unwrap();
    assert_eq!(data(&finished)[0], "between");
    let arguments = json!(["c", 50]);
    let watched = talk.call("stream", &arguments, log.clone());
    let cancel = async {
        log.until(|r| matches!(r, Report::Partial(_))).await;
        talk.cancel().await.unwrap();
    };
    let (ended, ()) = tokio::join!(watched, cancel);
    assert!(matches!(ended, Err(Setback::Cancelled)), "{ended:?}");
    let finished = talk.call("count", &json!(["a"]), log).await.unwrap();
    assert_eq!(data(&finished)[1], "4 a", "a cancel leaves the state");
}

/// What lets only the simple API through.
pub async fn check_simple(url: &str) {
    let proxy = Narrow::before(url).await;
    let dialed = Gradio::new(target(&proxy.url())).unwrap().dial(Epoch::new(1)).await.unwrap();
    let session = dialed.session;
    let log = Arc::new(Log::default());
    let finished = session.clone().run(attempt("stream", &json!(["s", 3])), log.clone()).await.unwrap();
    assert_eq!(data(&finished)[0], "Status: 0 1 2 ");
    assert_eq!(log.count(|r| matches!(r, Report::Partial(_))), 3);
    assert_eq!(log.count(|r| matches!(r, Report::Note(line) if line.contains("simple API"))), 1);
    let finished = run(&session, "generate", json!(["p", 2, null, "t2v"])).await.unwrap();
    let (_, whole) = bytes(&session, &finished, 0).await;
    assert_eq!(&whole[1..4], b"PNG");
    let Err(Setback::Failed(_)) = run(&session, "generate", json!(["fail", 3, null, "t2v"])).await else {
        panic!("did not fail");
    };
    let finished = run(&session, "count", json!(["x"])).await.unwrap();
    assert_eq!(data(&finished)[1], "1 x");
    let (log, call) = (Arc::new(Log::default()), attempt("stream", &json!(["c", 50])));
    let watched = session.clone().run(call.clone(), log.clone());
    let cancel = async {
        log.until(|r| matches!(r, Report::Partial(_))).await;
        session.cancel(call.remote.clone()).await.unwrap();
    };
    let (ended, ()) = tokio::join!(watched, cancel);
    assert!(matches!(ended, Err(Setback::Cancelled)), "{ended:?}");
}

async fn refusals(session: &Arc<dyn Session>) {
    let Err(Setback::Failed(fault)) = run(session, "generate", json!(["fail", 3, null, "t2v"])).await else {
        panic!("did not fail");
    };
    assert!(fault.message().contains("boom from generate"), "{fault}");
    let Err(Setback::Unsent(fault)) = run(session, "generat", json!([])).await else { panic!("found") };
    assert_eq!(fault.code(), Code::NotFound);
    let Err(Setback::Unsent(fault)) = run(session, "noop", json!({"y": 1})).await else { panic!("taken") };
    assert_eq!(fault.code(), Code::BadRequest);
}

async fn cancels(session: &Arc<dyn Session>) {
    for (function, arguments) in [("stream", json!(["c", 50])), ("generate", json!(["c", 5, null, "t2v"]))] {
        let (log, call) = (Arc::new(Log::default()), attempt(function, &arguments));
        let watched = session.clone().run(call.clone(), log.clone());
        let cancel = async {
            log.until(|r| matches!(r, Report::Progress(_) | Report::Partial(_))).await;
            session.cancel(call.remote.clone()).await.unwrap();
        };
        let (ended, ()) = tokio::join!(watched, cancel);
        assert!(matches!(ended, Err(Setback::Cancelled)), "{function}: {ended:?}");
    }
}

async fn full_queue(session: &Arc<dyn Session>) {
    let mut runs = tokio::task::JoinSet::new();
    let mut calls = Vec::new();
    for number in 0..5 {
        let (log, call) =
            (Arc::new(Log::default()), attempt("generate", &json!([format!("q{number}"), 50, null, "t2v"])));
        runs.spawn(session.clone().run(call.clone(), log.clone()));
        log.until(|r| matches!(r, Report::Waiting { .. })).await;
        if number == 0 {
            log.until(|r| matches!(r, Report::Started)).await;
        }
        calls.push(call);
    }
    let Err(Setback::Refused(fault)) = run(session, "generate", json!(["q6", 1, null, "t2v"])).await else {
        panic!("the queue takes a sixth");
    };
    assert_eq!(fault.code(), Code::QueueFull);
    for call in calls.into_iter().rev() {
        session.cancel(call.remote).await.unwrap();
    }
    while let Some(ended) = runs.join_next().await {
        assert!(matches!(ended.unwrap(), Err(Setback::Cancelled)));
    }
    // What was cancelled while it waited does not run: the queue is empty, and stays so.
    tokio::time::sleep(SILENCE).await;
    assert_eq!(session.probe().await.unwrap().queue.map(|q| q.pending), Some(0));
}

/// An app with a log-in.
pub async fn check_login(url: &str) {
    let dial = async |login: Option<(&str, &str)>| {
        let mut target = target(url);
        target.login = login.map(|(user, password)| (user.to_owned(), password.to_owned().into()));
        Gradio::new(target).unwrap().dial(Epoch::new(1)).await
    };
    assert_eq!(dial(None).await.err().unwrap().code(), Code::AuthRequired);
    assert_eq!(dial(Some((LOGIN.0, "wrong"))).await.err().unwrap().code(), Code::AuthWrong);
    let session = dial(Some(LOGIN)).await.unwrap().session;
    session.probe().await.unwrap();
    file_there_and_back(&session).await;
    generator(&session).await;
}

/// `kill -9` in the middle of a call, and a new start.
pub async fn check_death(app: &mut Real) {
    let connector = Gradio::new(target(&app.url)).unwrap();
    let mut dialed = connector.dial(Epoch::new(1)).await.unwrap();
    let (log, call) = (Arc::new(Log::default()), attempt("generate", &json!(["death", 100, null, "t2v"])));
    let mut runs = tokio::task::JoinSet::new();
    runs.spawn(dialed.session.clone().run(call.clone(), log.clone()));
    log.until(|r| matches!(r, Report::Progress(_))).await;
    let begun = tokio::time::Instant::now();
    app.kill();
    let lost = tokio::time::timeout(Duration::from_secs(1), dialed.live.next()).await;
    assert!(matches!(lost, Ok(Some(backline::backends::Sign::Lost(_)))), "{lost:?}");
    assert!(begun.elapsed() < Duration::from_secs(1));
    let adrift = runs.join_next().await.unwrap().unwrap();
    assert!(matches!(adrift, Err(Setback::Adrift(_))), "{adrift:?}");
    let refused = connector.dial(Epoch::new(2)).await.err().unwrap();
    assert_eq!(refused.code(), Code::ConnectionRefused);
    app.restart().await;
    let session = connector.dial(Epoch::new(3)).await.unwrap().session;
    let follow = Attempt { start: Start::Follow, ..call };
    let ended = session.clone().run(follow, Arc::new(Log::default())).await;
    assert!(matches!(ended, Err(Setback::Gone { unfinished: true, .. })), "{ended:?}");
    assert_eq!(app.said().matches("gen start death").count(), 1, "it was sent again");
    run(&session, "noop", json!(["back"])).await.unwrap();
}
