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
}

impl PoolConfig {
    /// A pool of these backends.
    pub fn new(id: BackendId, members: impl IntoIterator<Item = BackendId>) -> Self {
        Self { id, members: members.into_iter().collect(), capability: None }
    }

    /// Says what its members are used for.
    #[must_use]
    pub fn with_capability(mut self, capability: Capability) -> Self {
        self.capability = Some(capability);
        self
    }
}
