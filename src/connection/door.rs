//! The way to a backend's session: open, barred or shut. Its reader never waits for an actor.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

use crate::{
    backends::Session,
    error::Error,
    model::{BackendId, Code, Epoch, Fault},
};

/// What stands behind the door now.
#[derive(Clone)]
pub(crate) enum Way {
    /// Come in.
    Open(Room),
    /// Who is in may stay; nobody comes in.
    Barred(Room, Fault),
    /// There is nothing behind it.
    Shut(Fault),
    /// Nothing will ever be behind it again: who waits looks elsewhere.
    Gone(Fault),
}

/// A session and its slots.
#[derive(Clone)]
pub(crate) struct Room {
    pub(crate) epoch: Epoch,
    pub(crate) session: Arc<dyn Session>,
    /// Closed with the session, so that nobody sleeps on slots that are no more.
    slots: Arc<Semaphore>,
}

/// The door of one backend. The connection alone opens and shuts it; leases pass through.
pub(crate) struct Door {
    backend: BackendId,
    limit: u32,
    way: watch::Sender<Way>,
    /// Orders the writers: the connection, and the drop of a crashed one.
    writer: Mutex<()>,
}

/// A way in that was taken: gives its slot back when dropped.
pub(crate) struct Pass {
    pub(crate) epoch: Epoch,
    pub(crate) session: Arc<dyn Session>,
    _slot: OwnedSemaphorePermit,
}

impl Door {
    pub(crate) fn new(backend: BackendId, limit: u32) -> Self {
        let why = Fault::new(Code::Unavailable, "no connection was tried yet");
        Self { backend, limit, way: watch::channel(Way::Shut(why)).0, writer: Mutex::new(()) }
    }

    /// Whether nothing will ever be behind it again.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(&*self.way.borrow(), Way::Gone(_))
    }

    /// Lets leases in; a barred room opens again with the slots that are taken still taken.
    pub(crate) fn open(&self, epoch: Epoch, session: Arc<dyn Session>) {
        let _order = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = match &*self.way.borrow() {
            Way::Barred(room, _) | Way::Open(room) if room.epoch == epoch => room.slots.clone(),
            _ => Arc::new(Semaphore::new(self.limit as usize)),
        };
        self.way.send_replace(Way::Open(Room { epoch, session, slots }));
    }

    /// Lets nobody in any more.
    pub(crate) fn bar(&self, why: Fault) {
        let _order = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.way.send_if_modified(|way| match way {
            Way::Open(room) | Way::Barred(room, _) => {
                *way = Way::Barred(room.clone(), why);
                true
            }
            Way::Shut(_) | Way::Gone(_) => false,
        });
    }

    /// Ends the session behind it, where there is one, and wakes who sleeps on its slots.
    pub(crate) fn shut(&self, why: &Fault) {
        self.end(Way::Shut(why.clone()), why);
    }

    /// Shuts it for good, and sends away who waits.
    pub(crate) fn leave(&self, why: &Fault) {
        self.end(Way::Gone(why.clone()), why);
    }

    fn end(&self, way: Way, why: &Fault) {
        let _order = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*self.way.borrow(), Way::Gone(_)) {
            return;
        }
        let before = self.way.send_replace(way);
        if let Way::Open(room) | Way::Barred(room, _) = before {
            room.slots.close();
            room.session.end(why.clone());
        }
    }

    /// Says anew why it is shut; who waits goes on waiting.
    pub(crate) fn explain(&self, why: &Fault) {
        self.way.send_if_modified(|way| {
            if let Way::Shut(fault) = way {
                fault.clone_from(why);
            }
            false
        });
    }

    /// The session, also behind a barred door: health asks it, and nobody else.
    pub(crate) fn session(&self) -> Option<(Epoch, Arc<dyn Session>)> {
        match &*self.way.borrow() {
            Way::Open(room) | Way::Barred(room, _) => Some((room.epoch, room.session.clone())),
            Way::Shut(_) | Way::Gone(_) => None,
        }
    }

    /// Slots in use and in all.
    pub(crate) fn slots(&self) -> (u32, u32) {
        let free = match &*self.way.borrow() {
            Way::Open(room) | Way::Barred(room, _) => room.slots.available_permits() as u32,
            Way::Shut(_) | Way::Gone(_) => self.limit,
        };
        (self.limit.saturating_sub(free), self.limit)
    }

    /// Waits, at most `limit`, for a ready session with a free slot, in turn with the others.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the queue and nothing else.
    pub(crate) async fn enter(&self, limit: Duration) -> Result<Pass, Error> {
        let deadline = Instant::now() + limit;
        let mut way = self.way.subscribe();
        loop {
            let now = way.borrow_and_update().clone();
            if let Way::Gone(_) = now {
                return Err(self.excuse(&now, limit));
            }
            let step = async {
                match &now {
                    Way::Open(room) => room.slots.clone().acquire_owned().await.ok().map(|slot| (room, slot)),
                    Way::Barred(..) | Way::Shut(_) | Way::Gone(_) => {
                        // The sender lives in this very door: there is no end of changes while we borrow it.
                        let _ = way.changed().await;
                        None
                    }
                }
            };
            match tokio::time::timeout_at(deadline, step).await {
                // Barred or shut while we waited for the slot: the slot goes back, and we wait again.
                Ok(Some((room, slot))) if self.admits(room.epoch) => {
                    return Ok(Pass { epoch: room.epoch, session: room.session.clone(), _slot: slot });
                }
                Ok(_) => {}
                Err(_) => return Err(self.excuse(&self.way.borrow().clone(), limit)),
            }
        }
    }

    fn admits(&self, epoch: Epoch) -> bool {
        matches!(&*self.way.borrow(), Way::Open(room) if room.epoch == epoch)
    }

    /// Which wait it was, and why nothing was free.
    fn excuse(&self, way: &Way, waited: Duration) -> Error {
        let (wait, fault) = match way {
            Way::Open(_) => ("a free slot", None),
            Way::Barred(_, fault) | Way::Shut(fault) | Way::Gone(fault) => {
                ("a ready session", Some(fault.clone()))
            }
        };
        Error::Unavailable { backend: self.backend.clone(), wait, waited, fault: fault.map(Box::new) }
    }
}
