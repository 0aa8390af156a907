use std::time::Duration;

use crate::support::{FakeServer, Trouble, report};

#[test]
fn a_reply_to_nobody_is_no_answer_and_is_reported() {
    let server = FakeServer::troubled(Trouble::AnswersOthers);
    let mut plan = server.plan(100);
    (plan.duration, plan.drain_limit) = (Duration::from_millis(50), Duration::from_millis(50));
    let report = report(&plan);
    assert_eq!(report.claims.answered, 0);
    assert!(!report.passed, "nothing was measured");
    assert!(report.connections.broken > 0);
    assert!(report.notes.iter().any(|note| note.contains("no frame in flight")), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("nothing was measured")), "{report}");
    assert!(report.verification.passed, "what was decided is resolved by look-up: {report}");
}
