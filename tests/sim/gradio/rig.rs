//! What the tests share: an app, a session, and somewhere to watch both.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use backline::{
    backends::{
        Attempt, Connector, Finished, Past, Report, Session, Setback, Sign, Sink, Start, Target,
        gradio::Gradio, target::Timeouts,
    },
    model::{Channel, Epoch, Fault, Identity, Kind, Work},
    net::Address,
    sim::gradio::{Options, SimGradio, Version},
};
use futures_util::StreamExt;
use tokio::{sync::watch, task::JoinSet};

/// Long past anything that a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Reports as they came.
#[derive(Default)]
pub struct Log {
    reports: Mutex<Vec<Report>>,
    grown: tokio::sync::Notify,
}

impl Sink for Log {
    fn report(&self, report: Report) {
        self.reports.lock().unwrap().push(report);
        self.grown.notify_waiters();
    }
}

impl Log {
    pub fn all(&self) -> Vec<Report> {
        self.reports.lock().unwrap().clone()
    }

    /// Waits until a report of this kind has come.
    pub async fn until(&self, wanted: impl Fn(&Report) -> bool) {
        let seen = async {
            loop {
                let grown = self.grown.notified();
                if self.all().iter().any(&wanted) {
                    return;
                }
                grown.await;
            }
        };
        tokio::time::timeout(PATIENCE, seen)
            .await
            .unwrap_or_else(|_| panic!("not reported: {:?}", self.all()));
    }

    pub async fn until_progress(&self) {
        self.until(|r| matches!(r, Report::Progress(_))).await;
    }

    pub async fn until_waiting(&self) {
        self.until(|r| matches!(r, Report::Waiting { .. })).await;
    }

    pub fn partials(&self) -> Vec<String> {
        let partial = |r| if let Report::Partial(p) = r { Some(p) } else { None };
        self.all().into_iter().filter_map(partial).collect()
    }
}

/// A session whose live channel is driven as the connection's link does it.
pub struct Line {
    pub session: Arc<dyn Session>,
    pub identity: Identity,
    pub channel: Channel,
    signs: watch::Receiver<Vec<Sign>>,
    _link: JoinSet<()>,
}

impl Line {
    pub async fn dial(connector: &Gradio) -> Result<Self, Fault> {
        let dialed = connector.dial(Epoch::new(1)).await?;
        let (log, signs) = watch::channel(Vec::new());
        let mut link = JoinSet::new();
        let (session, mut live) = (dialed.session.clone(), dialed.live);
        link.spawn(async move {
            while let Some(sign) = live.next().await {
                if let Sign::Lost(fault) = &sign {
                    session.end(fault.clone());
                }
                log.send_modify(|signs| signs.push(sign));
            }
        });
        let (identity, channel) = (dialed.identity, dialed.channel);
        Ok(Self { session: dialed.session, identity, channel, signs, _link: link })
    }

    /// Waits until the session is lost, and says why.
    pub async fn lost(&mut self) -> Fault {
        let lost = |sign: &Sign| if let Sign::Lost(fault) = sign { Some(fault.clone()) } else { None };
        let seen = self.signs.wait_for(|signs| signs.iter().any(|s| lost(s).is_some()));
        let seen = tokio::time::timeout(PATIENCE, seen).await.expect("lost in time").unwrap();
        seen.iter().find_map(lost).unwrap()
    }

    pub async fn until(&mut self, wanted: impl Fn(&Sign) -> bool) {
        let seen = self.signs.wait_for(|signs| signs.iter().any(&wanted));
        let seen = tokio::time::timeout(PATIENCE, seen).await;
        assert!(matches!(seen, Ok(Ok(_))), "not signed");
    }

    pub fn run(&self, attempt: Attempt, log: &Arc<Log>) -> JoinSet<Result<Finished, Setback>> {
        let mut task = JoinSet::new();
        task.spawn(self.session.clone().run(attempt, log.clone()));
        task
    }

    /// Runs a call to its end.
    pub async fn call(&self, function: &str, data: &str) -> Result<Finished, Setback> {
        let run = self.session.clone().run(attempt(function, data), Arc::new(Log::default()));
        tokio::time::timeout(PATIENCE, run).await.expect("ended in time")
    }
}

pub fn attempt(function: &str, data: &str) -> Attempt {
    let data = serde_json::value::RawValue::from_string(data.to_owned()).unwrap();
    Attempt {
        work: Work::Call { function: function.to_owned(), data: data.into() },
        remote: uuid::Uuid::new_v4().to_string(),
        start: Start::Fresh,
        past: Past::default(),
    }
}

pub fn follow(attempt: &Attempt) -> Attempt {
    Attempt { start: Start::Follow, ..attempt.clone() }
}

pub fn target(url: &str) -> Target {
    let mut target = Target::new("app".parse().unwrap(), Kind::Gradio, Address::parse(url).unwrap());
    target.timeouts = Timeouts { request: Duration::from_secs(3), ..Timeouts::default() };
    target
}

pub fn connector(sim: &SimGradio) -> Gradio {
    Gradio::new(target(&sim.server().url())).unwrap()
}

/// An app whose steps are short.
pub async fn sim(version: Version) -> SimGradio {
    sim_with(version, Options::default()).await
}

pub async fn sim_with(version: Version, options: Options) -> SimGradio {
    SimGradio::start(version, Options { step: Duration::from_millis(120), ..options }).await.unwrap()
}

/// The end of a run that is under way.
pub async fn end(task: &mut JoinSet<Result<Finished, Setback>>) -> Result<Finished, Setback> {
    let ended = tokio::time::timeout(PATIENCE, task.join_next()).await;
    ended.expect("ended in time").unwrap().unwrap()
}
