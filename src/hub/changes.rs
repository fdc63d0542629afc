//! What a change of a backend's status comes to. Pure.

use std::sync::Arc;

use crate::model::{BackendStatus, Code, EventBody, Fault, Phase};

/// What decides who belongs to a pool, and who of it gets work.
pub(super) fn moves(status: &BackendStatus) -> impl PartialEq + use<'_> {
    let abilities = (&status.capabilities, &status.models, &status.loaded);
    (status.phase == Phase::Ready, status.health, status.cordoned_at, &status.depends_on, abilities)
}

/// The events that say what changed.
pub(super) fn changes(before: &BackendStatus, after: &Arc<BackendStatus>) -> Vec<EventBody> {
    let mut bodies = Vec::new();
    let backend = after.id.clone();
    let reason = || {
        let own = after.last_error.as_ref().map(|e| Fault::new(e.code, &e.message).with_fix(&e.fix));
        own.or_else(|| after.root_cause.as_ref().map(|root| Fault::new(Code::DependencyDown, &root.message)))
    };
    if (before.phase, before.epoch) != (after.phase, after.epoch) {
        bodies.push(EventBody::BackendPhase {
            backend: backend.clone(),
            phase: after.phase,
            epoch: after.epoch,
            reason: after.reason.as_ref().and_then(|_| reason()),
            status: after.clone(),
        });
    }
    if before.health != after.health {
        bodies.push(EventBody::BackendHealth {
            backend: backend.clone(),
            health: after.health,
            epoch: after.epoch,
            reason: after.reason.as_ref().and_then(|_| reason()),
        });
    }
    if (&before.capabilities, &before.models, &before.functions)
        != (&after.capabilities, &after.models, &after.functions)
    {
        bodies.push(EventBody::BackendCapabilities { backend, status: after.clone() });
    }
    bodies
}
