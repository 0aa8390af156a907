//! A small histogram of latencies: one for each interval of a run, and one that watchers may read while it goes on.
//!
//! Log-linear buckets as in HdrHistogram, 32 to an octave: a value is known within 1/32 of itself, and a histogram
//! takes ten kilobytes. The figures of a report come from an exact one; these only draw curves.

use crate::limits::LATENCY_NS_MAX;

/// Buckets of an octave, as a power of two.
const SUB_BITS: u32 = 5;
const SUB_BUCKETS: u64 = 1 << SUB_BITS;

/// Number of buckets.
pub const BUCKETS: usize = index(LATENCY_NS_MAX) + 1;

/// Counts of latencies in nanoseconds. Above [`LATENCY_NS_MAX`] they count as that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coarse {
    /// Empty until something is counted.
    counts: Vec<u64>,
    max_ns: u64,
}

impl Coarse {
    /// Counts `value_ns` as often as `count` says.
    pub fn record(&mut self, value_ns: u64, count: u64) {
        if count == 0 {
            return;
        }
        if self.counts.is_empty() {
            self.counts.resize(BUCKETS, 0);
        }
        let value_ns = value_ns.min(LATENCY_NS_MAX);
        self.counts[index(value_ns)] += count;
        self.max_ns = self.max_ns.max(value_ns);
    }

    /// A histogram with these counts, one for each bucket; its largest value is known as well as any other.
    #[must_use]
    pub fn from_counts(counts: Vec<u64>) -> Self {
        let max_ns = counts.iter().rposition(|count| *count > 0).map_or(0, highest);
        Self { counts, max_ns }
    }

    /// One count for each bucket; none at all if nothing was counted.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// What was counted since this histogram was as `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Coarse) -> Self {
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        Self::from_counts(self.counts.iter().zip(before).map(|(now, before)| now.saturating_sub(before)).collect())
    }

    /// Adds all counts of `other`.
    pub fn absorb(&mut self, other: &Coarse) {
        if self.counts.is_empty() {
            self.counts.clone_from(&other.counts);
        } else {
            self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        }
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// Values counted.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The largest value; 0 if there is none.
    #[must_use]
    pub fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// The value that `per_mille` of 1,000 values do not exceed, at most 1/32 too high. `None` if there is none.
    #[must_use]
    pub fn quantile_ns(&self, per_mille: u64) -> Option<u64> {
        let wanted = u128::from(self.len()) * u128::from(per_mille.min(1_000));
        let mut seen = 0_u128;
        let found = self.counts.iter().position(|count| {
            seen += u128::from(*count) * 1_000;
            *count > 0 && seen >= wanted
        });
        found.map(|place| highest(place).min(self.max_ns))
    }
}

/// The bucket of `value`: the first 32 values have one each, every later octave has 32.
const fn index(value: u64) -> usize {
    if value < SUB_BUCKETS {
        return small(value);
    }
    let octave = value.ilog2() - SUB_BITS;
    small((octave as u64 + 1) * SUB_BUCKETS + (value >> octave) - SUB_BUCKETS)
}

/// The highest value of a bucket.
fn highest(index: usize) -> u64 {
    let index = index as u64;
    let octave = (index / SUB_BUCKETS).saturating_sub(1);
    let first = if index < SUB_BUCKETS { index } else { index % SUB_BUCKETS + SUB_BUCKETS };
    ((first + 1) << octave) - 1
}

#[expect(clippy::cast_possible_truncation, reason = "a bucket's number: 38 octaves of 32")]
const fn small(index: u64) -> usize {
    index as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_where_the_next_one_begins() {
        for place in 0..BUCKETS - 1 {
            assert_eq!(index(highest(place)), place);
            assert_eq!(index(highest(place) + 1), place + 1);
            let width = highest(place + 1) - highest(place);
            assert!(width == 1 || width * 32 <= highest(place + 1), "{width} at {place}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_values_within_a_32nd() {
        let mut coarse = Coarse::default();
        assert_eq!((coarse.quantile_ns(500), coarse.max_ns(), coarse.is_empty()), (None, 0, true));
        for value in 1..=10_000 {
            coarse.record(value * 1_000, 1);
        }
        for (per_mille, exact) in
            [(0, 1_000), (500, 5_000_000), (990, 9_900_000), (999, 9_990_000), (1_000, 10_000_000)]
        {
            let found = coarse.quantile_ns(per_mille).unwrap();
            assert!(found >= exact && found - exact <= exact / 32, "{per_mille}: {found} for {exact}");
        }
        assert_eq!((coarse.max_ns(), coarse.len()), (10_000_000, 10_000), "the largest one is exact");
        coarse.record(u64::MAX, 1);
        assert_eq!(coarse.max_ns(), LATENCY_NS_MAX);
    }

    #[test]
    fn histograms_add_up_and_tell_what_is_new() {
        let (mut first, mut second) = (Coarse::default(), Coarse::default());
        first.record(10, 3);
        second.record(1_000_000, 1);
        let before = first.clone();
        first.absorb(&second);
        let mut other_way = second.clone();
        other_way.absorb(&before);
        assert_eq!(first, other_way);
        assert_eq!((first.len(), first.quantile_ns(500), first.max_ns()), (4, Some(10), 1_000_000));
        let new = first.since(&before);
        assert_eq!((new.len(), new.quantile_ns(500).unwrap() / 100_000), (1, 10));
        assert_eq!(first.since(&Coarse::default()).len(), 4);
    }
}
