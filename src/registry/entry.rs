//! One backend in the registry, as it is answered.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{compatibility::Compatibility, observed::Observed};
use crate::model::{
    BackendId, BackendStatus, Capability, Evidence, Health, Kind, Names, Phase, Signature, status::Slots,
};

/// Grows when a field of [`Register`] or [`Entry`] changes its meaning; new fields leave it.
pub const SCHEMA: u32 = 1;

/// The registry as a document.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Register {
    /// The version of the form.
    pub schema: u32,
    /// The backends, best first where a capability was asked for, else in the order of the configuration.
    pub backends: Vec<Entry>,
}

/// One backend: what it can do, what shows that, and how old that knowledge is.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the contract's")]
pub struct Entry {
    pub id: BackendId,
    pub kind: Kind,
    pub phase: Phase,
    pub health: Health,
    /// Whether it was seen so in the session that is open now.
    pub standing: Standing,
    /// The session in which it was seen so; 0 where it was never seen.
    pub epoch: u64,
    pub version: Option<String>,
    pub compatibility: Compatibility,
    pub title: Option<String>,
    pub capabilities: Vec<Capability>,
    #[cfg_attr(feature = "dashboard", schema(value_type = Vec<String>))]
    pub models: Names,
    #[cfg_attr(feature = "dashboard", schema(value_type = Vec<String>))]
    pub functions: Names,
    #[cfg_attr(feature = "dashboard", schema(value_type = Vec<String>))]
    pub nodes: Names,
    /// What shows that it can do each capability.
    pub evidence: Vec<Evidence>,
    /// What the functions take.
    pub signatures: Vec<Signature>,
    pub limits: Limits,
    pub observed_at: Option<Timestamp>,
    /// Seconds since then.
    pub age_s: Option<f64>,
}

/// How much a backend is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Limits {
    /// Leases at once, and those that are given now.
    pub slots: Slots,
}

/// Whether what is known of a backend is seen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// Seen in the session that is open.
    Current,
    /// The last that was known: there is no session, or it was not looked at wholly yet.
    LastKnown,
    /// Nothing was ever seen of it.
    Unknown,
}

impl Register {
    /// A document over these.
    pub(crate) fn of(backends: Vec<Entry>) -> Self {
        Self { schema: SCHEMA, backends }
    }
}

impl Entry {
    /// What is known of a backend, beside how it is now.
    pub(crate) fn new(status: &BackendStatus, observed: Option<&Arc<Observed>>, now: Timestamp) -> Self {
        let identity = observed.map(|observed| observed.identity.clone()).unwrap_or_default();
        let fresh = |observed: &&Arc<Observed>| {
            let open = matches!(status.phase, Phase::Ready | Phase::Draining);
            // A sketch that stands for itself is what is known of this session; one that an older look stands for not.
            open && observed.epoch.get() == status.epoch && observed.depth == observed.identity.depth
        };
        let standing = match observed {
            None => Standing::Unknown,
            Some(_) if observed.filter(fresh).is_some() => Standing::Current,
            Some(_) => Standing::LastKnown,
        };
        Self {
            id: status.id.clone(),
            kind: status.kind,
            phase: status.phase,
            health: status.health,
            standing,
            epoch: observed.map_or(0, |observed| observed.epoch.get()),
            compatibility: Compatibility::of(status.kind, identity.version.as_deref()),
            version: identity.version.clone(),
            title: identity.title.clone(),
            capabilities: identity.capabilities.clone(),
            models: identity.models.clone(),
            functions: identity.functions.clone(),
            nodes: identity.nodes.clone(),
            evidence: identity.evidence.clone(),
            signatures: identity.signatures.clone(),
            limits: Limits { slots: status.slots },
            observed_at: observed.map(|observed| observed.at),
            age_s: observed.map(|observed| now.duration_since(observed.at).as_secs_f64().max(0.0)),
        }
    }

    /// Free slots, where it would take work now.
    fn free(&self) -> Option<u32> {
        let slots = self.limits.slots;
        (self.phase == Phase::Ready).then(|| slots.limit.saturating_sub(slots.used))
    }

    /// Leaves only the evidence of this capability.
    pub(crate) fn only(mut self, capability: Capability) -> Self {
        self.evidence.retain(|evidence| evidence.capability == capability);
        self
    }
}

/// Brings the best first: ready and well, then with the most free slots.
pub(crate) fn rank(entries: &mut [Entry]) {
    entries.sort_by_key(|entry| {
        std::cmp::Reverse((entry.free().is_some(), entry.health != Health::Unhealthy, entry.free()))
    });
}
