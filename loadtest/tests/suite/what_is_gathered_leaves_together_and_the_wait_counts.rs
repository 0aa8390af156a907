//! A generator that serves its sockets every 5 ms only, as a gateway does that writes in batches.

use std::time::Duration;

use crate::support::{FakeServer, report};

#[test]
fn the_wait_is_part_of_the_latency() {
    let server = FakeServer::honest();
    let mut plan = server.plan(1);
    (plan.closed, plan.claims, plan.rate) = (false, None, 80_000);
    (plan.duration, plan.gather) = (Duration::from_millis(100), Duration::from_millis(5));
    let report = report(&plan);
    assert!(report.verification.passed, "{report}");
    // What is due within 5 ms is sent at their end, and its answer is seen 5 ms later: no answer sooner, whatever the
    // machine.
    assert!(report.latency_us.p50 >= 5_000.0, "{report}");
    assert!(report.to_string().contains("gathered for 5ms"), "{report}");
}
