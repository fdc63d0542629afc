//! All that is known, one document.

use std::{collections::BTreeMap, sync::Arc};

use backline_supervisors::TreeSnapshot;
use jiff::Timestamp;
use serde::Serialize;

use crate::model::{BackendId, BackendStatus, Health, JobState, Phase};

/// The one-word answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
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

/// A pool in a snapshot: a configured one, or a capability that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct PoolStatus {
    pub id: Arc<str>,
    /// Members with a session that takes work.
    pub ready: u32,
    pub members: u32,
    /// Leases given through it that are held now.
    pub leases: u32,
    /// Who waits for one.
    pub waiting: u32,
    /// Leases given since the start.
    pub leased: u64,
    /// Those of them on a session that somebody had used before.
    pub reused: u64,
    /// Those of them that had to wait.
    pub waited: u64,
    /// The longest of these waits that ended with a lease, in milliseconds.
    pub longest_wait_ms: u64,
    /// Slots of its members' former sessions that somebody still holds.
    pub stale: u32,
    /// Where each member stands, and why.
    pub routes: Vec<RouteStatus>,
}

/// A member of a pool: whether it gets work, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct RouteStatus {
    pub backend: BackendId,
    /// In one sentence.
    pub standing: String,
}

/// All that is known, one document; reading it never waits.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
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
    #[cfg_attr(feature = "dashboard", schema(value_type = crate::http::TreeNode))]
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
