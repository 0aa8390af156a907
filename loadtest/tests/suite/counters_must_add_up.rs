//! The server's own counters against the grants that we know of.

use crate::support::{FakeServer, Lie, faults, report};

#[test]
fn a_grant_that_nobody_got_is_found() {
    let server = FakeServer::lying(Lie::CountsOneMore);
    let report = report(&server.plan(1_000));
    assert_eq!(faults(&report), ["undersold", "counter mismatch"], "{report}");
}

#[test]
fn a_unit_that_is_neither_granted_nor_left_is_found() {
    let server = FakeServer::lying(Lie::LosesAUnit);
    let report = report(&server.plan(1_000));
    assert_eq!(faults(&report), ["undersold", "unbalanced batches"], "{report}");
    assert_eq!(report.verification.undersold, 1);
}
