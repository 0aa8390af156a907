//! Replies that answer nothing that was asked.

use std::time::Duration;

use crate::support::{FakeServer, Trouble, faults, report};

#[test]
fn a_reply_to_nobody_is_no_answer_and_is_reported() {
    let server = FakeServer::troubled(Trouble::AnswersOthers);
    let mut plan = server.plan(100);
    (plan.duration, plan.drain_limit) = (Duration::from_millis(500), Duration::from_millis(50));
    let report = report(&plan);
    assert_eq!(report.claims.answered, 0);
    assert!(!report.passed, "nothing was measured");
    assert!(report.connections.broken > 0);
    assert!(report.notes.iter().any(|note| note.contains("no frame in flight")), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("nothing was measured")), "{report}");
    assert!(report.verification.passed, "what was decided is resolved by look-up: {report}");
}

#[test]
fn a_reply_to_part_of_a_frame_is_no_answer_and_the_whole_frame_is_sent_again() {
    let server = FakeServer::troubled(Trouble::AnswersFewer { every: 50 });
    let report = report(&server.plan(4_000));
    assert_eq!(faults(&report), [""; 0], "{report}");
    assert_eq!(report.claims.answered, 4_000, "{report}");
    assert!(report.connections.broken >= 5 && report.connections.frames_resent >= 5, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("7 Claim items answer 8 claims")), "{report}");
}
