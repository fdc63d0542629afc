//! The task that dials and then watches the live channel. It decides nothing.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use ractor::ActorRef;
use tokio::time::Instant;

use crate::{
    backends::{Dialed, Session, Sign},
    connection::{
        actor::Msg,
        alarm::Task,
        machine::{Vital, Witness},
        slot::Slot,
    },
    model::{Channel, Code, Epoch, Fault, Identity},
};

/// Longest attempt, log-in and live channel included.
const DIAL: Duration = Duration::from_secs(30);

/// What an attempt brought.
pub(crate) struct Opened {
    pub(crate) session: Arc<dyn Session>,
    pub(crate) identity: Identity,
    pub(crate) channel: Channel,
}

/// Dials, tells the actor what came of it, and watches until the end. Dropping it hangs up.
pub(crate) fn start(slot: Arc<Slot>, epoch: Epoch, actor: ActorRef<Msg>) -> Task {
    let span = tracing::info_span!("link", backend = %slot.config.id, %epoch);
    let work = async move {
        let tell = |msg| {
            // An actor that is gone drops this task next.
            let _ = actor.cast(msg);
        };
        match dial(&slot, epoch).await {
            Err(fault) => tell(Msg::Dialed { epoch, result: Err(fault) }),
            Ok(dialed) => {
                let Dialed { session, identity, channel, mut live } = dialed;
                let opened = Opened { session: session.clone(), identity, channel };
                tell(Msg::Dialed { epoch, result: Ok(Box::new(opened)) });
                let end = loop {
                    match live.next().await {
                        Some(Sign::Lost(fault)) => break fault,
                        Some(sign) => pass_on(&slot, &session, epoch, sign, &tell),
                        None => break Fault::new(Code::ConnectionClosed, "the live channel ended"),
                    }
                };
                tell(Msg::Vital { epoch, vital: Vital::Lost(end) });
            }
        }
    };
    Task::spawn(tracing::Instrument::instrument(work, span))
}

async fn dial(slot: &Slot, epoch: Epoch) -> Result<Dialed, Fault> {
    let wait = slot.pace.book(Instant::now());
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let connector = slot.connector()?;
    match tokio::time::timeout(DIAL, connector.dial(epoch)).await {
        Ok(dialed) => dialed,
        Err(_) => {
            let place = slot.config.url.authority();
            Err(Fault::new(Code::ConnectTimeout, format!("{place}: no session within {DIAL:?}")))
        }
    }
}

/// What changes the session's life goes to the actor; what is only shown goes to the record, past the mailbox, so
/// that a backend which floods us fills no queue.
fn pass_on(slot: &Slot, session: &Arc<dyn Session>, epoch: Epoch, sign: Sign, tell: &impl Fn(Msg)) {
    let current = || slot.door.session().is_some_and(|(at, now)| at == epoch && Arc::ptr_eq(&now, session));
    match sign {
        Sign::Heard => tell(Msg::Vital { epoch, vital: Vital::Heard(Witness::Link) }),
        Sign::Silent(fault) => tell(Msg::Vital { epoch, vital: Vital::Silent(Witness::Link, fault) }),
        Sign::Lost(fault) => tell(Msg::Vital { epoch, vital: Vital::Lost(fault) }),
        Sign::Channel(channel) => {
            if current() {
                slot.record.update(|status| status.channel = channel);
            }
        }
        Sign::Queue(queue) => {
            let news = slot.record.read(|status| status.queue != Some(queue));
            if news && current() {
                slot.record.update(|status| status.queue = Some(queue));
            }
        }
        Sign::Identity(identity) => {
            if current() {
                slot.record.update(|status| super::actor::show_identity(status, *identity));
            }
        }
    }
}
