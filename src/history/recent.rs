//! How long the recent jobs took.

use super::bins::Bins;
use crate::model::status::Quantiles;

/// Durations of a recent time: two generations, of which the older is dropped when the younger is full of time. What
/// is shown covers between one and two spans.
#[derive(Debug, Clone)]
pub(crate) struct Recent {
    span_ms: i64,
    begun_ms: i64,
    young: Bins,
    old: Bins,
}

impl Recent {
    pub(crate) fn new(span_ms: i64) -> Self {
        Self { span_ms, begun_ms: i64::MIN, young: Bins::default(), old: Bins::default() }
    }

    pub(crate) fn add(&mut self, at_ms: i64, value: u64) {
        self.age(at_ms);
        self.young.add(value);
    }

    /// The quantiles, in the unit of the values.
    pub(crate) fn quantiles(&mut self, at_ms: i64) -> Option<Quantiles> {
        self.age(at_ms);
        let mut all = self.old.clone();
        all.merge(&self.young);
        let at = |share| all.quantile(share);
        Some(Quantiles { p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)? })
    }

    /// A clock that was set back begins a generation, too.
    fn age(&mut self, at_ms: i64) {
        let age = at_ms.saturating_sub(self.begun_ms);
        if (0..self.span_ms).contains(&age) {
            return;
        }
        self.old = std::mem::take(&mut self.young);
        if age >= self.span_ms.saturating_mul(2) {
            self.old = Bins::default();
        }
        self.begun_ms = at_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_two_spans_is_gone() {
        let mut recent = Recent::new(1_000);
        assert_eq!(recent.quantiles(0), None);
        recent.add(0, 100);
        recent.add(1_500, 400);
        assert!(recent.quantiles(1_600).unwrap().p50 < 110.0);
        assert!(recent.quantiles(2_600).unwrap().p50 > 370.0, "the first generation is gone");
        assert_eq!(recent.quantiles(9_000), None);
        recent.add(8_000, 100);
        assert!(recent.quantiles(8_000).is_some(), "the clock was set back");
    }
}
