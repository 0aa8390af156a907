//! The scenario file that is shipped: what it says, and that it passes.

use std::path::Path;

use stockade_loadtest::{Plan, Scenario};

use crate::support::{FakeServer, report};

fn flash_sale() -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/flash-sale.toml");
    Plan::new(Scenario::read(&path).unwrap()).unwrap()
}

#[test]
fn a_hundred_thousand_buyers_for_ten_thousand_coupons_with_repeats_and_retries() {
    let plan = flash_sale();
    assert_eq!((plan.users, plan.stock, plan.per_user, plan.batches), (Some(100_000), 10_000, Some(1), 1));
    assert!(!plan.closed && plan.repeat_ratio > 0.0 && plan.retry_ratio > 0.0);
}

#[test]
fn it_is_sold_to_the_last_coupon_and_not_beyond() {
    let server = FakeServer::honest();
    let file = flash_sale();
    // The same crowd, as fast as this server goes and for as long as it takes.
    let clock = server.plan(100_000);
    let plan = Plan { server: clock.server, closed: true, duration: clock.duration, claims: clock.claims, ..file };
    let report = report(&plan);
    assert!(report.passed, "{report}");
    assert_eq!((report.verification.granted, report.verification.looked_up), (10_000, 10_000), "{report}");
    assert_eq!(report.verification.batches[0].remaining, 0);
    assert!(report.outcomes["SOLD_OUT"] > 50_000, "{report}");
}
