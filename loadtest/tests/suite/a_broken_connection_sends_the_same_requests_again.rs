//! Connections that break before a reply: the same requests again, one effect.

use crate::support::{FakeServer, Trouble, faults, report};

#[test]
fn lost_replies_come_as_replays_and_nothing_is_granted_twice() {
    let server = FakeServer::troubled(Trouble::LosesReplies { every: 100 });
    let mut plan = server.plan(10_000);
    plan.retry_ratio = 0.1;
    let report = report(&plan);
    assert_eq!(faults(&report), [""; 0], "{report}");
    assert_eq!(report.claims.answered, 10_000, "{report}");
    assert!(report.connections.broken >= 10, "{report}");
    assert!(report.connections.frames_resent >= report.connections.broken, "{report}");
    assert_eq!(report.verification.granted, server.granted_in_truth(), "{report}");
}
