//! Who waits, and in which order. Held under the line's lock.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::SeqCst},
};

use indexmap::IndexMap;
use tokio::sync::oneshot;

use crate::{
    connection::slot::Slot,
    pool::{Ask, pass::Pass, pick::Entry, route::Route},
};

/// The higher priority first, then the older (nanoseconds), then the smaller number; the last one tells twins apart.
pub(super) type Place = (Reverse<i32>, i64, i64, u64);

/// Where somebody stands in line: at which route, and where there.
pub(super) type Spot = (usize, Place);

/// One who waits.
pub(super) struct Waiter {
    pub(super) ask: Ask,
    pub(super) deliver: oneshot::Sender<Pass>,
}

/// Who waits for one route.
struct Queue {
    route: Arc<Route>,
    waiters: BTreeMap<Place, Waiter>,
}

/// Who waits, by route.
#[derive(Default)]
pub(super) struct Waiters {
    queues: IndexMap<usize, Queue>,
}

impl Waiters {
    pub(super) fn join(&mut self, route: &Arc<Route>, place: Place, waiter: Waiter) -> Spot {
        let at = Arc::as_ptr(route) as usize;
        let queue =
            self.queues.entry(at).or_insert_with(|| Queue { route: route.clone(), waiters: BTreeMap::new() });
        queue.waiters.insert(place, waiter);
        route.waiting.fetch_add(1, SeqCst);
        route.stir().stir();
        (at, place)
    }

    pub(super) fn leave(&mut self, (at, place): Spot) -> Option<(Arc<Route>, Waiter)> {
        let queue = self.queues.get_mut(&at)?;
        let waiter = queue.waiters.remove(&place)?;
        let route = queue.route.clone();
        route.waiting.fetch_sub(1, SeqCst);
        route.stir().stir();
        if queue.waiters.is_empty() {
            self.queues.swap_remove(&at);
        }
        Some((route, waiter))
    }

    /// The first in line who may use a slot of this backend.
    pub(super) fn first_for(&self, slot: &Arc<Slot>) -> Option<(Spot, Entry)> {
        let queues = self.queues.iter().filter(|(_, q)| q.route.has_member(slot) && !q.route.is_full());
        let firsts = queues.filter_map(|(at, queue)| {
            let entry = |(place, waiter): (&Place, &Waiter)| {
                Some(((*at, *place), queue.route.entry(slot, &waiter.ask)?))
            };
            first(queue.waiters.iter(), entry)
        });
        firsts.min_by_key(|((_, place), _)| *place)
    }

    /// Those who wait for this route, in order.
    pub(super) fn spots(&self, route: &Arc<Route>) -> Vec<Spot> {
        let at = Arc::as_ptr(route) as usize;
        self.queues
            .get(&at)
            .map(|queue| queue.waiters.keys().map(|place| (at, *place)).collect())
            .unwrap_or_default()
    }

    pub(super) fn ask(&self, (at, place): Spot) -> Option<(&Arc<Route>, &Ask)> {
        let queue = self.queues.get(&at)?;
        Some((&queue.route, &queue.waiters.get(&place)?.ask))
    }

    /// Sends away who waits for this route.
    pub(super) fn dismiss_route(&mut self, route: &Arc<Route>) -> Vec<Waiter> {
        let queue = self.queues.swap_remove(&(Arc::as_ptr(route) as usize));
        route.waiting.store(0, SeqCst);
        queue.map(|queue| queue.waiters.into_values().collect()).unwrap_or_default()
    }

    /// Sends away who waits for this backend by its id.
    pub(super) fn dismiss(&mut self, slot: &Slot) -> Vec<Waiter> {
        let theirs = self.queues.iter().filter(|(_, q)| q.route.is_backend() && q.route.has_member(slot));
        let routes: Vec<_> = theirs.map(|(at, _)| *at).collect();
        let queues = routes.into_iter().filter_map(|at| self.queues.swap_remove(&at));
        queues
            .flat_map(|queue| {
                queue.route.waiting.store(0, SeqCst);
                queue.waiters.into_values()
            })
            .collect()
    }
}

/// The first in a line who may. Members change while a long line is looked at: whoever was passed over before one came
/// free is looked at again, so that nobody gets ahead of them by it.
fn first<W, E>(line: impl Iterator<Item = W> + Clone, may: impl Fn(W) -> Option<E>) -> Option<E> {
    let (mut found, mut before) = (None, usize::MAX);
    while let Some((at, entry)) =
        line.clone().take(before).enumerate().find_map(|(at, waiter)| Some((at, may(waiter)?)))
    {
        (found, before) = (Some(entry), at);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::first;

    /// The first who may, where those of `open` may from the look on with this number.
    fn found(open: &[bool], from: usize) -> Option<usize> {
        let looks = Cell::new(0);
        first(0..open.len(), |waiter| {
            looks.set(looks.get() + 1);
            (looks.get() > from && open[waiter]).then_some(waiter)
        })
    }

    #[test]
    fn whoever_was_passed_over_before_something_came_free_goes_first() {
        for from in 0..5 {
            assert_eq!(found(&[true; 5], from), Some(0), "free from look {from} on");
            assert_eq!(found(&[false, true, true, true, true], from), Some(1), "free from look {from} on");
        }
    }

    #[test]
    fn who_may_not_is_passed_over_for_good() {
        assert_eq!(found(&[false, false, true], 0), Some(2));
        assert_eq!(found(&[false; 3], 0), None);
        assert_eq!(found(&[], 0), None);
    }
}
