//! A way in that was taken: what a lease is made of.

use std::{sync::Arc, time::Duration};

use crate::{
    backends::Session,
    connection::{door::Room, slot::Slot},
    model::Epoch,
    net::witness::told_elsewhere,
    pool::{Ask, Life, figures::Session as Was, outcome::Outcome, pick::Entry, route::Route, seats::Seat},
};

/// How long a backend may take to clear a card.
const UNLOAD: Duration = Duration::from_secs(10);

/// A way in that was taken. Dropping it, however that comes about, gives the slot to the next in line or back.
pub(crate) struct Pass {
    slot: Arc<Slot>,
    route: Arc<Route>,
    room: Arc<Room>,
    seat: Seat,
    hold: Hold,
    /// The number of the trial that it is.
    trial: Option<u64>,
}

/// Whether the slot is given back when the pass is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Held,
    TakenApart,
}

impl Pass {
    /// Takes a slot of this backend, where one is free.
    pub(super) fn take(route: &Arc<Route>, slot: &Arc<Slot>, entry: Entry) -> Option<Self> {
        if !route.take_place() {
            return None;
        }
        let entered = slot.door.enter();
        if entered.is_none() {
            route.give_place_back();
        }
        let (seat, room) = entered?;
        match Self::new(route, slot, room, seat).try_entry(entry) {
            Ok(pass) => Some(pass),
            // Taken apart, not dropped: the line may be locked by whoever calls.
            Err(pass) => {
                slot.door.seats.give_back(pass.take_apart());
                None
            }
        }
    }

    /// Begins the trial that it is to be; comes back as it was where another one did.
    pub(super) fn try_entry(mut self, entry: Entry) -> Result<Self, Self> {
        if entry == Entry::Trial {
            self.trial = self.slot.traffic.begin_trial();
            if self.trial.is_none() {
                return Err(self);
            }
        }
        Ok(self)
    }

    /// Tells what came of what it was for.
    pub(crate) fn report(&self, outcome: &Outcome) {
        self.slot.traffic.take(outcome);
        if *outcome == Outcome::Good {
            self.route.budget().give_back();
        }
    }

    /// Notes the model that it was used with.
    pub(crate) fn worked_with(&self, model: &str) {
        self.slot.worked_with(model);
    }

    /// Makes one of a slot that is held, and of a place in the pool that was taken.
    pub(super) fn new(route: &Arc<Route>, slot: &Arc<Slot>, room: Arc<Room>, seat: Seat) -> Self {
        route.figures.leased(if room.was_used() { Was::Used } else { Was::Fresh });
        Self { slot: slot.clone(), route: route.clone(), room, seat, hold: Hold::Held, trial: None }
    }

    /// Takes it apart: the slot is the caller's, who gives it to somebody or back.
    pub(super) fn take_apart(mut self) -> Seat {
        self.hold = Hold::TakenApart;
        self.route.give_place_back();
        self.seat
    }

    pub(super) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Where the card was another's before, that one clears it first, if it is to.
    pub(super) async fn taken_over(self) -> Self {
        let Some((card, number)) = self.slot.door.seats.card() else { return self };
        let Some(former) = card.hand_over(*number, self.session()) else { return self };
        let asked =
            card.slots().iter().any(|slot| slot.config.id == *former.backend() && slot.settings().unload);
        if asked {
            match tokio::time::timeout(UNLOAD, told_elsewhere(former.unload())).await {
                Ok(Ok(())) => {}
                // The next one may find too little memory, and says so then.
                failed => tracing::warn!(backend = %former.backend(), ?failed, "it did not clear the card"),
            }
        }
        self
    }

    /// Which session of which backend it is for.
    pub(super) fn life(&self) -> Life {
        (self.slot.config.id.clone(), self.room.epoch)
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.room.epoch
    }

    pub(crate) fn session(&self) -> &Arc<dyn Session> {
        &self.room.session
    }

    pub(crate) fn routed(&self) -> String {
        self.route.reason(&Ask::default(), &self.slot)
    }

    /// As [`Self::routed`], for what was asked.
    pub(crate) fn routed_for(&self, ask: &Ask) -> String {
        self.route.reason(ask, &self.slot)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(trial) = self.trial {
            self.slot.traffic.end_trial(trial);
        }
        if self.hold == Hold::Held {
            self.route.give_place_back();
            self.slot.line.hand_on(&self.slot, &self.route, self.seat);
        }
    }
}
