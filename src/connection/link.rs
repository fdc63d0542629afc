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
        backoff::Pacing,
        machine::{Vital, Witness},
        slot::Slot,
    },
    model::{Channel, Code, Epoch, Fault, Identity},
    net::witness::told_elsewhere,
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
        // Boxed: what a dial needs is not to be kept as long as the session.
        match Box::pin(dial(&slot, epoch)).await {
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
    Task::spawn(tracing::Instrument::instrument(told_elsewhere(work), span))
}

/// One attempt. Where others go to the same address, it may learn from them instead of dialing for nothing.
async fn dial(slot: &Slot, epoch: Epoch) -> Result<Dialed, Fault> {
    if !slot.shares_endpoint() {
        return attempt(slot, epoch, Haste::Paced).await;
    }
    let turn = slot.endpoint.turn().await?;
    let haste = if slot.endpoint.is_proven() { Haste::AtOnce } else { Haste::Paced };
    let dialed = attempt(slot, epoch, haste).await;
    let pacing = if slot.config.url.is_loopback() { Pacing::Loopback } else { Pacing::Network };
    turn.told(dialed.as_ref().map(|_| ()), pacing);
    dialed
}

/// Whether a dial waits for its turn among all dials of the process.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Haste {
    Paced,
    /// Somebody is known to be there, and the address lets only so many in at once.
    AtOnce,
}

async fn attempt(slot: &Slot, epoch: Epoch, haste: Haste) -> Result<Dialed, Fault> {
    let wait = match haste {
        Haste::Paced => slot.pace.book(Instant::now()),
        Haste::AtOnce => Duration::ZERO,
    };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let connector = slot.connector()?;
    let dialed = match tokio::time::timeout(DIAL, connector.dial(epoch)).await {
        Ok(dialed) => dialed,
        Err(_) => {
            let place = slot.config.url.authority();
            Err(Fault::new(Code::ConnectTimeout, format!("{place}: no session within {DIAL:?}")))
        }
    };
    let outcome = dialed.as_ref().map_or_else(|fault| fault.code().as_str(), |_| "ok");
    slot.record.meter().attempted(slot.config.id.as_str(), outcome);
    dialed
}

/// What changes the session's life goes to the actor; what is only shown goes to the record, past the mailbox, so
/// that a backend which floods us fills no queue.
fn pass_on(slot: &Arc<Slot>, session: &Arc<dyn Session>, epoch: Epoch, sign: Sign, tell: &impl Fn(Msg)) {
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
                slot.queued(queue);
            }
        }
        Sign::Identity(identity) => {
            if current() {
                slot.record.observe(epoch, *identity, |_| {});
            }
        }
    }
}
