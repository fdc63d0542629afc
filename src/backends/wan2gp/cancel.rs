//! Ends one generation, and no other.

use serde::Serialize;

use crate::{
    backends::wan2gp::{memory::Standing, run::job_id, session::Session, snapshot::Snapshot},
    model::{Code, Fault},
};

#[derive(Serialize)]
pub(super) struct ByJob<'a> {
    pub(super) job_id: &'a str,
    pub(super) event_limit: u32,
}

/// Cancels the job with this id. One that the server has not taken yet is cancelled once it has, by whoever sends it.
pub(super) async fn cancel(session: &Session, remote: &str) -> Result<(), Fault> {
    let job = match session.memory.wish_cancel(remote) {
        Some(Standing::Known(job)) => job,
        Some(Standing::Preparing | Standing::Sent) => return Ok(()),
        None => job_id(remote)
            .ok_or_else(|| Fault::new(Code::NotFound, format!("nothing runs under the id {remote}")))?
            .to_owned(),
    };
    tell(session, &job).await
}

/// Tells the server. A job that is over already stays as it ended.
pub(super) async fn tell(session: &Session, job: &str) -> Result<(), Fault> {
    let asked = ByJob { job_id: job, event_limit: 0 };
    session.wire.document::<Snapshot>("wangp_cancel_job", asked).await.map(drop)
}
