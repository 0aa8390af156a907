//! Frames that are refused with one fault for all of their claims.

use crate::support::{FakeServer, Trouble, faults, report};

#[test]
fn a_refused_frame_is_an_outcome_of_each_of_its_claims() {
    let server = FakeServer::troubled(Trouble::Overloads { every: 10 });
    let mut plan = server.plan(8_000);
    plan.retry_ratio = 0.1;
    let report = report(&plan);
    assert_eq!(faults(&report), [""; 0], "{report}");
    assert_eq!(report.outcomes["OVERLOADED"], 800, "{report}");
    assert_eq!(report.claims.answered, 8_000);
}
