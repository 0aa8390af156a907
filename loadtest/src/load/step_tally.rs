//! What a thread counts of one of the two requests of a pair, beside the pair as a whole.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::limits::LATENCY_NS_MAX;
use crate::load::tally::{Period, outcome_name};
use crate::timeline::Outcomes;

/// Counts of one request; [`StepTally::absorb`] adds those of another thread.
#[derive(Clone, Debug)]
pub struct StepTally {
    latency: Histogram<u64>,
    outcomes: Outcomes,
    /// Requests answered, of the whole run.
    pub answered: u64,
    /// Requests answered in the measured period.
    pub measured_answered: u64,
}

impl Default for StepTally {
    fn default() -> Self {
        Self::new()
    }
}

impl StepTally {
    /// Nothing counted yet.
    ///
    /// # Panics
    /// Never: the histogram's bounds are constants that it accepts.
    #[must_use]
    pub fn new() -> Self {
        let latency =
            Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).expect("1 ns to an hour with 3 digits is possible");
        Self { latency, outcomes: [0; 256], answered: 0, measured_answered: 0 }
    }

    /// One request got the outcome with this number.
    #[inline]
    pub fn outcome(&mut self, status: u8) {
        self.outcomes[usize::from(status)] += 1;
    }

    /// `requests` that were due at `from_ns` are answered at `now_ns`.
    pub fn answered(&mut self, period: Period, requests: u32, from_ns: u64, now_ns: u64) {
        let requests = u64::from(requests);
        self.answered += requests;
        if period.contains(now_ns) {
            self.measured_answered += requests;
        }
        if period.contains(from_ns) {
            self.latency.saturating_record_n(now_ns.saturating_sub(from_ns).max(1), requests);
        }
    }

    /// Adds the counts of another thread.
    ///
    /// # Panics
    /// Never: both histograms have the same bounds.
    pub fn absorb(&mut self, other: &StepTally) {
        self.latency.add(&other.latency).expect("histograms with the same bounds");
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(mine, theirs)| *mine += theirs);
        self.answered += other.answered;
        self.measured_answered += other.measured_answered;
    }

    /// Latencies in nanoseconds, one count for each request.
    #[must_use]
    pub fn latencies(&self) -> &Histogram<u64> {
        &self.latency
    }

    /// Requests by outcome, for those that occurred.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<String, u64> {
        let occurred = (0..=u8::MAX).zip(self.outcomes).filter(|(_, count)| *count > 0);
        occurred.map(|(number, count)| (outcome_name(number), count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_count_when_it_was_answered_and_latencies_when_it_was_due() {
        let period = Period { warm_ns: 100, end_ns: 200 };
        let (mut first, mut second) = (StepTally::new(), StepTally::default());
        first.answered(period, 2, 50, 150);
        second.answered(period, 3, 150, 250);
        second.outcome(1);
        second.outcome(3);
        first.outcome(3);
        first.absorb(&second);
        assert_eq!((first.answered, first.measured_answered, first.latencies().len()), (5, 2, 3));
        let outcomes = first.outcomes().into_iter().collect::<Vec<_>>();
        assert_eq!(outcomes, [("GRANTED".to_owned(), 1), ("RESERVED".to_owned(), 2)]);
    }
}
