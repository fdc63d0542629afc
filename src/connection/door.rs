//! The way to a backend's session: open, barred or shut. Its reader never waits for an actor.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use arc_swap::ArcSwap;

use crate::{
    backends::Session,
    model::{Code, Epoch, Fault},
    pool::seats::{Seat, Seats},
};

/// What stands behind the door now.
#[derive(Clone)]
pub(crate) enum Way {
    /// Come in.
    Open(Arc<Room>),
    /// Who is in may stay; nobody comes in.
    Barred(Arc<Room>, Fault),
    /// There is nothing behind it.
    Shut(Fault),
    /// Nothing will ever be behind it again: who waits looks elsewhere.
    Gone(Fault),
}

/// A session, and which turn of the seats is its.
pub(crate) struct Room {
    pub(crate) epoch: Epoch,
    pub(crate) session: Arc<dyn Session>,
    turn: u32,
    used: AtomicBool,
}

impl Room {
    /// Whether somebody was here before; from now on somebody was.
    pub(crate) fn was_used(&self) -> bool {
        self.used.load(Relaxed) || self.used.swap(true, Relaxed)
    }
}

/// The door of one backend. The connection alone opens and shuts it; leases pass through.
pub(crate) struct Door {
    pub(crate) seats: Seats,
    way: ArcSwap<Way>,
    /// Orders the writers: the connection, and the drop of a crashed one.
    writer: Mutex<()>,
}

impl Door {
    pub(crate) fn new(limit: u32) -> Self {
        let why = Fault::new(Code::Unavailable, "no connection was tried yet");
        Self { seats: Seats::new(limit), way: ArcSwap::from_pointee(Way::Shut(why)), writer: Mutex::new(()) }
    }

    /// What stands behind it now.
    pub(crate) fn way(&self) -> Arc<Way> {
        self.way.load_full()
    }

    /// Whether nothing will ever be behind it again.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(**self.way.load(), Way::Gone(_))
    }

    /// Whether there is no session.
    pub(crate) fn is_shut(&self) -> bool {
        matches!(**self.way.load(), Way::Shut(_))
    }

    /// Whether there ever was one.
    pub(crate) fn was_open(&self) -> bool {
        self.seats.turn() > 0
    }

    /// Lets leases in; a barred room opens again with the slots that are taken still taken.
    pub(crate) fn open(&self, epoch: Epoch, session: Arc<dyn Session>) {
        let _order = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let room = match &**self.way.load() {
            Way::Barred(room, _) | Way::Open(room) if room.epoch == epoch => room.clone(),
            _ => Arc::new(Room { epoch, session, turn: self.seats.begin(), used: AtomicBool::new(false) }),
        };
        // Before the seats: who has one finds the room.
        self.way.store(Arc::new(Way::Open(room)));
        self.seats.open();
    }

    /// Lets nobody in any more.
    pub(crate) fn bar(&self, why: Fault) {
        let _order = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let way = self.way.load_full();
        if let Way::Open(room) | Way::Barred(room, _) = &*way {
            self.seats.bar();
            self.way.store(Arc::new(Way::Barred(room.clone(), why)));
        }
    }

    /// Ends the session behind it, where there is one.
    pub(crate) fn shut(&self, why: &Fault) {
        self.end(Way::Shut(why.clone()), why);
    }

    /// Shuts it for good.
    pub(crate) fn leave(&self, why: &Fault) {
        self.end(Way::Gone(why.clone()), why);
    }

    fn end(&self, way: Way, why: &Fault) {
        let _order = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_gone() {
            return;
        }
        // The seats first: nobody gets one of a session that is over.
        self.seats.begin();
        let before = self.way.swap(Arc::new(way));
        if let Way::Open(room) | Way::Barred(room, _) = &*before {
            room.session.end(why.clone());
        }
    }

    /// Says anew why it is shut.
    pub(crate) fn explain(&self, why: &Fault) {
        let _order = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(&**self.way.load(), Way::Shut(fault) if fault != why) {
            self.way.store(Arc::new(Way::Shut(why.clone())));
        }
    }

    /// The session, also behind a barred door: health asks it, and nobody else.
    pub(crate) fn session(&self) -> Option<(Epoch, Arc<dyn Session>)> {
        match &**self.way.load() {
            Way::Open(room) | Way::Barred(room, _) => Some((room.epoch, room.session.clone())),
            Way::Shut(_) | Way::Gone(_) => None,
        }
    }

    /// Which session it is.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        match &**self.way.load() {
            Way::Open(room) | Way::Barred(room, _) => Some(room.epoch),
            Way::Shut(_) | Way::Gone(_) => None,
        }
    }

    /// Slots in use and in all.
    pub(crate) fn slots(&self) -> (u32, u32) {
        (self.seats.used(), self.seats.limit())
    }

    /// Takes a slot and what it is for, where one is free.
    pub(crate) fn enter(&self) -> Option<(Seat, Arc<Room>)> {
        let seat = self.seats.try_take()?;
        let room = self.room(seat);
        if room.is_none() {
            // The session ended in between.
            self.seats.give_back(seat);
        }
        Some((seat, room?))
    }

    /// The room that a seat is in, as long as somebody may come in.
    pub(crate) fn room(&self, seat: Seat) -> Option<Arc<Room>> {
        match &**self.way.load() {
            Way::Open(room) if room.turn == seat.turn => Some(room.clone()),
            _ => None,
        }
    }
}
