//! Active checks: one actor probes every session, judges with hysteresis, and advises. The connection decides.

pub(crate) mod actor;
pub mod answers;
mod ask;
mod blame;
mod endpoint;
pub mod history;
mod patient;
mod root;
pub mod verdict;
mod ward;

use serde::Serialize;

use crate::model::{BackendId, Health, status::Quantiles};

/// What health knows of one backend.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// The backend.
    pub backend: BackendId,
    /// The judgement.
    pub health: Health,
    /// Whether it lives, is ready, and can do what.
    #[serde(flatten)]
    pub answers: answers::Answers,
    /// Probes of this run.
    pub probes: u64,
    /// Share of the recent probes that were answered, 0 to 1; `None` before the first.
    pub success_rate: Option<f64>,
    /// How long answers took.
    pub latency_ms: Option<Quantiles>,
    /// What the last probe that failed met, until one is answered.
    pub fault: Option<crate::model::Fault>,
}
