use crate::support::{FakeServer, faults, report};

#[test]
fn frames_of_many_megabytes_arrive_whole_and_in_order() {
    let server = FakeServer::honest();
    let mut plan = server.plan(400_000);
    // 13 MB in flight on one connection: more than its socket takes while the server is busy with the first of it.
    (plan.connections, plan.window, plan.claims_per_frame) = (1, 64, 8_192);
    let report = report(&plan);
    assert_eq!(faults(&report), [""; 0], "{report}");
    assert_eq!((report.claims.answered, report.connections.broken), (400_000, 0), "{report}");
    assert_eq!(report.verification.looked_up, 400_000);
}
