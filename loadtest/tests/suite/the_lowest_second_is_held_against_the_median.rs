//! How steady a run was, in the text, the page and the JSON of one report.

use std::time::Duration;

use stockade_loadtest::report::page::Page;

use crate::support::{FakeServer, report};

#[test]
fn a_report_of_three_seconds_has_one_between_the_first_and_the_last() {
    let server = FakeServer::honest();
    let mut plan = server.plan(1);
    (plan.closed, plan.claims, plan.rate) = (false, None, 8_000);
    (plan.warm_up, plan.duration) = (Duration::from_millis(100), Duration::from_millis(3_500));
    let report = report(&plan);
    assert!(report.passed, "{report}");
    let json = serde_json::to_value(&report).unwrap();
    let found = &json["steadiness"];
    assert_eq!(
        (&found["seconds"], &found["lowest_share"], &found["lowest_from_s"]),
        (&1.into(), &1.0.into(), &1.1.into())
    );
    assert_eq!(found["median_claims_per_s"], found["lowest_claims_per_s"]);
    let rate = found["lowest_claims_per_s"].as_f64().unwrap();
    assert!(rate > 0.0 && rate < 24_800.0, "more than a second's claims: {rate}");
    let line = "100 % of the median, from 1.1 s on (whole seconds but the first and the last: 1)";
    assert!(report.to_string().contains(line), "{report}");
    assert!(Page(&report).to_string().contains(line));
}

#[test]
fn a_short_report_says_nothing_of_it() {
    let server = FakeServer::honest();
    let report = report(&server.plan(100));
    assert_eq!(report.steadiness, None);
    assert!(!report.to_string().contains("of the median"), "{report}");
}
