//! More batches than a frame holds: each is created, claimed from and added up.

use stockade_loadtest::plan::batch_mix::BatchMix;
use stockade_loadtest::{Plan, Progress, run};

use crate::support::{FakeServer, Lie, Trouble, faults, report};

const BATCHES: u32 = 9_000;

/// Twelve claims a batch: with the plan's seed, each has one.
fn plan(server: &FakeServer) -> Plan {
    let mut plan = server.plan(u64::from(BATCHES) * 12);
    (plan.batches, plan.stock, plan.threads, plan.sample) = (BATCHES, 1_000, 2, 5_000);
    plan
}

#[test]
fn all_are_created_and_added_up_and_a_bounded_number_is_listed() {
    for mix in [BatchMix::Uniform, BatchMix::Zipf, BatchMix::Hot] {
        let server = FakeServer::troubled(Trouble::AnswersBackwards);
        let mut plan = plan(&server);
        (plan.batch_mix, plan.stock) = (mix, 200_000);
        let report = report(&plan);
        assert!(report.passed, "{report}");
        let verification = &report.verification;
        assert_eq!((verification.batch_count, verification.batches.len()), (u64::from(BATCHES), 1_024));
        assert_eq!((verification.granted, server.granted_in_truth()), (plan.claims.unwrap(), plan.claims.unwrap()));
        let first = verification.batches[0].id;
        let ids = verification.batches.iter().map(|batch| batch.id);
        assert!(ids.eq(first..first + 1_024), "in order, whatever the order of the replies");
        assert!(report.to_string().contains("and 8,995 more batches"), "{report}");
    }
}

#[test]
fn every_batch_is_held_against_what_was_granted() {
    let server = FakeServer::lying(Lie::CountsOneMore);
    let wrong = report(&plan(&server));
    assert_eq!(faults(&wrong), ["undersold", "counter mismatch"], "{wrong}");
    assert_eq!(wrong.verification.counter_mismatch, u64::from(BATCHES), "{wrong}");

    let server = FakeServer::lying(Lie::GrantsBeyondStockInSilence);
    let mut plan = plan(&server);
    plan.stock = 4;
    let report = report(&plan);
    assert_eq!(faults(&report), ["oversold", "duplicate serials", "counter mismatch"], "{report}");
    let beyond = report.verification.counter_mismatch;
    assert!(beyond > 2 * u64::from(BATCHES), "up to three of each: {report}");
    assert_eq!((report.verification.duplicate_serials, report.verification.oversold), (beyond, beyond), "{report}");
}

#[test]
fn pages_whose_answers_are_lost_are_asked_for_again() {
    let server = FakeServer::troubled(Trouble::LosesBatchReplies { every: 5 });
    let report = report(&plan(&server));
    assert!(report.passed, "{report}");
    assert_eq!(report.verification.batch_count, u64::from(BATCHES));
}

#[test]
fn batches_that_exist_are_used_and_those_between_them_are_created() {
    let server = FakeServer::honest();
    let mut plan = server.plan(500);
    (plan.batches, plan.batch_id) = (1, Some(2_000));
    assert!(report(&plan).passed);
    (plan.batches, plan.batch_id, plan.seed) = (3_000, Some(1), 2);
    let report = report(&plan);
    assert!(report.passed, "{report}");
    assert_eq!((report.verification.batch_count, server.granted_in_truth()), (3_000, 1_000), "{report}");
}

#[test]
fn a_server_without_room_says_which_setting_bounds_it() {
    let server = FakeServer::troubled(Trouble::HasRoomFor { batches: 2_500 });
    let plan = plan(&server);
    let error = run(&plan, &Progress::new(plan.threads)).unwrap_err();
    assert!(!error.is_usage());
    let text = error.to_string();
    assert!(
        text.contains("OVERLOADED") && text.contains("batches.batches_max") && text.contains("--batches"),
        "{text}"
    );
}
