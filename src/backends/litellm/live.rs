//! What stands in for a live channel: LiteLLM has none, so a suspicion that real traffic raises is looked into at once.
//!
//! Without it a killed server would be seen by the next probes only.

use std::{sync::Arc, time::Duration};

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;

use crate::{
    backends::{
        Sign,
        litellm::{offer::Offer, session::Session},
    },
    model::{Class, Fault},
};

/// Longest wait for the answer to a suspicion.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between looks at a server that is silent.
const PAUSE: Duration = Duration::from_secs(1);

/// How the server was at the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Answering,
    Silent,
    Lost,
}

struct Watch {
    session: Arc<Session>,
    offer: watch::Receiver<Arc<Offer>>,
    mood: Mood,
}

/// The signs of a session, for as long as it lasts.
pub(super) fn signs(session: Arc<Session>) -> BoxStream<'static, Sign> {
    let offer = session.offer_changes();
    let watch = Watch { session, offer, mood: Mood::Answering };
    stream::unfold(watch, |mut watch| async move { Some((watch.next().await?, watch)) }).boxed()
}

impl Watch {
    async fn next(&mut self) -> Option<Sign> {
        if self.mood == Mood::Lost {
            return None;
        }
        loop {
            let session = self.session.clone();
            tokio::select! {
                biased;
                () = session.tie().over() => return None,
                () = session.tie().suspected() => {}
                () = tokio::time::sleep(PAUSE), if self.mood == Mood::Silent => {}
                Ok(()) = self.offer.changed() => {
                    self.offer.borrow_and_update();
                    return Some(Sign::Identity(Box::new(session.identity())));
                }
            }
            if let Some(sign) = self.judge(session.look(PATIENCE).await) {
                return Some(sign);
            }
        }
    }

    fn judge(&mut self, look: Result<(), Fault>) -> Option<Sign> {
        let before = self.mood;
        match look {
            Err(fault) if fault.class() == Class::Unreachable => {
                self.mood = Mood::Lost;
                Some(Sign::Lost(fault))
            }
            Err(fault) if fault.class() == Class::Timeout => {
                self.mood = Mood::Silent;
                (before != Mood::Silent).then_some(Sign::Silent(fault))
            }
            // It answers; whether well is for the probe to say.
            Ok(()) | Err(_) => {
                self.mood = Mood::Answering;
                (before == Mood::Silent).then_some(Sign::Heard)
            }
        }
    }
}
