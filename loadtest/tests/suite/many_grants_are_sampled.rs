//! More grants than the bound of look-ups.

use stockade_loadtest::proof::verdict::Mode;

use crate::support::{FakeServer, report};

#[test]
fn beyond_the_bound_exactly_so_many_are_looked_up_and_the_report_says_so() {
    let server = FakeServer::honest();
    for (sample, mode) in [(0, Mode::Sampled), (1, Mode::Sampled), (333, Mode::Sampled), (1_000, Mode::Complete)] {
        let mut plan = server.plan(1_000);
        plan.sample = sample;
        let report = report(&plan);
        assert!(report.passed, "{report}");
        assert_eq!((report.verification.looked_up, report.verification.mode), (sample, mode));
        assert_eq!(report.verification.granted, 1_000, "counts are exact all the same");
    }
}
