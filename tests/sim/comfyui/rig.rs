//! What the tests share: a server, a session, and somewhere to watch both.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use backline::{
    backends::{
        Attempt, Connector, Finished, Past, Report, Session, Setback, Sign, Sink, Start, Target,
        comfyui::Comfyui,
        target::{Keepalive, Timeouts},
    },
    model::{Channel, Code, Epoch, Fault, Identity, Kind, Work},
    net::Address,
    sim::comfyui::{SimComfyui, Version},
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

    pub async fn until_started(&self) {
        self.until(|r| matches!(r, Report::Started)).await;
    }

    pub fn notes(&self) -> Vec<String> {
        let note = |r| if let Report::Note(n) = r { Some(n) } else { None };
        self.all().into_iter().filter_map(note).collect()
    }

    /// The values of a node's steps.
    pub fn steps(&self, class: &str) -> Vec<f64> {
        let step = |r| match r {
            Report::Progress(p) if p.node.as_deref() == Some(class) => Some(p.value),
            _ => None,
        };
        self.all().into_iter().filter_map(step).collect()
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
    pub async fn dial(connector: &Comfyui) -> Result<Self, Fault> {
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

    pub async fn until(&mut self, wanted: impl Fn(&Sign) -> bool) {
        let seen = self.signs.wait_for(|signs| signs.iter().any(&wanted));
        let seen = tokio::time::timeout(PATIENCE, seen).await;
        assert!(matches!(seen, Ok(Ok(_))), "not signed");
    }

    /// Waits until the live channel has come to its end.
    pub async fn until_closed(&mut self) {
        let closed = async { while self.signs.changed().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, closed).await.expect("the live channel ends");
    }

    pub fn run(&self, attempt: Attempt, log: &Arc<Log>) -> JoinSet<Result<Finished, Setback>> {
        let mut task = JoinSet::new();
        task.spawn(self.session.clone().run(attempt, log.clone()));
        task
    }
}

pub fn target(url: &str) -> Target {
    let id = "comfy".parse().unwrap();
    let mut target = Target::new(id, Kind::Comfyui, Address::parse(url).unwrap());
    target.timeouts = Timeouts { request: Duration::from_secs(3), ..Timeouts::default() };
    target.keepalive =
        Keepalive { interval: Duration::from_millis(500), deadline: Duration::from_millis(500) };
    target
}

pub fn connector(sim: &SimComfyui) -> Comfyui {
    Comfyui::new(target(&sim.server().url())).unwrap()
}

pub async fn sim() -> SimComfyui {
    SimComfyui::start(Version::V0_24_0).await.unwrap()
}

/// A graph of one slow node and a saved image; another nonce runs anew.
pub fn slow(steps: u32, delay: f64, extra: &str) -> String {
    format!(
        r#"{{"1":{{"class_type":"EmptyImage","inputs":{{"width":64,"height":64,"batch_size":1,"color":255}}}},
        "2":{{"class_type":"WireSlow","inputs":{{"image":["1",0],"steps":{steps},"delay":{delay},
            "preview":false,"fail_at":-1,"nonce":0{extra}}}}},
        "3":{{"class_type":"SaveImage","inputs":{{"images":["2",0],"filename_prefix":"w"}}}}}}"#
    )
}

pub fn attempt(graph: &str, start: Start) -> Attempt {
    let work = Work::Workflow(serde_json::value::RawValue::from_string(graph.to_owned()).unwrap().into());
    Attempt { work, remote: uuid::Uuid::new_v4().to_string(), start, past: Past::default() }
}

pub fn follow(attempt: &Attempt) -> Attempt {
    Attempt { start: Start::Follow, ..attempt.clone() }
}

pub async fn end(mut run: JoinSet<Result<Finished, Setback>>) -> Result<Finished, Setback> {
    let ended = tokio::time::timeout(PATIENCE, run.join_next()).await;
    ended.expect("the run ends").expect("there is one").expect("it does not panic")
}

pub fn fault_of(setback: Setback) -> Fault {
    match setback {
        Setback::Refused(f)
        | Setback::Unsent(f)
        | Setback::Failed(f)
        | Setback::Adrift(f)
        | Setback::Uncertain(f) => f,
        Setback::Gone { evidence, .. } => evidence,
        other => Fault::new(Code::Cancelled, format!("{other:?}")),
    }
}
