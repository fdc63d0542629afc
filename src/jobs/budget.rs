//! When the files of jobs come near their budget, and when the oldest are erased for it. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// From this share of the budget on, in per cent, a person is told; below the second one that ends.
const NEAR: u128 = 90;
const CALM: u128 = 80;
/// How long a person has between the notice and the first erasure.
pub(super) const WARNING: Duration = Duration::from_secs(600);

/// What was told of the budget so far.
#[derive(Debug, Default)]
pub(super) struct Budget {
    told: Option<(Instant, Level)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It is nearly taken.
    Near,
    /// It is passed.
    Over,
}

/// What a look at the budget comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    /// All is well: a notice ends.
    Calm,
    /// A person is to be told.
    Tell(Level),
    /// It was told already.
    Told,
    /// It was told long enough ago: the oldest are erased.
    Erase,
}

impl Budget {
    /// What follows where the files weigh this much, both in bytes.
    pub(super) fn look(&mut self, weight: u64, limit: u64, now: Instant) -> Ruling {
        let share = u128::from(weight) * 100 / u128::from(limit.max(1));
        if share < if self.told.is_some() { CALM } else { NEAR } {
            self.told = None;
            return Ruling::Calm;
        }
        let level = if weight > limit { Level::Over } else { Level::Near };
        let Some((since, before)) = self.told else {
            self.told = Some((now, level));
            return Ruling::Tell(level);
        };
        self.told = Some((since, level));
        match level {
            Level::Over if now >= since + WARNING => Ruling::Erase,
            _ if level != before => Ruling::Tell(level),
            _ => Ruling::Told,
        }
    }

    /// When to look again though nothing changes.
    pub(super) fn due(&self) -> Option<Instant> {
        self.told.filter(|(_, level)| *level == Level::Over).map(|(since, _)| since + WARNING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_before_anything_is_erased() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(budget.look(89, 100, at(0)), Ruling::Calm);
        assert_eq!(budget.look(90, 100, at(1)), Ruling::Tell(Level::Near));
        assert_eq!(budget.look(95, 100, at(2)), Ruling::Told);
        assert_eq!(budget.due(), None);
        assert_eq!(budget.look(101, 100, at(3)), Ruling::Tell(Level::Over));
        assert_eq!((budget.look(101, 100, at(600)), budget.due()), (Ruling::Told, Some(at(601))));
        assert_eq!(budget.look(101, 100, at(601)), Ruling::Erase);
        assert_eq!(budget.look(85, 100, at(602)), Ruling::Tell(Level::Near));
        assert_eq!(budget.look(80, 100, at(603)), Ruling::Told);
        assert_eq!(budget.look(79, 100, at(604)), Ruling::Calm);
    }

    #[test]
    fn one_job_that_passes_it_at_once_is_told_of_first_too() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        assert_eq!(budget.look(u64::MAX, 1, start), Ruling::Tell(Level::Over));
        assert_eq!(budget.look(u64::MAX, 1, start + WARNING), Ruling::Erase);
        assert_eq!(budget.look(0, 0, start + WARNING), Ruling::Calm);
    }
}
