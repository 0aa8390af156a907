//! The series of a report against its totals.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{FakeServer, Trouble, report};

#[test]
fn the_outcomes_of_all_intervals_are_the_outcomes_of_the_run() {
    let server = FakeServer::troubled(Trouble::Overloads { every: 7 });
    let mut plan = server.plan(20_000);
    (plan.threads, plan.stock, plan.retry_ratio) = (2, 9_000, 0.1);
    let report = report(&plan);
    assert!(report.passed, "{report}");
    let mut totals = BTreeMap::<String, u64>::new();
    for (name, count) in report.series.intervals.iter().flat_map(|slice| &slice.outcomes) {
        *totals.entry(name.clone()).or_default() += count;
    }
    assert_eq!(totals, report.outcomes);
    assert!(totals.len() >= 3, "{totals:?}");
    let first = report.series.intervals.iter().find(|slice| slice.outcomes.contains_key("SOLD_OUT")).unwrap();
    let before = report.series.intervals.iter().take_while(|slice| slice.from_s < first.from_s);
    assert!(before.flat_map(|slice| &slice.outcomes).all(|(name, _)| name != "SOLD_OUT"));
    assert_eq!(report.distribution.claims, report.latency_us.claims);
}

#[test]
fn an_open_loop_shows_what_it_offered_until_its_end() {
    let server = FakeServer::honest();
    let mut plan = server.plan(1);
    (plan.closed, plan.claims, plan.rate) = (false, None, 80_000);
    (plan.warm_up, plan.duration) = (Duration::from_millis(50), Duration::from_millis(150));
    let report = report(&plan);
    let series = &report.series;
    assert_eq!((series.interval_s.to_string(), series.warm_up_s.to_string()), ("0.01".to_owned(), "0.05".to_owned()));
    let offered = series.intervals.iter().filter_map(|slice| slice.offered_per_s).collect::<Vec<_>>();
    assert_eq!(offered.len(), 20, "200 ms in steps of 10: {series:?}");
    assert!(offered.iter().all(|rate| (76_000.0..=84_000.0).contains(rate)), "each near 80,000/s: {offered:?}");
}
