//! A serial that two claims got.

use crate::support::{FakeServer, Lie, faults, report};

#[test]
fn a_serial_granted_twice_is_found_also_between_threads() {
    for threads in [1, 4] {
        let server = FakeServer::lying(Lie::SameSerialTwice);
        let mut plan = server.plan(1_000);
        plan.threads = threads;
        let report = report(&plan);
        assert_eq!(faults(&report), ["duplicate serials"], "{report}");
        assert_eq!(report.verification.duplicate_serials, 1);
        assert!(!report.passed);
    }
}
