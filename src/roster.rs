//! The wanted set of backends: the cell from which a restarted `backends` supervisor starts the same children.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use backline_supervisors::Branch;
use indexmap::IndexMap;
use ractor::ActorRef;

use crate::{
    config::BackendConfig,
    connection::{actor::Msg, slot::Slot},
    error::Error,
    model::{BackendId, Capability, Phase},
};

/// The backends that are wanted now, in order, each with its slot.
#[derive(Default)]
pub(crate) struct Roster {
    slots: RwLock<IndexMap<BackendId, Arc<Slot>>>,
    backends: OnceLock<Branch>,
}

impl Roster {
    /// Where the connections' actors are found; set once, by the tree.
    pub(crate) fn attach(&self, backends: Branch) {
        // A second tree over one roster does not happen: both are made by the same call.
        let _ = self.backends.set(backends);
    }

    /// Puts a slot in; one with the same id gives its place to it.
    pub(crate) fn insert(&self, slot: Arc<Slot>) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).insert(slot.config.id.clone(), slot);
    }

    pub(crate) fn remove(&self, id: &BackendId) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).shift_remove(id);
    }

    /// Brings the slots into this order.
    pub(crate) fn arrange<'a>(&self, order: impl Iterator<Item = &'a BackendId>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        for (to, id) in
            order.filter(|id| slots.contains_key(*id)).cloned().collect::<Vec<_>>().iter().enumerate()
        {
            if let Some(from) = slots.get_index_of(id) {
                slots.move_index(from, to);
            }
        }
    }

    /// What each backend runs under now.
    pub(crate) fn settings(&self) -> IndexMap<BackendId, BackendConfig> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().map(|(id, slot)| (id.clone(), BackendConfig::clone(&slot.settings()))).collect()
    }

    pub(crate) fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn slot(&self, id: &BackendId) -> Option<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The slot with this name.
    pub(crate) fn named(&self, id: &str) -> Result<Arc<Slot>, Error> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.get(id).cloned().ok_or_else(|| Error::UnknownBackend {
            id: id.chars().take(80).collect(),
            known: slots.keys().map(BackendId::as_str).collect::<Vec<_>>().join(", "),
        })
    }

    /// The slots that a target names: a backend, or all that have a capability (best first: ready, then most free
    /// slots; those that have not yet said what they can do come last).
    pub(crate) fn candidates(&self, target: &str) -> Result<Vec<Arc<Slot>>, Error> {
        let Ok(capability) = target.parse::<Capability>() else { return Ok(vec![self.named(target)?]) };
        let mut ranked: Vec<_> = self
            .slots()
            .into_iter()
            .filter_map(|slot| rank(&slot, capability).map(|rank| (rank, slot)))
            .collect();
        ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        Ok(ranked.into_iter().map(|(_, slot)| slot).collect())
    }

    /// The supervisor of the connections.
    pub(crate) fn branch(&self) -> Option<&Branch> {
        self.backends.get()
    }

    /// The actor of a connection that lives now.
    pub(crate) fn connection(&self, id: &BackendId) -> Option<ActorRef<Msg>> {
        Some(ActorRef::from(self.backends.get()?.cell(id.as_str())?))
    }
}

fn rank(slot: &Slot, capability: Capability) -> Option<(bool, u32)> {
    let (used, limit) = slot.door.slots();
    slot.record.read(|status| {
        let says = status.capabilities.contains(&capability);
        let silent = status.capabilities.is_empty() && slot.config.enabled;
        (says || silent).then(|| (says && status.phase == Phase::Ready, limit.saturating_sub(used)))
    })
}
