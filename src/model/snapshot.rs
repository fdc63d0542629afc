//! All that is known, one document.

use std::{collections::BTreeMap, sync::Arc};

use backline_supervisors::TreeSnapshot;
use jiff::Timestamp;
use serde::Serialize;

use crate::model::{BackendId, BackendStatus, Health, JobState, Phase};

/// The one-word answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Overall {
    /// All that count are ready and not unhealthy.
    Healthy,
    /// Some are.
    Degraded,
    /// None is, or there is none.
    Down,
}

/// A pool in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct PoolStatus {
    pub id: BackendId,
    pub ready: u32,
    pub members: u32,
    pub leases: u32,
    pub waiting: u32,
}

/// All that is known, one document; reading it never waits.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// This run of the supervisor; another run counts its revisions anew.
    pub run: Arc<str>,
    /// Grows with every change.
    pub revision: u64,
    /// When, by the wall clock.
    pub at: Timestamp,
    /// The one-word answer.
    pub overall: Overall,
    /// The backends, in the order of the configuration.
    pub backends: Vec<Arc<BackendStatus>>,
    /// The pools.
    pub pools: Vec<PoolStatus>,
    /// How many jobs stand where.
    pub jobs: BTreeMap<JobState, u64>,
    /// The supervision tree.
    pub tree: Arc<TreeSnapshot>,
}

impl Snapshot {
    /// The backend with this id.
    pub fn backend(&self, id: &str) -> Option<&Arc<BackendStatus>> {
        self.backends.iter().find(|b| b.id.as_str() == id)
    }

    /// Looks at the required backends; where none is marked, at every enabled one.
    pub fn judge(backends: &[Arc<BackendStatus>]) -> Overall {
        let enabled = || backends.iter().filter(|b| b.enabled);
        let any_required = enabled().any(|b| b.required);
        let (mut all, mut fit) = (0, 0);
        for backend in enabled().filter(|b| b.required || !any_required) {
            all += 1;
            fit += usize::from(backend.phase == Phase::Ready && backend.health != Health::Unhealthy);
        }
        match fit {
            0 => Overall::Down,
            n if n == all => Overall::Healthy,
            _ => Overall::Degraded,
        }
    }
}
