//! One probe of one session.

use std::time::Duration;

use tokio::time::Instant;

use super::actor::Msg;
use crate::{
    connection::slot::Slot,
    model::{Code, Epoch, Fault},
    net::witness::told_elsewhere,
};

/// A time-out that comes so much too late tells of us, not of the backend.
const LATE: Duration = Duration::from_millis(500);

/// Asks the session that is open now whether its backend lives, and says what came of it.
pub(super) async fn ask(slot: &Slot, limit: Duration) -> Msg {
    let id = slot.config.id.clone();
    let Some((epoch, session)) = slot.door.session() else {
        let fault = Fault::new(Code::ConnectionClosed, "the session ended before it was probed");
        return Msg::Probed { id, epoch: Epoch::ZERO, took: Duration::ZERO, outcome: Err(fault) };
    };
    let begun = Instant::now();
    let outcome = match tokio::time::timeout(limit, told_elsewhere(session.probe())).await {
        Ok(outcome) => outcome,
        // The process was stopped, the machine slept, or its cores were taken: its answer may be here unread.
        Err(_) if begun.elapsed() > limit + LATE => return Msg::Void { id, epoch },
        Err(_) => {
            let place = slot.config.url.authority();
            let message = format!("{place}: connected, but no answer to a probe in {limit:?}");
            Err(Fault::new(Code::Hang, message))
        }
    };
    Msg::Probed { id, epoch, took: begun.elapsed(), outcome }
}
