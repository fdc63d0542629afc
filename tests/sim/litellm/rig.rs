//! What the tests share: a server, a session, and somewhere to watch both.

use std::{io, sync::Arc, time::Duration};

use backline::{
    backends::{
        Attempt, Connector, Dialed, Finished, Past, Session as _, Setback, Sign, Start, Target,
        litellm::{Litellm, Session},
        target::Timeouts,
    },
    model::{Epoch, Fault, Identity, Kind, Work},
    net::Address,
    sim::{
        App, Body, SimServer,
        litellm::{Options, SimLitellm},
        server::plain,
    },
};
use futures_util::{StreamExt, future::BoxFuture, stream::BoxStream};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::task::JoinSet;

use crate::log::{Log, PATIENCE, end};

/// A session and its live channel.
pub struct Line {
    pub session: Arc<Session>,
    pub identity: Identity,
    pub live: BoxStream<'static, Sign>,
}

impl Line {
    pub fn run(&self, attempt: Attempt, log: &Arc<Log>) -> JoinSet<Result<Finished, Setback>> {
        let mut task = JoinSet::new();
        task.spawn(self.session.clone().run(attempt, log.clone()));
        task
    }

    /// Runs a chat to its end.
    pub async fn chat(&self, body: &str) -> (Result<Finished, Setback>, Arc<Log>) {
        let log = Arc::new(Log::default());
        let ended = end(self.run(attempt(body), &log)).await;
        (ended, log)
    }

    /// The next sign.
    pub async fn sign(&mut self) -> Option<Sign> {
        tokio::time::timeout(PATIENCE, self.live.next()).await.expect("a sign comes")
    }
}

pub fn target(url: &str, kind: Kind, key: Option<&str>) -> Target {
    let mut target = Target::new("llm".parse().unwrap(), kind, Address::parse(url).unwrap());
    target.http.key = key.map(|key| key.to_owned().into());
    target.timeouts = Timeouts { request: Duration::from_secs(3), ..Timeouts::default() };
    target
}

pub async fn dial(target: Target) -> Result<Line, Fault> {
    let Dialed { session, identity, live, .. } = Litellm::new(target)?.dial(Epoch::new(1)).await?;
    let session = session.downcast::<Session>().unwrap_or_else(|_| panic!("another kind's session"));
    Ok(Line { session, identity, live })
}

/// A simulated LiteLLM that loses no time.
pub async fn sim() -> SimLitellm {
    let quick = Options {
        pace: Duration::from_millis(5),
        patience: Duration::from_millis(100),
        ..Options::default()
    };
    SimLitellm::start(quick).await.unwrap()
}

pub async fn line(sim: &SimLitellm) -> Line {
    dial(target(&sim.url(), Kind::Litellm, Some(sim.key()))).await.unwrap()
}

/// A chat of this model.
pub fn ask(model: &str) -> String {
    format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#)
}

pub fn attempt(body: &str) -> Attempt {
    let work = Work::Chat(serde_json::value::RawValue::from_string(body.to_owned()).unwrap().into());
    Attempt { work, remote: uuid::Uuid::new_v4().to_string(), start: Start::Fresh, past: Past::default() }
}

/// The completion of a finished chat.
pub fn result(finished: &Finished) -> serde_json::Value {
    serde_json::from_str(finished.result.as_ref().unwrap().get()).unwrap()
}

/// Any other server: a function from a path and whether it came with a key to an answer.
pub struct Stranger<F>(F);

impl<F> App for Stranger<F>
where
    F: Fn(&str, bool) -> (u16, &'static str, &'static str) + Send + Sync + 'static,
{
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        let keyed = request.headers().contains_key("authorization");
        let (status, media_type, body) = (self.0)(request.uri().path(), keyed);
        Box::pin(async move { plain(StatusCode::from_u16(status).unwrap(), media_type, body) })
    }
}

pub async fn stranger<F>(answers: F) -> io::Result<SimServer>
where
    F: Fn(&str, bool) -> (u16, &'static str, &'static str) + Send + Sync + Clone + 'static,
{
    SimServer::start(move || -> Arc<dyn App> { Arc::new(Stranger(answers.clone())) }).await
}
