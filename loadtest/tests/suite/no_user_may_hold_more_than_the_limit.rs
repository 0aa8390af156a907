//! Limits per user, counted from the grants and read from the answers.

use stockade_loadtest::Plan;

use crate::support::{FakeServer, Lie, faults, report};

fn few_users(server: &FakeServer) -> Plan {
    let mut plan = server.plan(1_000);
    plan.users = Some(20);
    plan
}

#[test]
fn users_above_the_limit_are_counted() {
    let server = FakeServer::lying(Lie::IgnoresTheLimit);
    let report = report(&few_users(&server));
    assert_eq!(faults(&report), ["users over limit", "answers over limit"], "{report}");
    assert_eq!(report.verification.over_limit, 20);
    assert_eq!(report.verification.over_limit_answers, 980);
}

#[test]
fn users_above_the_limit_are_counted_also_when_the_answers_hide_it() {
    let server = FakeServer::lying(Lie::IgnoresTheLimitInSilence);
    let report = report(&few_users(&server));
    assert_eq!(faults(&report), ["users over limit"], "{report}");
}

#[test]
fn repeats_are_such_users() {
    let server = FakeServer::lying(Lie::IgnoresTheLimitInSilence);
    let mut plan = server.plan(1_000);
    plan.repeat_ratio = 0.1;
    let report = report(&plan);
    assert_eq!(faults(&report), ["users over limit"], "{report}");
    assert!((50..=150).contains(&report.verification.over_limit), "{report}");
}

#[test]
fn a_limit_above_one_is_a_limit() {
    let server = FakeServer::honest();
    let mut plan = few_users(&server);
    plan.per_user = Some(3);
    let report = report(&plan);
    assert!(report.passed, "{report}");
    assert_eq!(report.verification.granted, 60);
}
