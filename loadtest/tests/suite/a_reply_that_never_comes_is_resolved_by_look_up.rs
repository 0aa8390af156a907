//! A frame that is decided and never answered.

use std::time::Duration;

use crate::support::{FakeServer, Trouble, faults, report};

#[test]
fn what_the_server_decided_without_an_answer_is_found_and_counted() {
    let server = FakeServer::troubled(Trouble::SwallowsFirst);
    let mut plan = server.plan(1_000);
    (plan.duration, plan.drain_limit) = (Duration::from_millis(500), Duration::from_millis(200));
    let report = report(&plan);
    assert_eq!(faults(&report), [""; 0], "{report}");
    assert!(report.claims.unanswered >= 8, "at least the frame that was swallowed: {report}");
    assert!(report.verification.resolved_granted >= 8, "{report}");
    assert_eq!(report.verification.granted, server.granted_in_truth(), "{report}");
    assert_eq!(report.latency_us.claims, report.claims.sent, "the claims without an answer have a latency");
    assert!(report.latency_us.max >= 200_000.0, "no reply within the drain limit: {report}");
}
