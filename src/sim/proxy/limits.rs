//! The limits in force at a fault proxy, and how often each may still cut.

use std::sync::{Mutex, PoisonError};

use crate::sim::proxy::{End, Limit, Way};

/// The limits in force.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<Vec<Limit>>);

impl Limits {
    pub(super) fn add(&self, limit: Limit) {
        self.lock().push(limit);
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// How many of `more` bytes may pass after `passed` bytes of this way, and the cut that follows them.
    ///
    /// A cut counts as one use of its limit.
    pub(super) fn take(&self, way: Way, passed: u64, more: usize) -> (usize, Option<End>) {
        let mut limits = self.lock();
        let nearest = limits
            .iter_mut()
            .filter(|l| l.way == way && l.times != Some(0) && l.bytes >= passed)
            .min_by_key(|l| l.bytes);
        let Some(limit) = nearest else { return (more, None) };
        let room = usize::try_from(limit.bytes - passed).unwrap_or(usize::MAX);
        if more < room {
            return (more, None);
        }
        if let Some(times) = &mut limit.times {
            *times -= 1;
        }
        (room, Some(limit.end))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Limit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_limit_of_the_way_cuts_and_is_spent() {
        let limits = Limits::default();
        let limit = |bytes, times| Limit { way: Way::Answer, bytes, end: End::Rst, times };
        limits.add(limit(100, None));
        limits.add(limit(10, Some(1)));
        assert_eq!(limits.take(Way::Request, 0, 1000), (1000, None));
        assert_eq!(limits.take(Way::Answer, 0, 9), (9, None));
        assert_eq!(limits.take(Way::Answer, 9, 9), (1, Some(End::Rst)));
        assert_eq!(limits.take(Way::Answer, 0, 50), (50, None), "spent");
        assert_eq!(limits.take(Way::Answer, 50, 50), (50, Some(End::Rst)), "the other one never is");
    }

    #[test]
    fn nothing_passes_a_limit_of_zero_bytes() {
        let limits = Limits::default();
        limits.add(Limit { way: Way::Request, bytes: 0, end: End::Fin, times: Some(1) });
        assert_eq!(limits.take(Way::Request, 0, 1), (0, Some(End::Fin)));
        assert_eq!(limits.take(Way::Request, 0, 1), (1, None));
    }
}
