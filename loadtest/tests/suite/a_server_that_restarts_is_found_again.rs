//! All connections break at once and the port opens anew.

use crate::support::{FakeServer, Trouble, faults, report};

#[test]
fn all_connections_come_back_and_the_run_goes_on() {
    let server = FakeServer::troubled(Trouble::Restarts { after: 200 });
    let report = report(&server.plan(10_000));
    assert_eq!(faults(&report), [""; 0], "{report}");
    assert_eq!(report.claims.answered, 10_000, "{report}");
    assert!(report.connections.broken >= 4, "each of them: {report}");
    assert_eq!(report.verification.granted, server.granted_in_truth(), "{report}");
}
