//! `--operation lock-redeem`: coupons that were granted before are locked, and redeemed when the answer comes.

use std::time::Duration;

use stockade_loadtest::plan::operation::Operation;
use stockade_loadtest::{Plan, Progress, run};

use crate::support::{FakeServer, Lie, Trouble, faults, report};

fn plan(server: &FakeServer, coupons: u64) -> Plan {
    Plan { operation: Operation::LockRedeem, grants: Some(coupons), claims: None, ..server.plan(coupons) }
}

#[test]
fn each_coupon_is_redeemed_once_and_shown_again() {
    let server = FakeServer::honest();
    let report = report(&Plan { threads: 2, batches: 3, sample: 3_000, ..plan(&server, 9_000) });
    assert!(report.passed, "{report}");
    assert_eq!((server.granted_in_truth(), server.redeemed(), report.claims.answered), (9_000, 9_000, 9_000));
    let (setup, verification) = (report.setup.unwrap(), &report.verification);
    assert_eq!((setup.asked, setup.granted, setup.users), (9_000, 9_000, 9_000));
    assert_eq!((verification.granted, verification.looked_up), (9_000, 3_000), "the grants are verified too");
    assert_eq!((verification.redeemed, verification.redeemed_shown), (9_000, 3_000), "{report}");
    assert_eq!(report.outcomes.clone().into_iter().collect::<Vec<_>>(), [("DONE".to_owned(), 9_000)]);
    let steps = report.steps.iter().map(|step| (step.name, step.answered, step.outcomes["DONE"]));
    assert_eq!(steps.collect::<Vec<_>>(), [("LOCK", 9_000, 9_000), ("REDEEM", 9_000, 9_000)]);
    let text = report.to_string();
    for part in ["9,000 coupons granted to 9,000 users", "9,000 coupons, 3,000 of them shown again", "\nREDEEM "] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
}

#[test]
fn the_load_ends_with_the_coupons_or_with_the_pairs_that_were_asked_for() {
    let server = FakeServer::honest();
    let some = report(&Plan { claims: Some(700), ..plan(&server, 1_000) });
    assert_eq!((some.passed, some.claims.sent, server.redeemed()), (true, 700, 700), "{some}");
    let all = report(&Plan { claims: Some(5_000), seed: 2, ..plan(&server, 1_000) });
    assert_eq!((all.passed, all.claims.sent, server.redeemed()), (true, 1_000, 1_700), "{all}");
}

#[test]
fn only_what_was_granted_is_redeemed_and_the_report_says_so() {
    let server = FakeServer::honest();
    let report = report(&Plan { stock: 400, ..plan(&server, 1_000) });
    assert_eq!((report.passed, server.redeemed()), (true, 400), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("only 400 of the 1000 coupons")), "{report}");
}

#[test]
fn without_any_coupon_there_is_no_load() {
    let server = FakeServer::honest();
    let mut plan = plan(&server, 100);
    plan.batch_id = Some(5);
    plan.stock = 10;
    assert!(report(&plan).passed);
    plan.seed = 2;
    let error = run(&plan, &Progress::new(plan.threads)).unwrap_err();
    assert!(error.to_string().contains("no coupon was granted") && error.to_string().contains("SOLD_OUT"), "{error}");
}

#[test]
fn broken_connections_and_missing_answers_leave_nothing_open() {
    for trouble in
        [Trouble::LosesReplies { every: 40 }, Trouble::Restarts { after: 400 }, Trouble::AnswersFewer { every: 70 }]
    {
        let server = FakeServer::troubled(trouble);
        let drain_limit = Duration::from_millis(300);
        let plan = Plan { drain_limit, duration: Duration::from_secs(1), ..plan(&server, 2_000) };
        let report = report(&plan);
        assert_eq!(faults(&report), [""; 0], "{trouble:?}: {report}");
        assert_eq!(report.verification.redeemed, server.redeemed(), "{trouble:?}: {report}");
        assert!(report.connections.broken > 0, "{trouble:?}: {report}");
    }
}

#[test]
fn a_change_without_an_answer_is_found_out_about() {
    // Each of four connections has 256 coupons granted in 4 frames, and then locks them in 32 frames of eight, each
    // with its redemption: whichever connection sends frame `number`, it is one of eight.
    for number in [40, 200] {
        let server = FakeServer::troubled(Trouble::Swallows { number });
        let drain_limit = Duration::from_millis(200);
        let plan = Plan { drain_limit, duration: Duration::from_millis(500), ..plan(&server, 1_024) };
        let report = report(&plan);
        assert_eq!(faults(&report), [""; 0], "{report}");
        assert_eq!(report.claims.unanswered, 8, "{report}");
        let (redeemed, refused) = (report.verification.resolved_granted, report.verification.resolved_refused);
        assert_eq!(redeemed + refused, 8, "{report}");
        assert_eq!(report.verification.redeemed, server.redeemed(), "{report}");
    }
}

#[test]
fn lies_are_found() {
    for (lie, wanted) in [
        (Lie::SameSerialTwice, "duplicate serials"),
        (Lie::DoesNotLock, "wrong answers"),
        (Lie::ForgetsARedemption, "lost"),
        (Lie::ForgetsAGrant, "lost"),
        (Lie::CountsOneMore, "counter mismatch"),
    ] {
        let server = FakeServer::lying(lie);
        let report = report(&plan(&server, 1_000));
        assert!(faults(&report).contains(&wanted), "{lie:?}: {report}");
    }
    let server = FakeServer::lying(Lie::ForgetsARedemption);
    let report = report(&plan(&server, 1_000));
    assert!(report.verification.findings[0].found.starts_with("locked for user"), "{report}");
}
