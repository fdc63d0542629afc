//! Counts of durations by size: eight bins an octave, so that two sets merge by adding.

/// Bins an octave, as a power of two.
const FINE: u32 = 3;

/// Counts of values by size. A bin is at most 1/8 wide, so that a quantile is at most 7 % off; values above
/// [`Bins::MOST`] count as that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bins(Vec<(u8, u32)>);

impl Bins {
    /// The largest value that is told apart.
    pub const MOST: u64 = u32::MAX as u64;

    /// Counts a value once more.
    pub fn add(&mut self, value: u64) {
        self.add_many(bin_of(value), 1);
    }

    /// Adds what another counted.
    pub fn merge(&mut self, other: &Self) {
        for (bin, count) in &other.0 {
            self.add_many(*bin, *count);
        }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// The value below which this share of them lies (0 to 1): the middle of its bin. `None` without values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (self.count() as f64 * share.clamp(0.0, 1.0)).ceil().max(1.0);
        let mut seen = 0.0;
        let mut bins = self.0.iter();
        let (bin, _) = bins.find(|(_, count)| {
            seen += f64::from(*count);
            seen >= wanted
        })?;
        Some(middle_of(*bin))
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (u8, u32)> {
        self.0.iter().copied()
    }

    pub(super) fn add_many(&mut self, bin: u8, count: u32) {
        match self.0.binary_search_by_key(&bin, |(bin, _)| *bin) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(count),
            Err(at) => self.0.insert(at, (bin, count)),
        }
    }
}

fn bin_of(value: u64) -> u8 {
    let value = value.clamp(1, Bins::MOST);
    let octave = value.ilog2();
    let part = ((value << FINE) >> octave) & ((1 << FINE) - 1);
    // 32 octaves of 8 bins are 256.
    u8::try_from((u64::from(octave) << FINE) + part).unwrap_or(u8::MAX)
}

fn middle_of(bin: u8) -> f64 {
    let (octave, part) = (i32::from(bin >> FINE), f64::from(bin & ((1 << FINE) - 1)));
    (8.5 + part) / 8.0 * 2f64.powi(octave)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_value_lies_near_the_middle_of_its_bin(value in 1..=Bins::MOST) {
            let mut bins = Bins::default();
            bins.add(value);
            let told = bins.quantile(0.5).unwrap();
            // Below 8 a bin is narrower than one, and its middle is past the value.
            let off = (told - value as f64).abs();
            prop_assert!(off <= 0.07 * value as f64, "{value}: {told}");
        }

        #[test]
        fn quantiles_of_a_merge_are_those_of_all(a in prop::collection::vec(1..90_000u64, 1..60),
                                                 b in prop::collection::vec(1..90_000u64, 0..60)) {
            let count = |values: &[u64]| {
                let mut bins = Bins::default();
                values.iter().for_each(|v| bins.add(*v));
                bins
            };
            let mut merged = count(&a);
            merged.merge(&count(&b));
            let all: Vec<u64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(&merged, &count(&all));
            let mut sorted = all;
            sorted.sort_unstable();
            for share in [0.0, 0.5, 0.95, 1.0] {
                let rank = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
                let (exact, told) = (sorted[rank - 1] as f64, merged.quantile(share).unwrap());
                prop_assert!((told - exact).abs() <= 0.07 * exact, "{share}: {told} for {exact}");
            }
        }
    }

    #[test]
    fn what_is_too_large_counts_as_the_largest() {
        let mut bins = Bins::default();
        bins.add(u64::MAX);
        bins.add(0);
        assert_eq!(bins.count(), 2);
        assert!(bins.quantile(1.0).unwrap() > 3e9 && bins.quantile(0.0).unwrap() < 2.0);
        assert_eq!(Bins::default().quantile(0.5), None);
    }
}
