//! Which member gets the next request. Pure.
//!
//! Two are drawn by weight and the freer one is taken. With everything idle each gets its weight's share; under load
//! the fuller one of two is passed over, which keeps the longest queue short without anybody counting all of them. One
//! that came back a moment ago is kept out of that comparison: with next to nothing to do it would win each one, and get
//! twice the share that it is to begin with.

/// How good a choice a member is: a member of a worse rank gets nothing while one of a better rank could, be it busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Nothing speaks against it.
    Fit,
    /// It has just failed, or said that it is busy.
    Resting,
    /// It is set aside: it is used where all are.
    Ejected,
    /// It does not offer the model that is wanted.
    Unlike,
}

/// A member at a glance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    pub(crate) rank: Rank,
    /// Whether what is wanted is loaded there.
    pub(crate) warm: bool,
    pub(crate) free: u32,
    pub(crate) limit: u32,
    /// Its share.
    pub(crate) weight: f32,
    /// Whether that is less than it will be: it came back a moment ago.
    pub(crate) eased: bool,
    pub(crate) entry: Entry,
}

/// How a member is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Plain,
    /// As the one trial of a breaker that is half open.
    Trial,
}

impl Look {
    fn freedom(&self) -> f32 {
        self.free as f32 / self.limit.max(1) as f32
    }
}

/// The best rank that any member has.
pub(crate) fn best_rank(looks: impl Iterator<Item = Option<Look>>) -> Option<Rank> {
    looks.flatten().map(|look| look.rank).min()
}

/// Picks one of `count` members: the place of it. `dice` gives numbers from 0 to below 1.
pub(crate) fn pick(
    count: usize,
    look: impl Fn(usize) -> Option<Look>,
    mut dice: impl FnMut() -> f32,
) -> Option<usize> {
    if count == 1 {
        return look(0).filter(|look| look.free > 0).map(|_| 0);
    }
    let rank = best_rank((0..count).map(&look))?;
    let free = |at: usize| look(at).filter(|look| look.rank == rank && look.free > 0);
    let warm = (0..count).any(|at| free(at).is_some_and(|look| look.warm));
    let open = |at: usize| free(at).filter(|look| look.warm == warm);
    let total: f32 = (0..count).filter_map(open).map(|look| look.weight).sum();
    let mut draw = || {
        let mut left = dice() * total;
        let mut last = None;
        for at in 0..count {
            let Some(look) = open(at) else { continue };
            last = Some((at, look));
            left -= look.weight;
            if left < 0.0 {
                break;
            }
        }
        last
    };
    let (first, second) = (draw()?, draw()?);
    if first.1.eased || second.1.eased {
        return Some(first.0);
    }
    let (one, two) = (first.1.freedom(), second.1.freedom());
    Some(if two > one { second.0 } else { first.0 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn look(free: u32, weight: f32) -> Look {
        Look { rank: Rank::Fit, warm: false, free, limit: 4, weight, eased: false, entry: Entry::Plain }
    }

    fn shares(looks: &[Look], turns: usize) -> Vec<f32> {
        let mut dice = fastrand::Rng::with_seed(7);
        let mut counts = vec![0f32; looks.len()];
        for _ in 0..turns {
            counts[pick(looks.len(), |at| Some(looks[at]), || dice.f32()).unwrap()] += 1.0;
        }
        counts.iter().map(|count| count / turns as f32).collect()
    }

    #[test]
    fn idle_members_share_by_weight() {
        let shares = shares(&[look(4, 1.0), look(4, 3.0)], 20_000);
        assert!((shares[1] - 0.75).abs() < 0.02, "{shares:?}");
    }

    #[test]
    fn a_member_that_comes_back_gets_about_a_tenth_of_its_share() {
        // However busy the other one is.
        for free in 1..=4 {
            let back = Look { eased: true, limit: 1, ..look(1, 0.1) };
            let shares = shares(&[look(free, 1.0), back], 20_000);
            assert!((0.08..0.1).contains(&shares[1]), "{free}: {shares:?}");
        }
    }

    #[test]
    fn the_freer_of_two_is_taken() {
        let shares = shares(&[look(1, 1.0), look(4, 1.0)], 20_000);
        assert!((shares[1] - 0.75).abs() < 0.02, "only a draw of the fuller one twice takes it: {shares:?}");
    }

    #[test]
    fn what_has_the_model_loaded_gets_the_work_as_long_as_it_has_a_slot() {
        let mut looks = [look(4, 1.0), Look { warm: true, ..look(1, 1.0) }];
        assert_eq!(shares(&looks, 100), [0.0, 1.0]);
        looks[1].free = 0;
        assert_eq!(shares(&looks, 100), [1.0, 0.0]);
    }

    #[test]
    fn a_busy_member_keeps_the_work_from_one_that_is_set_aside() {
        let ejected = Look { rank: Rank::Ejected, ..look(4, 1.0) };
        let looks = [look(0, 1.0), ejected];
        assert_eq!(pick(2, |at| Some(looks[at]), || 0.5), None);
        assert_eq!(pick(2, |at| [None, Some(ejected)][at], || 0.5), Some(1), "the last one is used");
    }

    proptest! {
        #[test]
        fn what_is_picked_is_of_the_best_rank_and_free(
            members in prop::collection::vec((0u8..3, any::<bool>(), 0u32..4, 0.01f32..3.0, any::<bool>(), any::<bool>()), 0..12),
            seed: u64,
        ) {
            let looks: Vec<Option<Look>> = members
                .iter()
                .map(|(rank, warm, free, weight, there, eased)| {
                    let rank = [Rank::Fit, Rank::Resting, Rank::Ejected][*rank as usize];
                    there.then_some(Look { rank, warm: *warm, free: *free, limit: 4, weight: *weight, eased: *eased, entry: Entry::Plain })
                })
                .collect();
            let mut dice = fastrand::Rng::with_seed(seed);
            let best = best_rank(looks.iter().copied());
            let any = looks.iter().flatten().any(|look| Some(look.rank) == best && look.free > 0);
            match pick(looks.len(), |at| looks[at], || dice.f32()) {
                Some(at) => {
                    let look = looks[at].unwrap();
                    prop_assert!(Some(look.rank) == best && look.free > 0);
                    let warmer = |l: &Look| Some(l.rank) == best && l.free > 0 && l.warm;
                    prop_assert!(look.warm || !looks.iter().flatten().any(warmer));
                }
                None => prop_assert!(!any),
            }
        }
    }
}
