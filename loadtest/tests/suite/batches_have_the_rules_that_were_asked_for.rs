//! Limits of a day and of reservations, a time zone and an audience: as flags and as keys of a file.

use serde_json::Value;
use stockade_loadtest::plan::batch_rules::BatchRules;
use stockade_loadtest::plan::operation::Operation;
use stockade_loadtest::{Plan, Scenario};

use crate::support::files::{complaint, run};
use crate::support::{FakeServer, report};

#[test]
fn flags_become_terms_of_the_batch_and_the_users_of_the_run_are_admitted() {
    let server = FakeServer::honest();
    let limits = ["--per-user-day", "1", "--per-day", "900000", "--quantity-max", "1", "--holds-per-user", "unlimited"];
    let others = ["--holds-share", "50", "--zone", "Asia/Shanghai", "--audience-any", "5", "--json"];
    let output = run(&server, 1_000, &[&limits[..], &others[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let report = serde_json::from_slice::<Value>(&output.stdout).unwrap();
    assert_eq!(report["outcomes"]["GRANTED"], 1_000, "{report:#}");
    let terms = server.terms();
    assert_eq!((terms.per_user_day, terms.per_day, terms.quantity_max), (Some(1), Some(900_000), Some(1)));
    assert_eq!((terms.holds.per_user, terms.holds.share, terms.audience.any), (None, Some(50), 5));
    assert_eq!((&terms.zone[..], report["parameters"]["per_day"].as_u64()), ("Asia/Shanghai", Some(900_000)));
}

#[test]
fn a_file_says_the_same() {
    let server = FakeServer::honest();
    let text = "operation = \"reserve-confirm\"\n[batch]\nholds_per_user = 1\naudience_any = 0x10\n";
    let asked = Plan::new(text.parse::<Scenario>().unwrap()).unwrap();
    let rules = BatchRules { holds_per_user: Some(1), audience_any: 16, ..BatchRules::default() };
    assert_eq!((asked.operation, &asked.rules), (Operation::ReserveConfirm, &rules));
    let plan = Plan { operation: asked.operation, rules, users: Some(20), per_user: None, ..server.plan(2_000) };
    let report = report(&plan);
    assert!(report.passed, "{report}");
    assert!(report.outcomes["HOLDS_USER_LIMIT"] > 0, "20 users, and more reservations in flight: {report}");
    let text = report.to_string();
    assert!(text.contains("rules         reserved per user 1, for users with one of the flags 0x10"), "{text}");
}
