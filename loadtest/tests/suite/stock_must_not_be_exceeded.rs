//! More grants than units, and fewer.

use crate::support::{FakeServer, Lie, faults, report};

#[test]
fn grants_beyond_the_stock_are_oversold() {
    let server = FakeServer::lying(Lie::GrantsBeyondStock);
    let mut plan = server.plan(1_000);
    plan.stock = 100;
    let report = report(&plan);
    assert_eq!(report.verification.oversold, 3, "{report}");
    assert!(!report.passed);
}

#[test]
fn grants_beyond_the_stock_are_oversold_also_when_the_server_hides_them() {
    let server = FakeServer::lying(Lie::GrantsBeyondStockInSilence);
    let mut plan = server.plan(1_000);
    plan.stock = 100;
    let report = report(&plan);
    assert_eq!(faults(&report), ["oversold", "duplicate serials", "counter mismatch"], "{report}");
    assert_eq!(report.verification.oversold, 3);
}

#[test]
fn sold_out_with_a_unit_left_is_undersold() {
    let server = FakeServer::lying(Lie::SoldOutTooEarly);
    let mut plan = server.plan(1_000);
    plan.stock = 100;
    let report = report(&plan);
    assert_eq!(faults(&report), ["undersold"], "{report}");
    assert_eq!(report.verification.undersold, 1);
}
