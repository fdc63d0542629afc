//! Whether the app lives, by its cheapest answers.

use http::Method;
use serde::Deserialize;

use crate::{
    backends::{
        gradio::{identify, session::Session},
        session::Pulse,
    },
    model::{Code, Fault, status::Queue},
    net::body,
};

/// The answer of `queue/status`.
#[derive(Deserialize)]
struct QueueStatus {
    queue_size: u32,
}

/// Asks which start of the app answers.
///
/// # Errors
/// [`Code::ConnectionClosed`] where it is another than the session's.
pub(super) async fn same_boot(session: &Session) -> Result<(), Fault> {
    let path = session.path("app_id");
    let asked = identify::boot(session.http(), session.target(), &path);
    let boot = session.bounded(session.limit(), asked).await?;
    if boot == session.boot() {
        return Ok(());
    }
    Err(Fault::new(Code::ConnectionClosed, format!("{}: the app was restarted", session.target().id)))
}

/// Longest wait for an app to say that it has begun.
const WAKE: std::time::Duration = std::time::Duration::from_secs(2);

/// Tells the app to begin its work, as its own launcher does: one that is mounted into another program begins with the
/// first such request, and until then its queue takes calls and runs none (4.44.1, 5.29.0, 6.31.0). It is answered with
/// `true` the first time, `false` ever after; without an answer there is nothing to be known, or done.
pub(super) async fn wake(session: &Session) {
    let asked = session.ask(session.request(Method::GET, "startup-events"));
    if let Err(fault) = session.bounded(WAKE, asked).await {
        tracing::debug!(backend = %session.target().id, %fault, "the app was not told to begin");
    }
}

/// Two of the app's cheapest answers: its boot id, and the length of its queue.
pub(super) async fn pulse(session: &Session) -> Result<Pulse, Fault> {
    same_boot(session).await?;
    let pending = match queued(session).await {
        Ok(pending) => Some(pending),
        Err(fault) if fault.code() == Code::AuthRequired => {
            let message = format!("{}: the app no longer knows our log-in", session.target().id);
            return Err(Fault::new(Code::ConnectionClosed, message));
        }
        // An app without a queue has no such route.
        Err(fault) if matches!(fault.code(), Code::NotFound | Code::Protocol) => None,
        Err(fault) => return Err(fault),
    };
    // The app does not say what runs; what we run ourselves is known.
    let running = u32::try_from(session.running().count()).unwrap_or(u32::MAX);
    Ok(Pulse { queue: pending.map(|pending| Queue { running, pending }), ..Pulse::default() })
}

async fn queued(session: &Session) -> Result<u32, Fault> {
    let answer = session.ask(session.request(Method::GET, "queue/status")).await?;
    let status: QueueStatus = session.bounded(session.limit(), body::json(answer, body::ERROR_CAP)).await?;
    Ok(status.queue_size)
}
