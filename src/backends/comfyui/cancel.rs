//! What is commanded of a ComfyUI: the cancel of one job, and of no other; clearing its card.

use http::Method;
use serde::Serialize;

use crate::{
    backends::comfyui::{
        queue::Place,
        session::{Session, unexpected},
    },
    model::Fault,
};

/// A job can begin between the look at the queue and its removal from it.
const LOOKS: u32 = 3;

#[derive(Serialize)]
struct Delete<'a> {
    delete: [&'a str; 1],
}

#[derive(Serialize)]
struct Interrupt<'a> {
    prompt_id: &'a str,
}

/// Cancels a job where it stands: a waiting one is deleted, a running one interrupted.
///
/// Both commands carry the id. Without one, `/interrupt` stops whatever runs (0.3.64 and 0.24.0 do); a server too old
/// to know the id there would do the same, so it is sent only while the job is seen running.
pub(super) async fn cancel(session: &Session, id: String) -> Result<(), Fault> {
    session.board().wish_cancel(&id);
    for _ in 0..LOOKS {
        match session.place_of(&id).await? {
            Place::Absent => break,
            Place::Pending(_) => post(session, "queue", &Delete { delete: [&id] }).await?,
            Place::Running => {
                post(session, "interrupt", &Interrupt { prompt_id: &id }).await?;
                break;
            }
        }
    }
    session.board().ring(&id);
    Ok(())
}

#[derive(Serialize)]
struct Free {
    unload_models: bool,
    free_memory: bool,
}

/// Unloads its models and frees what they took (`/free`; 0.3.64 and 0.24.0 answer at once and do it when nothing runs).
pub(super) async fn unload(session: &Session) -> Result<(), Fault> {
    post(session, "free", &Free { unload_models: true, free_memory: true }).await
}

pub(super) async fn post(session: &Session, path: &str, body: &(impl Serialize + Sync)) -> Result<(), Fault> {
    let exchange = async {
        let request = session.http().keyed(Method::POST, path).json(body);
        let answer = session.http().send(request, session.limit()).await?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(unexpected(status, path)) }
    };
    session.bounded(session.limit(), exchange).await
}
