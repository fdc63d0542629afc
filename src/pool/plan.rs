//! Who belongs to a pool: the configuration's word, applied to the backends that there are.

use std::sync::Arc;

use crate::{
    config::PoolConfig,
    connection::slot::Slot,
    model::{BackendId, Capability},
    pool::member::Member,
    roster::Roster,
};

/// Who belongs to a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// This one.
    Backend,
    /// These.
    Listed(Vec<BackendId>),
    /// All that say that they can do this.
    Able(Capability),
}

impl Plan {
    pub(crate) fn of(config: &PoolConfig) -> Self {
        match config.capability {
            Some(capability) if config.members.is_empty() => Self::Able(capability),
            _ => Self::Listed(config.members.clone()),
        }
    }

    /// The members as things are now; `None` where they never change.
    pub(crate) fn members(&self, roster: &Roster) -> Option<Vec<Member>> {
        let slots = match self {
            Self::Backend => return None,
            Self::Listed(ids) => ids.iter().filter_map(|id| roster.slot(id)).collect(),
            Self::Able(capability) => roster.able(*capability),
        };
        Some(slots.into_iter().filter(|slot| slot.config.enabled).map(member).collect())
    }
}

fn member(slot: Arc<Slot>) -> Member {
    let weight = slot.settings().limits.weight;
    let text = |models: &[String]| models.iter().map(|model| Arc::from(model.as_str())).collect();
    let (models, loaded) = slot.record.read(|status| (text(&status.models), text(&status.loaded)));
    Member { slot, weight, models, loaded }
}
