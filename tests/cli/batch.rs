//! What the batch commands print, as text and as JSON.

use crate::support::{LISTED_BATCHES, scripted_server, stockade};
use serde_json::{Value, json};

/// Ids that are no status number are answered with `DONE`.
const ID: &str = "1000";

#[test]
fn a_batch_as_text() {
    let server = scripted_server();
    let ran = stockade(&["batch", "show", ID, "--server", &server]);
    assert_eq!(
        ran.exits(0).stdout,
        "batch      1000\nname       Double Eleven\nstate      active\ntotal      100\ngranted    10\nremaining  90\n\
         per user   2\nstarts     at once\nends       2026-11-27T12:00:00.5Z\ncreated    2026-11-27T12:00:00Z\n"
    );
}

#[test]
fn every_command_prints_the_batch_as_json() {
    let server = scripted_server();
    let expected = json!({
        "status": "DONE", "id": 1000, "name": "Double Eleven", "state": "active", "total": 100, "granted": 10,
        "remaining": 90, "per_user": 2, "starts": null, "ends": "2026-11-27T12:00:00.5Z",
        "created": "2026-11-27T12:00:00Z",
    });
    for command in [
        &["show"][..],
        &["activate"],
        &["pause"],
        &["resume"],
        &["end"],
        &["close"],
        &["create", "--stock", "100", "--per-user", "unlimited", "--draft", "--name", "Double Eleven"],
    ] {
        let ran = stockade(&[&["--json", "--server", &server, "batch"], command, &[ID]].concat());
        assert_eq!(ran.exits(0).json(), expected, "{command:?}");
    }
}

#[test]
fn an_addition_prints_its_request_id() {
    let server = scripted_server();
    let with =
        |more: &[&str]| stockade(&[&["batch", "add-stock", ID, "--units", "7", "--server", &server], more].concat());
    let line = with(&["--json", "--request", "5"]).exits(0).json();
    assert_eq!((&line["total"], &line["request"]), (&json!(107), &json!(5)));
    assert!(with(&["--json"]).exits(0).json()["request"].is_u64());
    assert!(with(&["--request", "5"]).exits(0).stdout.ends_with("request    5\n"));
}

#[test]
fn a_list_of_several_pages_is_complete_and_in_order() {
    let server = scripted_server();
    let list = stockade(&["batch", "list", "--json", "--server", &server]);
    let batches: Value = serde_json::from_str(&list.exits(0).stdout).expect("one JSON array");
    let ids = batches.as_array().expect("an array").iter().map(|batch| batch["id"].as_u64().expect("an id"));
    assert!(ids.eq(0..LISTED_BATCHES), "ids 0..{LISTED_BATCHES}");

    let table = stockade(&["batch", "list", "--server", &server]).exits(0).stdout.clone();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len() as u64, LISTED_BATCHES + 1, "a heading and a line each");
    assert!(lines[0].ends_with("NAME") && lines[1].ends_with("Double Eleven"), "{}\n{}", lines[0], lines[1]);
    let column = |line: &str, text: &str| line.find(text).expect("the column");
    assert_eq!(column(lines[0], "NAME"), column(lines[1_000], "Double Eleven"), "columns are aligned");
}

#[test]
fn a_refusal_prints_no_batch_and_one_sentence() {
    let server = scripted_server();
    let unknown = (stockade_client::Status::BatchUnknown as u8).to_string();
    let ran = stockade(&["batch", "show", &unknown, "--server", &server]);
    assert!(ran.exits(5).stdout.is_empty(), "{}", ran.stdout);
    assert!(ran.stderr.contains("there is no batch 30") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    let line = stockade(&["batch", "show", &unknown, "--server", &server, "--json"]).exits(5).json();
    assert_eq!((&line["status"], &line["id"], &line["state"]), (&json!("BATCH_UNKNOWN"), &json!(30), &Value::Null));
}
