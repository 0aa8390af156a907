//! An edit changes what is named and nothing else, also where the server takes several values as one field.

use crate::scripted::scripted_server;
use crate::support::stockade;
use serde_json::{Value, json};

fn edit(exit: i32, arguments: &[&str]) -> Value {
    let server = scripted_server();
    let ran = stockade(&[&["batch", "edit", "1000", "--json", "--server", &server], arguments].concat());
    ran.exits(exit).json()
}

#[test]
fn only_what_is_named_changes() {
    let edited = edit(0, &["--per-day", "unlimited", "--name", "tea", "--ends", "never"]);
    assert_eq!((&edited["name"], &edited["version"]), (&json!("tea"), &json!(8)));
    assert!(edited["per_day"].is_null() && edited["ends"].is_null(), "{edited}");
    assert_eq!((&edited["per_user"], &edited["audience_all"]), (&json!(2), &json!([0, 3])), "{edited}");
}

#[test]
fn a_part_of_the_audience_leaves_the_rest() {
    let edited = edit(0, &["--audience-any", "5"]);
    let audience = [&edited["audience_all"], &edited["audience_any"], &edited["audience_none"]];
    assert_eq!(audience, [&json!([0, 3]), &json!([5]), &json!([31])]);
    let edited = edit(0, &["--holds-per-user", "2"]);
    assert_eq!((&edited["holds_per_user"], &edited["holds_share"]), (&json!(2), &json!(20)));
}

#[test]
fn another_version_is_a_conflict() {
    assert_eq!(edit(0, &["--per-user", "3", "--version", "7"])["per_user"], 3);
    for more in [&["--per-user", "3"][..], &["--audience-any", "3"]] {
        let line = edit(1, &[more, &["--version", "6"]].concat());
        assert_eq!(line["status"], "BATCH_CONFLICT", "{more:?}");
        assert!(line["error"].as_str().expect("a sentence").contains("version"), "{line}");
    }
}
