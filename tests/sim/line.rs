//! A session whose live channel is driven as the connection's link does it.

use std::sync::Arc;

use backline::{
    backends::{Attempt, Connector, Finished, Session, Setback, Sign},
    model::{Channel, Epoch, Fault, Identity},
};
use futures_util::StreamExt;
use tokio::{sync::watch, task::JoinSet};

use crate::log::{Log, PATIENCE};

/// A session, and the signs of its live channel.
pub struct Line {
    pub session: Arc<dyn Session>,
    pub identity: Identity,
    pub channel: Channel,
    signs: watch::Receiver<Vec<Sign>>,
    _link: JoinSet<()>,
}

impl Line {
    pub async fn dial(connector: &impl Connector) -> Result<Self, Fault> {
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

    /// Waits for a sign, past ones included.
    pub async fn until(&self, wanted: impl Fn(&Sign) -> bool) -> Sign {
        let mut signs = self.signs.clone();
        let seen = signs.wait_for(|signs| signs.iter().any(&wanted));
        let all = tokio::time::timeout(PATIENCE, seen).await.expect("a sign comes").unwrap().clone();
        all.into_iter().find(wanted).unwrap()
    }

    /// Waits until the session is lost, and says why.
    pub async fn lost(&self) -> Fault {
        match self.until(|sign| matches!(sign, Sign::Lost(_))).await {
            Sign::Lost(fault) => fault,
            other => panic!("{other:?}"),
        }
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
