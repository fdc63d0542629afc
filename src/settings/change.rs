//! What differs between two sets of backends, and what it takes to get from one to the other. Pure.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use crate::{config::BackendConfig, model::BackendId};

/// How a changed backend takes its new settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The session stays; the new values count from now on.
    InPlace,
    /// It drains, is closed, and is started again: another address, key or time-out needs another session.
    Anew,
}

/// One backend that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Changed {
    /// Which.
    pub id: BackendId,
    /// How it takes the change.
    pub how: How,
}

/// What a new configuration changed. Each backend of either configuration stands in exactly one list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Change {
    /// Backends that are new.
    pub added: Vec<BackendId>,
    /// Backends that are no more.
    pub removed: Vec<BackendId>,
    /// Backends with other settings.
    pub changed: Vec<Changed>,
    /// Backends that kept their settings, and with them their sessions and running jobs.
    pub untouched: Vec<BackendId>,
}

impl Change {
    /// What leads from one set of backends to another.
    pub fn between(
        before: &IndexMap<BackendId, Arc<BackendConfig>>,
        after: &IndexMap<BackendId, Arc<BackendConfig>>,
    ) -> Self {
        let mut change = Self::default();
        change.removed.extend(before.keys().filter(|id| !after.contains_key(*id)).cloned());
        for (id, wanted) in after {
            match before.get(id).map(|now| difference(now, wanted)) {
                None => change.added.push(id.clone()),
                Some(None) => change.untouched.push(id.clone()),
                Some(Some(how)) => change.changed.push(Changed { id: id.clone(), how }),
            }
        }
        change
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// The backends that are started again.
    pub fn anew(&self) -> impl Iterator<Item = &BackendId> {
        self.changed.iter().filter(|changed| changed.how == How::Anew).map(|changed| &changed.id)
    }

    /// The backends that keep their sessions under other settings.
    pub fn in_place(&self) -> impl Iterator<Item = &BackendId> {
        self.changed.iter().filter(|changed| changed.how == How::InPlace).map(|changed| &changed.id)
    }
}

/// How one backend's settings differ; `None` where they do not.
fn difference(now: &BackendConfig, wanted: &BackendConfig) -> Option<How> {
    if now == wanted {
        return None;
    }
    Some(if retuned(now, wanted) == *wanted { How::InPlace } else { How::Anew })
}

/// The settings of now, with everything from `wanted` that a live session can take. A field that is not named here
/// needs a new session.
pub(crate) fn retuned(now: &BackendConfig, wanted: &BackendConfig) -> BackendConfig {
    let mut retuned = now.clone();
    retuned.required = wanted.required;
    retuned.source = wanted.source;
    retuned.probe = wanted.probe;
    retuned.hang_limit = wanted.hang_limit;
    retuned.limits = wanted.limits;
    retuned.depends_on.clone_from(&wanted.depends_on);
    retuned.thresholds = wanted.thresholds;
    retuned.unload = wanted.unload;
    retuned
}

#[cfg(test)]
mod tests;
