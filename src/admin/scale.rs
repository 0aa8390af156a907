//! How a histogram of powers of two is shown: which of its buckets, and in which unit.

use crate::metrics::{HISTOGRAM_BUCKETS, Histogram};

/// The bounds that a histogram's buckets are shown with.
///
/// Bucket `n` counts the whole numbers below 2ⁿ and not below 2ⁿ⁻¹, so its upper bound, itself included as `le` asks
/// for, is 2ⁿ − 1: of nanoseconds, claims or bytes.
pub(super) struct Scale {
    /// The first bucket with a bound of its own; smaller values count in it.
    first: usize,
    /// The last one; larger values count under `+Inf` only.
    last: usize,
    /// How many of the histogram's units make one of the shown unit.
    per_unit: f64,
}

/// Nanoseconds shown as seconds, from 1 µs (a burst of a few claims takes that) to 8.6 s (a disk that hangs).
pub(super) const SECONDS: Scale = Scale::new(10, 33, 1e9);

/// Claims, from none to a million: the largest group that can be configured.
pub(super) const CLAIMS: Scale = Scale::new(0, 20, 1.0);

/// Bytes, from 127 (an empty group) to 64 MiB (a million claims that share nothing).
pub(super) const BYTES: Scale = Scale::new(7, 26, 1.0);

/// A histogram as it is shown.
pub(super) struct Shown {
    /// Sum of all values, in the shown unit.
    pub(super) sum: f64,
    /// Number of all values.
    pub(super) count: u64,
    /// Upper bound, and values not above it and above the bound before; the last bound is infinite.
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Scale {
    const fn new(first: usize, last: usize, per_unit: f64) -> Self {
        assert!(first < last && last < HISTOGRAM_BUCKETS - 1, "the last bucket has no upper bound");
        Self { first, last, per_unit }
    }

    /// The sum of `histograms`, shown.
    pub(super) fn show<'a>(&self, histograms: impl IntoIterator<Item = &'a Histogram>) -> Shown {
        let (mut sum, mut counts) = (0.0, [0_u64; HISTOGRAM_BUCKETS]);
        for histogram in histograms {
            let (its_sum, its_counts) = histogram.read();
            sum += rounded(its_sum) / self.per_unit;
            counts.iter_mut().zip(its_counts).for_each(|(count, more)| *count += more);
        }
        let mut buckets = vec![(self.bound(self.first), counts[..=self.first].iter().sum())];
        buckets.extend((self.first + 1..=self.last).map(|power| (self.bound(power), counts[power])));
        buckets.push((f64::INFINITY, counts[self.last + 1..].iter().sum()));
        // Counted from the buckets: a value that is recorded meanwhile must not break the total.
        Shown { sum, count: counts.iter().sum(), buckets }
    }

    fn bound(&self, power: usize) -> f64 {
        rounded((1_u64 << power) - 1) / self.per_unit
    }
}

/// A whole number as text formats and dashboards carry it: exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "a float is what the format has; nobody reads the 17th digit")]
pub(super) fn rounded(value: u64) -> f64 {
    value as f64
}
