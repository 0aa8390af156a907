//! Retries of granted claims: the original serial, marked as a replay, and nothing else.

use crate::support::{FakeServer, Lie, faults, report};

#[test]
fn a_replay_with_another_serial_is_a_mismatch() {
    let server = FakeServer::lying(Lie::ReplaysAnotherSerial);
    let mut plan = server.plan(1_000);
    plan.retry_ratio = 0.2;
    let report = report(&plan);
    assert_eq!(faults(&report), ["replay mismatches"], "{report}");
    assert_eq!(report.verification.replay_mismatches, 1_000 - report.verification.granted, "{report}");
}

#[test]
fn a_second_grant_of_the_same_serial_is_no_replay() {
    let server = FakeServer::lying(Lie::HidesReplays);
    let mut plan = server.plan(1_000);
    plan.retry_ratio = 0.2;
    let report = report(&plan);
    assert_eq!(faults(&report), ["replay mismatches"], "{report}");
}

#[test]
fn a_retry_that_takes_another_unit_is_a_mismatch() {
    let server = FakeServer::lying(Lie::GrantsRetriesAgain);
    let mut plan = server.plan(1_000);
    plan.retry_ratio = 0.2;
    let report = report(&plan);
    assert!(faults(&report).contains(&"replay mismatches"), "{report}");
}

#[test]
fn a_retry_of_a_granted_claim_must_not_be_refused() {
    let server = FakeServer::lying(Lie::RefusesRetries);
    let mut plan = server.plan(1_000);
    plan.retry_ratio = 0.2;
    let report = report(&plan);
    assert!(faults(&report).contains(&"replay mismatches"), "{report}");
}

#[test]
fn the_replays_of_an_honest_server_are_verified() {
    let server = FakeServer::honest();
    let mut plan = server.plan(1_000);
    plan.retry_ratio = 0.2;
    let report = report(&plan);
    assert!(report.passed, "{report}");
    assert_eq!(report.verification.replays_verified, 1_000 - report.verification.granted, "{report}");
    assert!(report.verification.replays_verified > 100);
}
