//! Tells connections of the backends that theirs needs.

use std::sync::Arc;

use super::root::root_of;
use crate::{
    connection::{actor::Msg, machine::Command, slot::Slot},
    model::{BackendId, Phase},
    roster::Roster,
};

/// Finds for each backend that needs others whether one of those is not ready, and lets its connection show that.
pub(super) fn blame(roster: &Roster, slots: &[Arc<Slot>]) {
    let look = |id: &BackendId| roster.slot(id).map(|slot| slot.record.read(Clone::clone));
    for slot in slots.iter().filter(|slot| slot.config.enabled) {
        let root = if slot.needs_others() { root_of(&slot.settings().depends_on, &look) } else { None };
        let back = root.is_none();
        // Without an actor nobody shows it: the next turn comes back to it.
        if slot.root_cause().as_deref() == root.as_ref() {
            continue;
        }
        let Some(connection) = roster.connection(&slot.config.id) else { continue };
        slot.blame(root);
        // What fell with the other one is likely to be back with it, and need not wait for its turn.
        let waits = back && slot.record.read(|status| status.phase == Phase::Waiting);
        let told = if waits { Msg::Command(Command::Reconnect) } else { Msg::Leans };
        // A connection that ends just now has nothing to show.
        let _ = connection.cast(told);
    }
}
