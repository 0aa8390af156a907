//! Batches that are sold, added up, ended and closed while the load goes on, and the next ones take their place.

use stockade_loadtest::plan::batch_mix::BatchMix;
use stockade_loadtest::{Plan, Progress, run};

use crate::support::{FakeServer, Lie, Trouble, faults, report};

/// 20,000 claims, 500 on each batch: forty of them.
fn plan(server: &FakeServer) -> Plan {
    let mut plan = server.plan(20_000);
    (plan.turnover, plan.stock, plan.threads) = (Some(500), 500, 2);
    plan
}

#[test]
fn every_batch_is_sold_out_looked_up_added_up_and_closed() {
    let server = FakeServer::honest();
    let report = report(&plan(&server));
    assert!(report.passed, "{report}");
    let (verification, turnover) = (&report.verification, report.turnover.unwrap());
    assert_eq!(report.outcomes.clone().into_iter().collect::<Vec<_>>(), [("GRANTED".to_owned(), 20_000)]);
    assert_eq!((verification.granted, verification.looked_up, server.granted_in_truth()), (20_000, 20_000, 20_000));
    assert_eq!(verification.batches.iter().filter(|batch| batch.remaining == 0).count(), 40, "{report}");
    let (there, closed) = server.batches();
    assert_eq!((there, closed as u64), (closed, turnover.batches_closed), "what was created ahead is closed too");
    assert_eq!(verification.batch_count, turnover.batches_closed);
    assert!(turnover.batches_turned <= 40, "{report}");
    assert!(report.to_string().contains("each replaced after 500 claims"), "{report}");
}

#[test]
fn a_long_run_closes_batches_while_it_goes_on_and_waits_for_new_ones_if_it_must() {
    let server = FakeServer::honest();
    let mut plan = plan(&server);
    // 400 batches a round: 41 rounds may be open at a time, and there are a hundred.
    (plan.claims, plan.turnover, plan.batches, plan.stock) = (Some(100_000), Some(2), 400, 2);
    (plan.batch_mix, plan.sample) = (BatchMix::Zipf, 5_000);
    let report = report(&plan);
    assert!(report.passed, "{report}");
    let turnover = report.turnover.unwrap();
    // 125 rounds of 800 claims, of which 40 can be open: the others were opened by closing.
    assert!(turnover.batches_turned >= 400 * (125 - 41), "{report}");
    assert_eq!(server.batches().0 as u64, turnover.batches_closed);
    assert!(report.verification.looked_up >= 5_000.min(report.verification.granted / 20), "{report}");
    assert_eq!(report.verification.granted, server.granted_in_truth());
    assert!(report.outcomes["SOLD_OUT"] > 1_000, "the first batches are wanted most: {report}");
}

#[test]
fn retries_repeats_and_broken_connections_stay_within_their_round() {
    for trouble in
        [Trouble::LosesReplies { every: 100 }, Trouble::SwallowsFirst, Trouble::LosesBatchReplies { every: 3 }]
    {
        let server = FakeServer::troubled(trouble);
        let mut plan = plan(&server);
        (plan.retry_ratio, plan.repeat_ratio, plan.stock, plan.batches) = (0.2, 0.1, 300, 2);
        plan.duration = std::time::Duration::from_secs(4);
        plan.drain_limit = std::time::Duration::from_millis(500);
        let report = report(&plan);
        assert_eq!(faults(&report), [""; 0], "{trouble:?}: {report}");
        assert!(report.verification.replays_verified > 100, "{trouble:?}: {report}");
        assert_eq!(report.verification.granted, server.granted_in_truth(), "{trouble:?}: {report}");
        assert!(!report.outcomes.contains_key("CLOSED") && !report.outcomes.contains_key("BATCH_UNKNOWN"), "{report}");
    }
}

#[test]
fn lies_about_any_batch_are_found_before_it_is_forgotten() {
    for (lie, stock, wanted) in [
        (Lie::SameSerialTwice, 500, &["duplicate serials"][..]),
        (Lie::ForgetsAGrant, 500, &["lost"]),
        (Lie::LosesAUnit, 600, &["undersold", "unbalanced batches"]),
        (Lie::GrantsBeyondStock, 400, &["oversold", "unbalanced batches"]),
        (Lie::GrantsBeyondStockInSilence, 400, &["oversold", "duplicate serials", "counter mismatch"]),
        (Lie::ForgetsAUnitWhenClosing, 500, &["counter mismatch", "changed by closing"]),
        (Lie::DoesNotClose, 500, &["changed by closing"]),
    ] {
        let server = FakeServer::lying(lie);
        let mut plan = plan(&server);
        plan.stock = stock;
        let report = report(&plan);
        assert_eq!(faults(&report), wanted, "{lie:?}: {report}");
    }
}

#[test]
fn batches_that_were_used_before_are_refused() {
    let server = FakeServer::honest();
    let mut plan = plan(&server);
    plan.batch_id = Some(77);
    assert!(report(&plan).passed);
    let error = run(&plan, &Progress::new(plan.threads)).unwrap_err().to_string();
    assert!(error.contains("batch 77 was used before") && error.contains("--batch-id"), "{error}");
}

#[test]
fn a_server_that_takes_no_more_batches_ends_the_run() {
    let server = FakeServer::troubled(Trouble::HasRoomFor { batches: 17_000 });
    let mut plan = plan(&server);
    (plan.claims, plan.turnover, plan.batches, plan.stock) = (Some(100_000), Some(2), 400, 2);
    let error = run(&plan, &Progress::new(plan.threads)).unwrap_err().to_string();
    assert!(error.contains("batches.batches_max"), "{error}");
}
