//! Where a job could run, and what lacks where, before it is submitted.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

use super::Handle;
use crate::{
    backends::Fitness,
    connection::slot::Slot,
    error::Error,
    jobs::Job,
    model::{BackendId, Kind, Work},
};

/// Longest wait for one backend's answer.
const LIMIT: Duration = Duration::from_secs(20);

/// What a preflight found at one backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Candidate {
    /// The backend.
    pub backend: BackendId,
    /// Its kind, as configured.
    pub kind: Kind,
    /// Whether it could run the job.
    #[serde(flatten)]
    pub fitness: Fitness,
    /// The same as a sentence: `comfy-b lacks node X, model Y`.
    pub says: String,
}

impl Handle {
    /// Asks each backend that the job's target means whether it could run it; nothing is queued, nothing costs. Takes no
    /// slot, and at most 20 s.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// An unknown target, or work that is no JSON.
    pub async fn preflight(&self, job: &Job) -> Result<Vec<Candidate>, Error> {
        let work = job.work.clone()?;
        let slots = self.0.roster.candidates(&job.target)?;
        let asked = slots.iter().map(|slot| candidate(slot, &work));
        Ok(futures_util::future::join_all(asked).await)
    }
}

async fn candidate(slot: &Arc<Slot>, work: &Work) -> Candidate {
    let fitness = match slot.door.session() {
        None => {
            let reason = slot.record.read(|status| status.reason.as_ref().map(ToString::to_string));
            Fitness::unsaid(reason.unwrap_or_else(|| "it is not connected".to_owned()))
        }
        Some((_, session)) => match tokio::time::timeout(LIMIT, session.preflight(work)).await {
            Ok(Ok(fitness)) => fitness,
            Ok(Err(fault)) => Fitness::unsaid(fault.message()),
            Err(_) => Fitness::unsaid(format!("it did not answer within {LIMIT:?}")),
        },
    };
    let says = format!("{} {fitness}", slot.config.id);
    Candidate { backend: slot.config.id.clone(), kind: slot.config.kind, fitness, says }
}
