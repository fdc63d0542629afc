//! The settings of one pool.

use crate::model::{BackendId, Capability};

/// A set of interchangeable backends with one wait queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolConfig {
    /// Its name; no backend has the same.
    pub id: BackendId,
    /// Its backends; empty means every backend that has the capability.
    pub members: Vec<BackendId>,
    /// What its members are used for.
    pub capability: Option<Capability>,
    /// Leases at a time, over all members; none means as many as they have slots.
    pub slots: Option<u32>,
}

impl PoolConfig {
    /// A pool of these backends.
    pub fn new(id: BackendId, members: impl IntoIterator<Item = BackendId>) -> Self {
        Self { id, members: members.into_iter().collect(), capability: None, slots: None }
    }

    /// Says what its members are used for.
    #[must_use]
    pub fn with_capability(mut self, capability: Capability) -> Self {
        self.capability = Some(capability);
        self
    }

    /// Limits the leases at a time, over all members.
    #[must_use]
    pub fn with_slots(mut self, slots: u32) -> Self {
        self.slots = Some(slots);
        self
    }
}
