//! The line: who waits for a slot, of whichever pool. One a supervisor, so that pools that share a backend are served
//! in one order.

mod dismissal;

use std::{
    cmp::Reverse,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{sync::oneshot, time::Instant};

use crate::{
    connection::slot::Slot,
    pool::{
        Ask,
        card::Card,
        pass::Pass,
        route::Route,
        seats::Seat,
        stir::Stir,
        waiters::{Spot, Waiter, Waiters},
    },
};

/// Why somebody left the line without a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unserved {
    /// The time was over.
    Late,
    /// The backend that was named is no more, or has other settings: look again.
    Gone,
}

/// The line. Nobody who does not have to wait takes its lock.
pub(crate) struct Line {
    /// From where ages are counted.
    begun: Instant,
    waiters: Mutex<Waiters>,
    waiting: AtomicUsize,
    tickets: AtomicU64,
    /// Wakes the actor that looks after all backends.
    pub(crate) stir: Arc<Stir>,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            waiters: Mutex::default(),
            waiting: AtomicUsize::new(0),
            tickets: AtomicU64::new(0),
            stir: Arc::default(),
        }
    }
}

/// A place in line; dropping it leaves the line.
struct Ticket<'a> {
    line: &'a Line,
    spot: Spot,
}

impl Line {
    /// A session with a free slot, in turn with the others, at the latest at the deadline.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in line; a slot that was on its way goes to the next.
    pub(crate) async fn enter(
        &self,
        route: &Arc<Route>,
        ask: &Ask,
        deadline: Instant,
    ) -> Result<Pass, Unserved> {
        if route.waiting() == 0
            && (self.is_empty() || !route.shares_a_card())
            && let Some(pass) = route.try_take(ask)
        {
            return Ok(pass.taken_over().await);
        }
        if route.is_gone() {
            return Err(Unserved::Gone);
        }
        let begun = Instant::now();
        if deadline <= begun {
            return Err(Unserved::Late);
        }
        let (deliver, mut delivered) = oneshot::channel();
        let ticket = self.join(route, ask.clone(), deliver);
        let served = tokio::time::timeout_at(deadline, &mut delivered).await;
        drop(ticket);
        let pass = match served {
            Ok(Ok(pass)) => Ok(pass),
            Ok(Err(_sent_away)) => Err(Unserved::Gone),
            // It may have come in the last moment.
            Err(_) => delivered.try_recv().map_err(|_| Unserved::Late),
        };
        if let Ok(pass) = &pass {
            route.figures.waited(begun.elapsed());
            pass.slot().record.meter().waited(&route.name, begun.elapsed());
        }
        Ok(pass?.taken_over().await)
    }

    /// Whether anybody waits for anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.load(SeqCst) == 0
    }

    /// Gives a slot to the first in line who may use it, or back.
    pub(super) fn hand_on(&self, slot: &Arc<Slot>, route: &Arc<Route>, seat: Seat) {
        if self.is_empty() {
            slot.door.seats.give_back(seat);
            // Somebody may have joined meanwhile, before there was a free slot to see.
            if self.is_empty() {
                return;
            }
            self.serve(slot);
        } else {
            let mut waiters = self.lock();
            // Who shares a card waits for his turn with all who do.
            let seat = if slot.door.seats.card().is_none() && slot.door.seats.may_hand_on(seat) {
                Some(seat)
            } else {
                slot.door.seats.give_back(seat);
                None
            };
            self.serve_from(&mut waiters, slot, seat);
        }
        if route.is_limited() {
            self.serve_route(route);
        }
    }

    /// Something came free at this backend: whoever waits for it gets it, as far as it goes.
    pub(crate) fn serve(&self, slot: &Arc<Slot>) {
        if !self.is_empty() {
            self.serve_from(&mut self.lock(), slot, None);
        }
    }

    /// Something changed for this route: its waiters get what they may have now.
    pub(crate) fn serve_route(&self, route: &Arc<Route>) {
        if route.waiting() > 0 {
            self.serve_waiters(&mut self.lock(), route);
        }
    }

    fn join(&self, route: &Arc<Route>, ask: Ask, deliver: oneshot::Sender<Pass>) -> Ticket<'_> {
        let number = self.tickets.fetch_add(1, SeqCst);
        let (age, own) = self.age(&ask, number);
        let place = (Reverse(ask.priority), age, own, number);
        let mut waiters = self.lock();
        if route.is_removed() {
            // A moment ago. Whoever waits for a word hears that none will come.
            return Ticket { line: self, spot: (Arc::as_ptr(route) as usize, place) };
        }
        let spot = waiters.join(route, place, Waiter { ask, deliver });
        self.waiting.fetch_add(1, SeqCst);
        // What came free before we stood in line was seen by nobody.
        if route.members().iter().any(|member| member.slot.door.seats.free() > 0) {
            self.serve_waiters(&mut waiters, route);
        }
        Ticket { line: self, spot }
    }

    /// Since when somebody waits, in nanoseconds from our begin on; what was begun in an earlier run is before it.
    fn age(&self, ask: &Ask, number: u64) -> (i64, i64) {
        let nanos = |time: std::time::Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        let at = |time: Instant| nanos(time.saturating_duration_since(self.begun));
        match ask.since {
            Some(since) => (at(since.at).saturating_sub(nanos(since.before)), since.number),
            None => (at(Instant::now()), i64::try_from(number).unwrap_or(i64::MAX)),
        }
    }

    fn serve_from(&self, waiters: &mut Waiters, slot: &Arc<Slot>, mut held: Option<Seat>) {
        let seats = &slot.door.seats;
        if let (Some((card, _)), None) = (seats.card(), held) {
            return self.serve_card(waiters, card);
        }
        while let Some((spot, entry)) = waiters.first_for(slot) {
            let Some(seat) = held.take().or_else(|| seats.try_take()) else { return };
            let Some(room) = slot.door.room(seat) else {
                seats.give_back(seat);
                return;
            };
            let Some((route, waiter)) = self.call(waiters, spot) else { continue };
            if !route.take_place() {
                // The pool became full meanwhile; who takes the next place of it looks here again.
                held = Some(seat);
                self.put_back(waiters, &route, spot, waiter);
                break;
            }
            let pass = Pass::new(&route, slot, room, seat);
            let pass = match pass.try_entry(entry) {
                Ok(pass) => pass,
                // Another trial began meanwhile.
                Err(pass) => {
                    seats.give_back(pass.take_apart());
                    self.put_back(waiters, &route, spot, waiter);
                    return;
                }
            };
            route.tie(&waiter.ask, || pass.life());
            // Who is leaving just now takes nothing.
            held = waiter.deliver.send(pass).err().map(Pass::take_apart);
        }
        if let Some(seat) = held {
            seats.give_back(seat);
        }
    }

    /// The first in line of all who wait for a user of this card, and so on. Where the first one has to wait until the
    /// card changes hands, the others wait, too: else it never would.
    fn serve_card(&self, waiters: &mut Waiters, card: &Card) {
        loop {
            let slots = card.slots().into_iter().filter(|slot| slot.door.seats.is_open());
            let firsts = slots.filter_map(|slot| Some((waiters.first_for(&slot)?, slot)));
            let Some(((spot, entry), slot)) = firsts.min_by_key(|(((_, place), _), _)| *place) else {
                return;
            };
            let Some((seat, room)) = slot.door.enter() else { return };
            let Some((route, waiter)) = self.call(waiters, spot) else { return };
            // Taken apart, never dropped: the line is locked.
            let entered = match route.take_place() {
                true => Pass::new(&route, &slot, room, seat).try_entry(entry).map_err(Pass::take_apart),
                false => Err(seat),
            };
            let pass = match entered {
                Ok(pass) => pass,
                Err(seat) => {
                    slot.door.seats.give_back(seat);
                    return self.put_back(waiters, &route, spot, waiter);
                }
            };
            if let Err(pass) = waiter.deliver.send(pass) {
                slot.door.seats.give_back(pass.take_apart());
            }
        }
    }

    fn serve_waiters(&self, waiters: &mut Waiters, route: &Arc<Route>) {
        if route.shares_a_card() {
            for member in route.members().iter() {
                self.serve_from(waiters, &member.slot, None);
            }
            return;
        }
        let mut passed_over = false;
        for spot in waiters.spots(route) {
            let Some((route, ask)) = waiters.ask(spot) else { continue };
            let Some(pass) = route.try_take(ask) else {
                if route.is_spent() {
                    return;
                }
                passed_over = true;
                continue;
            };
            if passed_over {
                // It may have come free since they were looked at: then it is theirs.
                let slot = pass.slot().clone();
                self.serve_from(waiters, &slot, Some(pass.take_apart()));
                continue;
            }
            let Some((_, waiter)) = self.call(waiters, spot) else { continue };
            if let Err(pass) = waiter.deliver.send(pass) {
                let slot = pass.slot().clone();
                slot.door.seats.give_back(pass.take_apart());
            }
        }
    }

    /// Takes somebody out of the line.
    fn call(&self, waiters: &mut Waiters, spot: Spot) -> Option<(Arc<Route>, Waiter)> {
        let called = waiters.leave(spot)?;
        self.waiting.fetch_sub(1, SeqCst);
        Some(called)
    }

    fn put_back(&self, waiters: &mut Waiters, route: &Arc<Route>, (_, place): Spot, waiter: Waiter) {
        waiters.join(route, place, waiter);
        self.waiting.fetch_add(1, SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let left = self.line.call(&mut self.line.lock(), self.spot);
        // Outside of the lock: what it holds may be a pass.
        drop(left);
    }
}
