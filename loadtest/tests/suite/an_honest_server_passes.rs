//! A correct server under every kind of load: nothing to complain about.

use stockade_loadtest::plan::batch_mix::BatchMix;

use crate::support::{FakeServer, Trouble, faults, report};

#[test]
fn every_claim_is_answered_granted_and_looked_up() {
    let server = FakeServer::honest();
    let report = report(&server.plan(10_000));
    assert!(report.passed, "{report}");
    assert_eq!((report.claims.sent, report.claims.answered, report.verification.looked_up), (10_000, 10_000, 10_000));
    assert_eq!(report.outcomes.into_iter().collect::<Vec<_>>(), [("GRANTED".to_owned(), 10_000)]);
    assert_eq!(server.granted_in_truth(), 10_000);
    assert_eq!(report.latency_us.claims, 10_000, "no warm-up: each claim has a latency");
}

#[test]
fn repeats_retries_batches_threads_and_answers_in_any_order_are_understood() {
    let server = FakeServer::troubled(Trouble::AnswersBackwards);
    let mut plan = server.plan(20_000);
    (plan.batches, plan.batch_mix, plan.stock) = (3, BatchMix::Zipf, 2_000);
    (plan.repeat_ratio, plan.retry_ratio, plan.users, plan.threads) = (0.1, 0.2, Some(15_000), 2);
    let report = report(&plan);
    assert_eq!(faults(&report), [""; 0], "{report}");
    let verification = &report.verification;
    assert!(verification.replays_verified > 100, "{report}");
    for status in ["GRANTED", "SOLD_OUT", "LIMIT_REACHED"] {
        assert!(report.outcomes.get(status).is_some_and(|count| *count > 100), "{status}: {report}");
    }
    assert_eq!(verification.granted, server.granted_in_truth());
    assert_eq!(verification.batches.iter().filter(|batch| batch.remaining == 0).count(), 3, "{report}");
}

#[test]
fn a_batch_that_exists_is_used_and_what_it_granted_before_is_left_out() {
    let server = FakeServer::honest();
    let mut plan = server.plan(500);
    plan.batch_id = Some(77);
    assert!(report(&plan).passed);
    plan.seed = 2;
    let second = report(&plan);
    assert!(second.passed, "{second}");
    let batch = &second.verification.batches[0];
    assert_eq!((batch.id, batch.granted_before, batch.granted_known, batch.granted), (77, 500, 500, 1_000));
}

#[test]
fn an_open_loop_offers_what_was_asked_for() {
    let server = FakeServer::honest();
    let mut plan = server.plan(1);
    (plan.closed, plan.claims, plan.rate) = (false, None, 80_000);
    plan.duration = std::time::Duration::from_millis(100);
    let report = report(&plan);
    assert!(report.verification.passed, "{report}");
    // 4 connections × 250 frames × 8 claims in 100 ms, each of them sent or, on a slow machine, counted as unsent.
    assert_eq!(report.claims.sent + report.claims.unsent, 8_000, "{report}");
    assert_eq!(report.latency_us.claims, 8_000, "{report}");
}
