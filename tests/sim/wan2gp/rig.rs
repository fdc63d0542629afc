//! What the tests share: a server, a session whose live channel is driven, and somewhere to watch both.

use std::{sync::Arc, time::Duration};

use backline::{
    backends::{
        Attempt, Connector, Finished, Past, Session as _, Setback, Sign, Start, Target,
        target::Timeouts,
        wan2gp::{Session, Wan2gp},
    },
    model::{Epoch, Fault, Identity, Kind, Work},
    net::Address,
    sim::wan2gp::{Options, SimWan2gp},
};
use futures_util::StreamExt;
use serde_json::{Value, value::to_raw_value};
use tokio::{sync::watch, task::JoinSet};

use crate::log::{Log, PATIENCE, end};

pub fn target(url: &str) -> Target {
    let mut target = Target::new("wan2gp".parse().unwrap(), Kind::Wan2gp, Address::parse(url).unwrap());
    target.timeouts = Timeouts { request: Duration::from_secs(3), ..Timeouts::default() };
    target
}

/// A session whose live channel is driven as the connection's link does it.
pub struct Line {
    pub session: Arc<Session>,
    pub identity: Identity,
    signs: watch::Receiver<Vec<Sign>>,
    _link: JoinSet<()>,
}

impl Line {
    pub async fn dial(connector: &Wan2gp) -> Result<Self, Fault> {
        let dialed = connector.dial(Epoch::new(1)).await?;
        let session = dialed.session.downcast::<Session>().unwrap_or_else(|_| panic!("another kind's"));
        let (log, signs) = watch::channel(Vec::new());
        let (mut live, mut link, ended) = (dialed.live, JoinSet::new(), session.clone());
        link.spawn(async move {
            while let Some(sign) = live.next().await {
                if let Sign::Lost(fault) = &sign {
                    ended.end(fault.clone());
                }
                log.send_modify(|all| all.push(sign));
            }
        });
        Ok(Self { session, identity: dialed.identity, signs, _link: link })
    }

    /// One that is dialed at a server, with the models read.
    pub async fn to(sim: &SimWan2gp) -> (Wan2gp, Self) {
        let connector = Wan2gp::new(target(&sim.url())).unwrap();
        let line = Self::dial(&connector).await.unwrap();
        line.sign(|sign| matches!(sign, Sign::Identity(_))).await;
        (connector, line)
    }

    /// Waits for a sign, past ones included.
    pub async fn sign(&self, wanted: impl Fn(&Sign) -> bool) -> Sign {
        let mut signs = self.signs.clone();
        let seen = signs.wait_for(|all| all.iter().any(&wanted));
        let all = tokio::time::timeout(PATIENCE, seen).await.expect("a sign comes").unwrap().clone();
        all.into_iter().find(wanted).unwrap()
    }

    pub fn run(&self, attempt: Attempt, log: &Arc<Log>) -> JoinSet<Result<Finished, Setback>> {
        let mut task = JoinSet::new();
        task.spawn(self.session.clone().run(attempt, log.clone()));
        task
    }

    /// Runs a generation to its end.
    pub async fn generate(&self, settings: Value) -> (Result<Finished, Setback>, Arc<Log>) {
        let log = Arc::new(Log::default());
        (end(self.run(attempt(&settings), &log)).await, log)
    }
}

pub async fn sim(step_ms: u64) -> SimWan2gp {
    SimWan2gp::start(Options::default().step(Duration::from_millis(step_ms))).await.unwrap()
}

pub fn attempt(settings: &Value) -> Attempt {
    let work = Work::Generate(to_raw_value(settings).unwrap().into());
    Attempt { work, remote: uuid::Uuid::new_v4().to_string(), start: Start::Fresh, past: Past::default() }
}
