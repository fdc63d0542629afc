//! One graphics card that several backends share: they take turns.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use crate::{backends::Session, connection::slot::Slot, model::BackendId};

/// The word: who has the card (its number among the users), and how many of its slots are in use.
const USED: u64 = (1 << 32) - 1;
const HOLDER: u32 = 32;

/// One graphics card. One backend has it at a time, with as many slots as are its own; the next gets it when the last
/// of them is free. Two models that do not fit together never meet there.
#[derive(Default)]
pub(crate) struct Card {
    word: AtomicU64,
    users: Mutex<Users>,
}

#[derive(Default)]
struct Users {
    slots: Vec<Weak<Slot>>,
    count: u64,
    /// Whose work was there last.
    last: Option<(u64, Weak<dyn Session>)>,
}

impl Card {
    /// Joins the card; gives the number by which it is taken.
    pub(crate) fn join(&self, slot: Weak<Slot>) -> u64 {
        let mut users = self.lock();
        users.slots.retain(|slot| slot.strong_count() > 0);
        users.slots.push(slot);
        users.count += 1;
        users.count
    }

    /// Those that share it.
    pub(crate) fn slots(&self) -> Vec<Arc<Slot>> {
        self.lock().slots.iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn take(&self, user: u64) -> bool {
        let taken = |word: u64| {
            let free = word & USED == 0 || word >> HOLDER == user;
            free.then_some((user << HOLDER) | ((word & USED) + 1))
        };
        self.word.fetch_update(SeqCst, SeqCst, taken).is_ok()
    }

    pub(crate) fn give_back(&self, count: u64) {
        self.word.fetch_sub(count, SeqCst);
    }

    /// Whether this one could take it now.
    pub(crate) fn is_free_for(&self, user: u64) -> bool {
        let word = self.word.load(SeqCst);
        word & USED == 0 || word >> HOLDER == user
    }

    /// Notes whose work comes next; gives the session whose work was there before, where it is another's.
    pub(crate) fn hand_over(&self, user: u64, to: &Arc<dyn Session>) -> Option<Arc<dyn Session>> {
        let before = self.lock().last.replace((user, Arc::downgrade(to)));
        before.filter(|(former, _)| *former != user).and_then(|(_, session)| session.upgrade())
    }

    fn lock(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Card").field("used", &(self.word.load(SeqCst) & USED)).finish_non_exhaustive()
    }
}

/// The cards of one supervisor, by the name that their users gave them.
#[derive(Default)]
pub(crate) struct Cards(Mutex<HashMap<BackendId, Weak<Card>>>);

impl Cards {
    pub(crate) fn named(&self, name: &BackendId) -> Arc<Card> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(card) = known.get(name).and_then(Weak::upgrade) {
            return card;
        }
        known.retain(|_, card| card.strong_count() > 0);
        let card = Arc::<Card>::default();
        known.insert(name.clone(), Arc::downgrade(&card));
        card
    }
}
