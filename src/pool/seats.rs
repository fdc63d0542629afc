//! The slots of one backend: one atomic word, so that a lease takes neither a lock nor a mailbox.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
};

use crate::pool::card::Card;

/// Bits of the word: the slots in use, whether new ones are given, and which session they belong to.
const USED: u64 = (1 << 24) - 1;
const OPEN: u64 = 1 << 24;
const TURN: u32 = 32;

/// The slots of one backend.
///
/// A slot belongs to a turn: the life of one session. When the turn ends, its slots are free at once; who still holds
/// one gives nothing back. Every access is sequentially consistent: who gives a slot back and then sees nobody in line,
/// and who joins the line and then sees no free slot, cannot both be right.
#[derive(Debug)]
pub(crate) struct Seats {
    word: AtomicU64,
    limit: AtomicU32,
    /// Jobs of others in the backend's own queue.
    foreign: AtomicU32,
    /// Slots of turns that are over, still held by somebody.
    stale: AtomicU32,
    /// The card that it shares, and its number there.
    card: OnceLock<(Arc<Card>, u64)>,
}

/// One slot that was taken. Not a guard: [`super::pass::Pass`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) turn: u32,
}

impl Seats {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            word: AtomicU64::new(0),
            limit: AtomicU32::new(limit),
            foreign: AtomicU32::new(0),
            stale: AtomicU32::new(0),
            card: OnceLock::new(),
        }
    }

    /// From now on it shares a card; before that it gave no slot.
    pub(crate) fn share(&self, card: Arc<Card>, number: u64) {
        // A slot is made once, and joins one card.
        let _ = self.card.set((card, number));
    }

    pub(crate) fn card(&self) -> Option<&(Arc<Card>, u64)> {
        self.card.get()
    }

    /// Begins a turn, with every slot free and none given yet.
    pub(crate) fn begin(&self) -> u32 {
        let next = |word: u64| ((word >> TURN) + 1) << TURN;
        let before = self.word.fetch_update(SeqCst, SeqCst, |word| Some(next(word))).unwrap_or_default();
        self.stale.fetch_add((before & USED) as u32, SeqCst);
        if let Some((card, _)) = self.card() {
            card.give_back(before & USED);
        }
        self.foreign.store(0, SeqCst);
        (next(before) >> TURN) as u32
    }

    /// Gives slots from here on, those that are taken still taken.
    pub(crate) fn open(&self) {
        self.word.fetch_or(OPEN, SeqCst);
    }

    /// Gives none any more; those that are taken stay so.
    pub(crate) fn bar(&self) {
        self.word.fetch_and(!OPEN, SeqCst);
    }

    /// Takes a slot, where one is free.
    pub(crate) fn try_take(&self) -> Option<Seat> {
        if let Some((card, number)) = self.card()
            && !card.take(*number)
        {
            return None;
        }
        let limit = u64::from(self.effective());
        let taken = |word: u64| (word & OPEN != 0 && word & USED < limit).then_some(word + 1);
        let before = self.word.fetch_update(SeqCst, SeqCst, taken).ok();
        if let (None, Some((card, _))) = (before, self.card()) {
            card.give_back(1);
        }
        let before = before?;
        Some(Seat { turn: (before >> TURN) as u32 })
    }

    /// Gives a slot back.
    pub(crate) fn give_back(&self, seat: Seat) {
        let current = |word: u64| ((word >> TURN) as u32 == seat.turn).then(|| word - 1);
        if self.word.fetch_update(SeqCst, SeqCst, current).is_err() {
            self.stale.fetch_sub(1, SeqCst);
        } else if let Some((card, _)) = self.card() {
            card.give_back(1);
        }
    }

    /// Whether a slot that is held now may go to the next without being given back first.
    pub(crate) fn may_hand_on(&self, seat: Seat) -> bool {
        let word = self.word.load(SeqCst);
        (word >> TURN) as u32 == seat.turn && word & OPEN != 0 && word & USED <= u64::from(self.effective())
    }

    /// Slots that could be taken now.
    pub(crate) fn free(&self) -> u32 {
        let word = self.word.load(SeqCst);
        let blocked = self.card().is_some_and(|(card, number)| !card.is_free_for(*number));
        if word & OPEN == 0 || blocked { 0 } else { self.effective().saturating_sub((word & USED) as u32) }
    }

    /// Whether slots are given at all.
    pub(crate) fn is_open(&self) -> bool {
        self.word.load(SeqCst) & OPEN != 0
    }

    pub(crate) fn used(&self) -> u32 {
        (self.word.load(SeqCst) & USED) as u32
    }

    /// How many turns were begun.
    pub(crate) fn turn(&self) -> u32 {
        (self.word.load(SeqCst) >> TURN) as u32
    }

    /// As configured.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(SeqCst)
    }

    pub(crate) fn set_limit(&self, limit: u32) {
        self.limit.store(limit, SeqCst);
    }

    /// Jobs of others in the backend's own queue take slots, all but one: a queue that never empties must not keep us
    /// out for ever. Tells whether slots came free by it.
    pub(crate) fn set_foreign(&self, jobs: u32) -> bool {
        self.foreign.swap(jobs, SeqCst) > jobs
    }

    pub(crate) fn foreign(&self) -> u32 {
        self.foreign.load(SeqCst)
    }

    /// Slots of sessions that are over, still held by somebody.
    pub(crate) fn stale(&self) -> u32 {
        self.stale.load(SeqCst)
    }

    fn effective(&self) -> u32 {
        let limit = self.limit.load(SeqCst);
        limit.saturating_sub(self.foreign.load(SeqCst)).max(limit.min(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn jobs_of_others_take_slots_and_leave_one() {
        let seats = Seats::new(3);
        seats.begin();
        assert_eq!(seats.try_take(), None, "none before it opens");
        seats.open();
        assert!(!seats.set_foreign(2));
        let first = seats.try_take().unwrap();
        assert_eq!((seats.try_take(), seats.free()), (None, 0));
        assert!(seats.set_foreign(0));
        assert_eq!(seats.free(), 2);
        seats.set_foreign(100);
        assert!(seats.try_take().is_none());
        seats.give_back(first);
        assert!(seats.try_take().is_some(), "a queue that never empties does not keep us out");
    }

    proptest! {
        /// Whatever happens, in whatever order: never more than the limit in a turn, and nothing lost.
        #[test]
        fn slots_are_never_exceeded_and_none_is_lost(steps in prop::collection::vec(0u8..6, 1..200), limit in 1u32..5) {
            let seats = Seats::new(limit);
            let (mut held, mut former) = (Vec::new(), Vec::new());
            for step in steps {
                match step {
                    0 | 1 => held.extend(seats.try_take()),
                    2 => if let Some(seat) = held.pop() { seats.give_back(seat) },
                    3 => if let Some(seat) = former.pop() { seats.give_back(seat) },
                    4 => { seats.begin(); seats.open(); former.append(&mut held); }
                    _ => if held.len() % 2 == 0 { seats.bar() } else { seats.open() },
                }
                prop_assert!(held.len() <= limit as usize);
                prop_assert_eq!(seats.used() as usize, held.len());
                prop_assert_eq!(seats.stale() as usize, former.len());
            }
        }
    }
}
