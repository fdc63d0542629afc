//! Cancelling one call.

use http::Method;
use serde::Serialize;

use crate::{
    backends::gradio::{
        memory::{Handle, Standing},
        session::Session,
    },
    model::{Code, Fault},
};

#[derive(Serialize)]
struct Body<'a> {
    session_hash: &'a str,
    fn_index: u64,
    event_id: &'a str,
}

/// Cancels the call with this id.
///
/// A running call is cancelled by the app: its stream then ends with a success that has no values. A generator is
/// closed; a plain function keeps running in its thread, unseen (4.44.1, 5.29.0, 6.31.0). A queued call is not left
/// to the app: 4.44.1 and 5.29.0 answer the same and run it all the same when its turn comes. They forget it when its
/// stream is dropped, so that is done first.
///
/// # Errors
/// [`Code::NotFound`] where this connector neither sent it nor took it up: the app wants the id that it gave the call.
pub(super) async fn cancel(session: &Session, remote: String) -> Result<(), Fault> {
    let Some(Handle { function, session: hash, event, standing, leave }) = session.memory().handle(&remote)
    else {
        let message = format!("`{remote}` is not under way at {}", session.target().id);
        return Err(Fault::new(Code::NotFound, message));
    };
    if standing == Standing::Queued {
        leave.cancel();
    }
    let Some(event) = event else {
        // The app wants its own id, and has not told it: the stream that was left is all that can be done.
        return Ok(());
    };
    let body = Body { session_hash: &hash, fn_index: function, event_id: &event };
    // It answers 200 whatever it is told, also for a call that it does not know.
    session.ask(session.request(Method::POST, "cancel").json(&body)).await.map(|_| ())
}
