//! Acknowledged grants that the server does not hold, or holds otherwise.

use crate::support::{FakeServer, Lie, faults, report};

#[test]
fn an_acknowledged_grant_that_is_not_there_is_lost() {
    let server = FakeServer::lying(Lie::ForgetsAGrant);
    let report = report(&server.plan(1_000));
    assert_eq!(faults(&report), ["lost"], "{report}");
    assert_eq!(report.verification.lost, 1);
    assert_eq!(report.verification.findings[0].found, "REQUEST_UNKNOWN");
}

#[test]
fn an_acknowledged_grant_with_another_serial_is_lost() {
    let server = FakeServer::lying(Lie::ChangesASerial);
    let report = report(&server.plan(1_000));
    assert_eq!(faults(&report), ["lost"], "{report}");
    assert_eq!(report.verification.lost, 1);
}

#[test]
fn a_grant_of_more_than_was_asked_for_is_no_grant() {
    let server = FakeServer::lying(Lie::GrantsTwo);
    let report = report(&server.plan(1_000));
    assert_eq!(faults(&report), ["malformed grants"], "{report}");
}
