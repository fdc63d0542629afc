//! How a pool stands, for a person.

use super::{ask::Ask, route::Route};
use crate::model::{PoolStatus, RouteStatus};

impl Route {
    /// Whether somebody asked for it.
    pub(crate) fn is_used(&self) -> bool {
        self.figures.counts().leases > 0 || self.waiting() > 0
    }

    /// How it stands now.
    pub(crate) fn status(&self) -> PoolStatus {
        let (members, counts) = (self.members(), self.figures.counts());
        let ask = Ask::default();
        let (view, standings) = (self.view(&members, &ask), self.standings(&ask));
        PoolStatus {
            id: self.name.clone(),
            ready: count(members.iter().filter(|m| m.look(&view).is_some()).count()),
            members: count(members.len()),
            leases: self.used(),
            waiting: self.waiting(),
            leased: counts.leases,
            reused: counts.reused,
            waited: counts.waits,
            longest_wait_ms: counts.longest_ms,
            stale: members.iter().map(|m| m.slot.door.seats.stale()).sum(),
            routes: members
                .iter()
                .zip(standings)
                .map(|(m, s)| RouteStatus { backend: m.slot.config.id.clone(), standing: s.words })
                .collect(),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
