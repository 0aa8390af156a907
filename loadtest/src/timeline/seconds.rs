//! How steady a run was: its claims second by second, however long it is, and the lowest second against the median.
//!
//! The timeline's intervals grow with the run; these do not, so that a pause of a second shows in an hour.

use serde::Serialize;

use crate::load::tally::Period;
use crate::time::{per_second, real};

/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;

/// Claims answered in each second of the measured period, from its beginning on: 8 bytes a second.
#[derive(Clone, Debug, Default)]
pub struct Seconds {
    answered: Vec<u64>,
}

/// The whole seconds of the measured period but its first and last one: those have a beginning and an end in them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Steadiness {
    /// How many there are.
    pub seconds: u64,
    /// Claims answered in the median one.
    pub median_claims_per_s: f64,
    /// Claims answered in the lowest one.
    pub lowest_claims_per_s: f64,
    /// Its beginning, in seconds from the start of the schedule, warm-up included.
    pub lowest_from_s: f64,
    /// The lowest as a share of the median; 0 if that is 0.
    pub lowest_share: f64,
}

impl Seconds {
    /// `claims` are answered at `at_ns`, which is in `period`.
    #[inline]
    pub fn answered(&mut self, period: Period, at_ns: u64, claims: u64) {
        let place = usize::try_from((at_ns - period.warm_ns) / SECOND_NS).unwrap_or(usize::MAX);
        match self.answered.get_mut(place) {
            Some(count) => *count += claims,
            None => self.extend(place, claims),
        }
    }

    #[cold]
    fn extend(&mut self, place: usize, claims: u64) {
        self.answered.resize(place + 1, 0);
        self.answered[place] += claims;
    }

    /// Adds the counts of another thread.
    pub fn absorb(&mut self, other: &Seconds) {
        if self.answered.len() < other.answered.len() {
            self.answered.resize(other.answered.len(), 0);
        }
        self.answered.iter_mut().zip(&other.answered).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// How steady the first `measured_ns` of `period` were. `None`: they have fewer than three whole seconds.
    #[must_use]
    pub fn steadiness(&self, period: Period, measured_ns: u64) -> Option<Steadiness> {
        let whole = usize::try_from(measured_ns / SECOND_NS).ok()?;
        // A second without an answer at the end has no count.
        let count = |second| self.answered.get(second).copied().unwrap_or(0);
        let inner = (1..whole.saturating_sub(1)).map(|second| (count(second), second)).collect::<Vec<_>>();
        let (lowest, second) = inner.iter().copied().min()?;
        let mut counts = inner.iter().map(|(count, _)| *count).collect::<Vec<_>>();
        counts.sort_unstable();
        let middle = counts.len() / 2;
        let below = counts[(counts.len() - 1) / 2];
        let median = f64::midpoint(real(below), real(counts[middle]));
        Some(Steadiness {
            seconds: counts.len() as u64,
            median_claims_per_s: median,
            lowest_claims_per_s: per_second(lowest, SECOND_NS),
            lowest_from_s: crate::time::seconds(period.warm_ns) + real(second as u64),
            lowest_share: if median > 0.0 { real(lowest) / median } else { 0.0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Period = Period { warm_ns: SECOND_NS / 2, end_ns: 100 * SECOND_NS };

    /// So many claims in each second of the period, half of them at its beginning and half at its end.
    fn seconds(counts: &[u64]) -> Seconds {
        let (mut first, mut second) = (Seconds::default(), Seconds::default());
        for (number, count) in (0..).zip(counts) {
            let from_ns = PERIOD.warm_ns + number * SECOND_NS;
            first.answered(PERIOD, from_ns, count / 2);
            second.answered(PERIOD, from_ns + SECOND_NS - 1, count - count / 2);
        }
        let mut sum = Seconds::default();
        sum.absorb(&first);
        sum.absorb(&second);
        sum
    }

    #[test]
    fn the_lowest_second_is_held_against_the_median_without_first_and_last() {
        let counted = seconds(&[1, 100, 90, 120, 60, 110, 2, 3]);
        let found = counted.steadiness(PERIOD, 7 * SECOND_NS + 5).unwrap();
        assert_eq!((found.seconds, found.median_claims_per_s.to_string()), (5, "100".to_owned()));
        assert_eq!(
            (found.lowest_claims_per_s.to_string(), found.lowest_from_s.to_string()),
            ("60".into(), "4.5".into())
        );
        assert_eq!(found.lowest_share.to_string(), "0.6");
        let even = counted.steadiness(PERIOD, 6 * SECOND_NS).unwrap();
        assert_eq!((even.seconds, even.median_claims_per_s.to_string()), (4, "95".to_owned()));
    }

    #[test]
    fn a_second_without_answers_is_the_lowest_and_too_few_say_nothing() {
        let found = seconds(&[50, 50, 0, 50, 50]).steadiness(PERIOD, 5 * SECOND_NS).unwrap();
        assert_eq!((found.lowest_from_s.to_string(), found.lowest_share.to_string()), ("2.5".into(), "0".into()));
        let silent = seconds(&[50, 50]).steadiness(PERIOD, 9 * SECOND_NS).unwrap();
        assert_eq!((silent.seconds, silent.lowest_from_s.to_string()), (7, "2.5".into()), "the server fell silent");
        assert_eq!(seconds(&[50, 50]).steadiness(PERIOD, 3 * SECOND_NS - 1), None);
    }
}
