//! A run over time, as the report shows it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Interval, Timeline};
use crate::load::tally::{Period, outcome_name};
use crate::time::{microseconds, per_second, seconds};

/// Share of an interval that the run must have covered for its rate to say anything.
const COVERED_MIN: f64 = 0.2;

/// The run, interval by interval, from the start of the schedule.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// Length of an interval.
    pub interval_s: f64,
    /// End of the warm-up.
    pub warm_up_s: f64,
    /// End of the schedule: what comes after it are the last replies.
    pub end_s: f64,
    /// Every interval.
    pub intervals: Vec<Slice>,
}

/// One interval. Latencies are within 1/32 (the report's own percentiles are exact); `null` = none.
#[derive(Clone, Debug, Serialize)]
pub struct Slice {
    /// Its beginning.
    pub from_s: f64,
    /// Claims a second that were meant to start; `null` in a closed loop and where the schedule covers little of it.
    pub offered_per_s: Option<f64>,
    /// Claims answered a second; `null` where the run covers little of it.
    pub answered_per_s: Option<f64>,
    /// New grants a second; likewise.
    pub granted_per_s: Option<f64>,
    /// Half of the claims that were meant to start in it were faster.
    pub p50_us: Option<f64>,
    /// 99 in 100 were.
    pub p99_us: Option<f64>,
    /// None was slower.
    pub max_us: Option<f64>,
    /// Claims answered in it, by outcome.
    pub outcomes: BTreeMap<String, u64>,
}

impl Series {
    /// What `timeline` says of a run with this `period` whose last thread was done at `finished_ns`.
    #[must_use]
    pub fn new(timeline: &Timeline, period: Period, finished_ns: u64, is_closed: bool) -> Self {
        let width_ns = timeline.width_ns();
        let slice = |(number, interval): (u64, &Interval)| {
            let from_ns = number * width_ns;
            let covered_ns = |until_ns: u64| until_ns.saturating_sub(from_ns).min(width_ns);
            let rate = |count, until_ns| {
                let covered_ns = covered_ns(until_ns);
                let counts = seconds(covered_ns) >= COVERED_MIN * seconds(width_ns);
                counts.then(|| per_second(count, covered_ns))
            };
            let quantile = |per_mille| interval.latency.quantile_ns(per_mille).map(microseconds);
            Slice {
                from_s: seconds(from_ns),
                offered_per_s: rate(interval.offered, period.end_ns).filter(|_| !is_closed),
                answered_per_s: rate(interval.answered, finished_ns),
                granted_per_s: rate(interval.granted, finished_ns),
                p50_us: quantile(500),
                p99_us: quantile(990),
                max_us: quantile(1_000),
                outcomes: interval.outcomes.iter().map(|(number, count)| (outcome_name(*number), *count)).collect(),
            }
        };
        Self {
            interval_s: seconds(width_ns),
            warm_up_s: seconds(period.warm_ns),
            end_s: seconds(period.end_ns),
            intervals: (0..).zip(timeline.intervals()).map(slice).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn rates_are_of_the_part_that_the_run_covered() {
        let mut timeline = Timeline::new(0);
        timeline.offered_evenly(0, 15 * MS, 300);
        timeline.answered(3 * MS, 100, 60);
        timeline.answered(13 * MS, 100, 0);
        timeline.answered(21 * MS, 100, 0);
        timeline.latency(3 * MS, 500_000, 100);
        let mut outcomes = [0; 256];
        (outcomes[1], outcomes[200]) = (60, 40);
        timeline.close(&outcomes);
        let period = Period { warm_ns: 5 * MS, end_ns: 15 * MS };
        let series = Series::new(&timeline, period, 21 * MS, false);
        assert_eq!((series.interval_s, series.warm_up_s, series.end_s), (0.01, 0.005, 0.015));
        let [first, second, third] = &series.intervals[..] else { panic!("{series:?}") };
        assert_eq!((first.offered_per_s, first.answered_per_s), (Some(20_000.0), Some(10_000.0)));
        assert_eq!((first.granted_per_s, first.p50_us, first.max_us), (Some(6_000.0), Some(500.0), Some(500.0)));
        assert_eq!(
            first.outcomes.iter().map(|(name, count)| (name.as_str(), *count)).collect::<Vec<_>>(),
            [("GRANTED", 60), ("UNKNOWN_200", 40)]
        );
        assert_eq!(second.offered_per_s, Some(20_000.0), "half of it is behind the end");
        assert_eq!((second.p50_us, second.p99_us), (None, None));
        assert_eq!((third.offered_per_s, third.answered_per_s), (None, None), "a tenth of it says nothing");
        let closed = Series::new(&timeline, period, 21 * MS, true);
        assert!(closed.intervals.iter().all(|slice| slice.offered_per_s.is_none()), "a closed loop offers nothing");
    }
}
