//! `--operation reserve-confirm`: every unit is reserved, and confirmed on the same connection when the answer comes.

use std::time::Duration;

use stockade_loadtest::Plan;
use stockade_loadtest::plan::operation::Operation;

use crate::support::{FakeServer, Lie, Trouble, faults, report};

fn plan(server: &FakeServer, pairs: u64) -> Plan {
    Plan { operation: Operation::ReserveConfirm, ..server.plan(pairs) }
}

#[test]
fn every_pair_is_finished_counted_once_and_looked_up() {
    let server = FakeServer::troubled(Trouble::AnswersBackwards);
    let report = report(&Plan { threads: 2, batches: 3, ..plan(&server, 10_000) });
    assert!(report.passed, "{report}");
    assert_eq!((report.claims.sent, report.claims.answered, server.granted_in_truth()), (10_000, 10_000, 10_000));
    assert_eq!(report.outcomes.clone().into_iter().collect::<Vec<_>>(), [("GRANTED".to_owned(), 10_000)]);
    assert_eq!((report.verification.granted, report.verification.looked_up), (10_000, 10_000));
    assert_eq!((report.latency_us.claims, report.verification.abandoned), (10_000, 0));
    let [reserve, confirm] = &report.steps[..] else { panic!("{report}") };
    assert_eq!((reserve.name, reserve.answered, reserve.outcomes["RESERVED"]), ("RESERVE", 10_000, 10_000));
    assert_eq!((confirm.name, confirm.answered, confirm.outcomes["GRANTED"]), ("CONFIRM", 10_000, 10_000));
    assert!(reserve.per_s > 0.0 && confirm.latency_us.claims == 10_000);
    let text = report.to_string();
    for part in ["finished ", "pairs/s", "\nRESERVE ", "\nCONFIRM ", "RESERVED 10,000"] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
}

#[test]
fn what_cannot_be_reserved_is_over_and_nothing_of_it_is_confirmed() {
    let server = FakeServer::honest();
    let report = report(&Plan { stock: 3_001, users: Some(5_000), ..plan(&server, 10_000) });
    assert!(report.passed, "{report}");
    let granted = report.outcomes["GRANTED"];
    assert_eq!(granted, server.granted_in_truth());
    assert_eq!(granted + report.outcomes["LIMIT_REACHED"] + report.outcomes["SOLD_OUT"], 10_000, "{report}");
    assert_eq!((report.steps[0].answered, report.steps[1].answered), (10_000, granted), "{report}");
    assert_eq!((report.verification.batches[0].remaining, report.claims.answered), (0, 10_000), "{report}");
}

#[test]
fn broken_connections_and_missing_answers_leave_nothing_open() {
    for trouble in [
        Trouble::LosesReplies { every: 50 },
        Trouble::Restarts { after: 200 },
        Trouble::SwallowsFirst,
        Trouble::Swallows { number: 300 },
        Trouble::AnswersFewer { every: 70 },
    ] {
        let server = FakeServer::troubled(trouble);
        let drain_limit = Duration::from_millis(300);
        let plan = Plan { duration: Duration::from_millis(1_500), drain_limit, ..plan(&server, 8_000) };
        let report = report(&plan);
        assert_eq!(faults(&report), [""; 0], "{trouble:?}: {report}");
        assert_eq!(report.verification.granted, server.granted_in_truth(), "{trouble:?}: {report}");
        let verification = &report.verification;
        let resolved = verification.resolved_granted + verification.resolved_refused;
        assert_eq!(resolved, report.claims.unanswered, "{trouble:?}: {report}");
    }
}

#[test]
fn a_refused_frame_of_confirmations_leaves_its_units_reserved() {
    let server = FakeServer::troubled(Trouble::Overloads { every: 9 });
    let report = report(&plan(&server, 8_000));
    assert_eq!(faults(&report), [""; 0], "{report}");
    let held = report.verification.batches[0].held;
    assert!(held > 0 && u64::from(held) == report.verification.abandoned, "{report}");
    assert_eq!(report.steps[1].outcomes["OVERLOADED"], report.verification.abandoned, "{report}");
    assert_eq!(report.outcomes["OVERLOADED"] + report.outcomes["GRANTED"], 8_000, "{report}");
    assert!(report.to_string().contains(&format!(" + {held} reserved")), "{report}");
}

#[test]
fn lies_are_found() {
    for (lie, wanted) in [
        (Lie::SameSerialTwice, &["duplicate serials"][..]),
        (Lie::ConfirmsAnotherSerial, &["wrong answers"]),
        (Lie::ForgetsAReservation, &["wrong answers"]),
        (Lie::GrantsWhatIsReserved, &["wrong answers"]),
        (Lie::LetsAReservationExpire, &[]),
        (Lie::CountsOneMore, &["undersold", "counter mismatch"]),
        (Lie::LosesAUnit, &["undersold", "unbalanced batches"]),
        (Lie::IgnoresTheLimit, &["users over limit", "answers over limit"]),
    ] {
        let server = FakeServer::lying(lie);
        let users = (lie == Lie::IgnoresTheLimit).then_some(100);
        let report = report(&Plan { users, ..plan(&server, 1_000) });
        assert_eq!(faults(&report), wanted, "{lie:?}: {report}");
    }
}

#[test]
fn units_that_are_neither_left_nor_reserved_are_missed() {
    let server = FakeServer::lying(Lie::HidesReservedUnits);
    let mut plan = plan(&server, 1_000);
    assert_eq!(faults(&report(&plan)), [""; 0], "nothing is reserved at the end");
    // What is not confirmed stays reserved, and the batch does not show it.
    let server = FakeServer::lying_and_troubled(Lie::HidesReservedUnits, Trouble::Overloads { every: 9 });
    plan.server = server.address.to_string();
    assert_eq!(faults(&report(&plan)), ["undersold", "unbalanced batches"]);
}

#[test]
fn a_second_answer_to_a_request_is_wrong() {
    let server = FakeServer::troubled(Trouble::AnswersTwice { every: 100 });
    let report = report(&plan(&server, 2_000));
    assert_eq!(faults(&report), ["wrong answers"], "{report}");
    assert!(report.notes.iter().any(|note| note.contains("no frame in flight")), "{report}");
}
