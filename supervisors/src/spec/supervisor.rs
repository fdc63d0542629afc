//! What a supervisor is told of itself.

use std::{sync::Arc, time::Duration};

use crate::{ChildSpec, Intensity, Strategy};

/// Gives the children of a supervisor at each of its starts, after the fixed ones.
pub(crate) type Wanted = Arc<dyn Fn() -> Vec<ChildSpec> + Send + Sync>;

/// One supervisor: its strategy, its patience, its children.
#[derive(Clone)]
pub struct SupervisorSpec {
    pub(crate) id: Arc<str>,
    pub(crate) strategy: Strategy,
    pub(crate) intensity: Intensity,
    pub(crate) children: Vec<ChildSpec>,
    pub(crate) wanted: Option<Wanted>,
    pub(crate) seed: u64,
}

impl SupervisorSpec {
    /// A supervisor without children: one_for_one, 3 restarts in 60 s.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self {
            id: id.into(),
            strategy: Strategy::default(),
            intensity: Intensity::default(),
            children: Vec::new(),
            wanted: None,
            seed: fastrand::u64(..),
        }
    }

    /// Who is restarted with whom.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// When it gives up.
    #[must_use]
    pub fn intensity(mut self, restarts: u32, within: Duration) -> Self {
        self.intensity = Intensity::new(restarts, within);
        self
    }

    /// Adds a child after the others.
    #[must_use]
    pub fn child(mut self, child: ChildSpec) -> Self {
        self.children.push(child);
        self
    }

    /// Children that are asked for at each start: so a supervisor that was restarted itself has the children that are
    /// wanted now, not those of its first start.
    #[must_use]
    pub fn wanted(mut self, wanted: impl Fn() -> Vec<ChildSpec> + Send + Sync + 'static) -> Self {
        self.wanted = Some(Arc::new(wanted));
        self
    }

    /// Fixes the dice of the restart delays.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}
