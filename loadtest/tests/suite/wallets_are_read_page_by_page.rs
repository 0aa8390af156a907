//! `--operation wallet`: first pages of the wallets of users who were granted coupons before.

use std::time::Duration;

use stockade_loadtest::Plan;
use stockade_loadtest::plan::operation::Operation;

use crate::support::{FakeServer, Lie, Trouble, faults, report};

/// 50 users with 20 coupons each, or nearly.
fn plan(server: &FakeServer, pages: u64) -> Plan {
    let mut plan = Plan { operation: Operation::Wallet, grants: Some(1_000), ..server.plan(pages) };
    (plan.claims_per_frame, plan.page_size) = (1, Some(5));
    (plan.users, plan.per_user, plan.batches) = (Some(50), None, 2);
    plan
}

#[test]
fn every_page_is_read_and_counted() {
    let server = FakeServer::troubled(Trouble::AnswersBackwards);
    let report = report(&Plan { threads: 2, ..plan(&server, 2_000) });
    assert!(report.passed, "{report}");
    assert_eq!((report.claims.sent, report.claims.answered, report.latency_us.claims), (2_000, 2_000, 2_000));
    assert_eq!(report.outcomes.clone().into_iter().collect::<Vec<_>>(), [("DONE".to_owned(), 2_000)]);
    assert_eq!((report.verification.granted, report.setup.unwrap().users), (1_000, 50), "{report}");
    assert!(report.steps.is_empty() && report.claims_per_s > 0.0);
    let text = report.to_string();
    assert!(text.contains("pages/s") && text.contains("1,000 coupons granted to 50 users"), "{text}");
}

#[test]
fn coupons_of_an_earlier_run_may_be_on_a_page() {
    let server = FakeServer::honest();
    for seed in [1, 1] {
        let report = report(&Plan { seed, ..plan(&server, 200) });
        assert!(report.passed, "{report}");
    }
}

#[test]
fn a_page_that_lacks_a_coupon_is_wrong() {
    let server = FakeServer::lying(Lie::HidesACoupon);
    // Pages that hold all coupons of a user show that one is missing.
    let report = report(&Plan { page_size: Some(1_000), ..plan(&server, 200) });
    assert_eq!(faults(&report), ["wrong answers"], "{report}");
}

#[test]
fn broken_connections_read_the_same_pages_again_and_refused_ones_are_outcomes() {
    for (trouble, refused) in [
        (Trouble::LosesReplies { every: 100 }, false),
        (Trouble::Restarts { after: 500 }, false),
        (Trouble::Overloads { every: 100 }, true),
    ] {
        let server = FakeServer::troubled(trouble);
        let report = report(&plan(&server, 2_000));
        assert_eq!(faults(&report), [""; 0], "{trouble:?}: {report}");
        assert_eq!(report.claims.answered, 2_000, "{trouble:?}: {report}");
        assert_eq!(report.outcomes.contains_key("OVERLOADED"), refused, "{trouble:?}: {report}");
    }
}

#[test]
fn a_page_that_never_comes_is_unresolved() {
    let server = FakeServer::troubled(Trouble::Swallows { number: 500 });
    let drain_limit = Duration::from_millis(200);
    let plan = Plan { drain_limit, duration: Duration::from_millis(500), ..plan(&server, 2_000) };
    let report = report(&plan);
    assert_eq!(faults(&report), ["unresolved"], "{report}");
    assert_eq!((report.verification.unresolved, report.claims.unanswered), (1, 1), "{report}");
}
