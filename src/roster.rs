//! The wanted set of backends and pools: the cell from which a restarted supervisor starts the same children, and the
//! way from a target's name to its route.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use arc_swap::ArcSwap;
use backline_supervisors::Branch;
use indexmap::IndexMap;
use ractor::ActorRef;

use crate::{
    config::{BackendConfig, PoolConfig},
    connection::{actor::Msg, slot::Slot},
    error::Error,
    model::{BackendId, Capability},
    pool::{line::Line, plan::Plan, route::Route},
};

/// The backends and pools that are wanted now, in order.
pub(crate) struct Roster {
    places: RwLock<IndexMap<BackendId, Place>>,
    backends: OnceLock<Branch>,
    /// Who waits for a slot, whatever the target.
    pub(crate) line: Arc<Line>,
    /// The configured pools.
    pools: ArcSwap<IndexMap<BackendId, Arc<Route>>>,
    pool_branch: OnceLock<Branch>,
    /// A pool for each capability, in the order of [`Capability::ALL`].
    pub(crate) able: Vec<Arc<Route>>,
}

/// One backend: its slot, and the way to it by its id.
struct Place {
    slot: Arc<Slot>,
    route: Arc<Route>,
}

impl Default for Roster {
    fn default() -> Self {
        let line = Arc::<Line>::default();
        let stir = line.stir.clone();
        let able = Capability::ALL
            .map(|capability| Route::new(capability.as_str(), Plan::Able(capability), stir.clone()));
        Self {
            places: RwLock::default(),
            backends: OnceLock::new(),
            line,
            pools: ArcSwap::default(),
            pool_branch: OnceLock::new(),
            able: able.into(),
        }
    }
}

impl Roster {
    /// Where the connections' and the pools' actors are found; set once, by the tree.
    pub(crate) fn attach(&self, backends: Branch, pools: Branch) {
        // A second tree over one roster does not happen: both are made by the same call.
        let _ = self.backends.set(backends);
        let _ = self.pool_branch.set(pools);
    }

    /// Puts a slot in; one with the same id gives its place to it.
    pub(crate) fn insert(&self, slot: Arc<Slot>) {
        let place = Place { route: Route::to_backend(slot.clone(), self.line.stir.clone()), slot };
        let id = place.slot.config.id.clone();
        self.places.write().unwrap_or_else(PoisonError::into_inner).insert(id, place);
    }

    pub(crate) fn remove(&self, id: &BackendId) {
        self.places.write().unwrap_or_else(PoisonError::into_inner).shift_remove(id);
    }

    /// Brings the slots into this order.
    pub(crate) fn arrange<'a>(&self, order: impl Iterator<Item = &'a BackendId>) {
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        for (to, id) in
            order.filter(|id| places.contains_key(*id)).cloned().collect::<Vec<_>>().iter().enumerate()
        {
            if let Some(from) = places.get_index_of(id) {
                places.move_index(from, to);
            }
        }
    }

    /// What each backend runs under now.
    pub(crate) fn settings(&self) -> IndexMap<BackendId, Arc<BackendConfig>> {
        let slots = self.slots().into_iter();
        slots.map(|slot| (slot.config.id.clone(), slot.settings())).collect()
    }

    pub(crate) fn slots(&self) -> Vec<Arc<Slot>> {
        self.read(|places| places.values().map(|place| place.slot.clone()).collect())
    }

    pub(crate) fn slot(&self, id: &BackendId) -> Option<Arc<Slot>> {
        self.read(|places| places.get(id).map(|place| place.slot.clone()))
    }

    /// The slot with this name.
    pub(crate) fn named(&self, id: &str) -> Result<Arc<Slot>, Error> {
        let slot = self.read(|places| places.get(id).map(|place| place.slot.clone()));
        slot.ok_or_else(|| self.unknown(id))
    }

    /// The enabled slots that say that they can do this.
    pub(crate) fn able(&self, capability: Capability) -> Vec<Arc<Slot>> {
        let able = |slot: &Arc<Slot>| {
            slot.config.enabled && slot.record.read(|status| status.capabilities.contains(&capability))
        };
        self.slots().into_iter().filter(able).collect()
    }

    /// The way that a target names: a backend, a pool, or a capability.
    pub(crate) fn route(&self, target: &str) -> Result<Arc<Route>, Error> {
        if let Some(route) = self.read(|places| places.get(target).map(|place| place.route.clone())) {
            return Ok(route);
        }
        if let Some(route) = self.pools.load().get(target) {
            return Ok(route.clone());
        }
        let route = Capability::ALL.iter().position(|c| c.as_str() == target).map(|at| self.able[at].clone());
        match route {
            Some(route) if self.may_come(&route) => Ok(route),
            _ => Err(self.unknown(target)),
        }
    }

    /// The slots that a target names; for a capability also those that have not said yet what they can do.
    pub(crate) fn candidates(&self, target: &str) -> Result<Vec<Arc<Slot>>, Error> {
        let route = self.route(target)?;
        let Plan::Able(capability) = *route.plan() else {
            return Ok(route.members().iter().map(|member| member.slot.clone()).collect());
        };
        // Who has only just said what it can do is in the route in a moment; here it counts at once.
        let mut slots = self.able(capability);
        let silent =
            |slot: &Arc<Slot>| slot.config.enabled && slot.record.read(|s| s.capabilities.is_empty());
        slots.extend(self.slots().into_iter().filter(silent));
        Ok(slots)
    }

    /// Whether any backend can do it, or has not said yet what it can do.
    fn may_come(&self, route: &Route) -> bool {
        let silent =
            |slot: &Arc<Slot>| slot.config.enabled && slot.record.read(|s| s.capabilities.is_empty());
        let Plan::Able(capability) = *route.plan() else { return true };
        !self.able(capability).is_empty() || self.slots().iter().any(silent)
    }

    /// The configured pools.
    pub(crate) fn pools(&self) -> Arc<IndexMap<BackendId, Arc<Route>>> {
        self.pools.load_full()
    }

    /// Makes these the pools; those that stay keep their routes, and with them who waits.
    pub(crate) fn set_pools(&self, wanted: &IndexMap<BackendId, PoolConfig>) {
        let known = self.pools.load();
        let routes = wanted.iter().map(|(id, config)| {
            let plan = Plan::of(config);
            let made = || Route::new(id.as_str(), plan.clone(), Arc::default());
            let route = known.get(id).cloned().unwrap_or_else(made);
            route.replan(plan, config.slots);
            (id.clone(), route)
        });
        self.pools.store(Arc::new(routes.collect()));
    }

    /// The supervisor of the connections.
    pub(crate) fn branch(&self) -> Option<&Branch> {
        self.backends.get()
    }

    /// The supervisor of the pools.
    pub(crate) fn pool_branch(&self) -> Option<&Branch> {
        self.pool_branch.get()
    }

    /// The actor of a connection that lives now.
    pub(crate) fn connection(&self, id: &BackendId) -> Option<ActorRef<Msg>> {
        Some(ActorRef::from(self.backends.get()?.cell(id.as_str())?))
    }

    fn unknown(&self, target: &str) -> Error {
        let pools = self.pools.load();
        let backends = self.slots();
        let known = backends.iter().map(|slot| slot.config.id.as_str());
        let known: Vec<_> = known.chain(pools.keys().map(BackendId::as_str)).collect();
        Error::UnknownBackend { id: target.chars().take(80).collect(), known: known.join(", ") }
    }

    fn read<T>(&self, read: impl FnOnce(&IndexMap<BackendId, Place>) -> T) -> T {
        read(&self.places.read().unwrap_or_else(PoisonError::into_inner))
    }
}
