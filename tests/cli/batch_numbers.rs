//! A batch in numbers: stats by day, refusals, and the reconciliation.

use crate::scripted::{DAYS, LONG_LIVED, STOPS, scripted_server};
use crate::support::stockade;
use serde_json::{Value, json};

const UNKNOWN: &str = "30";

#[test]
fn stats_tell_the_whole_and_every_day() {
    let server = scripted_server();
    let text = stockade(&["batch", "stats", "1000", "--server", &server]).exits(0).stdout.clone();
    assert!(text.starts_with("batch      1000\nadded      100\nwithdrawn  0\n"), "{text}");
    let (_, days) = text.split_once("\n\n").expect("days below the whole");
    let lines: Vec<Vec<&str>> = days.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((lines[0][0], lines[1][0], lines[2][0]), ("DAY", "2026-11-27", "2026-11-28"), "{days}");
    let column = lines[0].iter().position(|name| *name == "REDEEMED").expect("a column");
    assert_eq!((lines[1].len(), lines[1][column]), (lines[0].len(), "3"), "{days}");

    let stats = |batch: &str, more: &[&str]| {
        stockade(&[&["batch", "stats", batch, "--json", "--server", &server], more].concat()).exits(0).json()
    };
    let all = stats("1000", &[]);
    assert_eq!((&all["status"], &all["batch"], &all["granted"]), (&json!("DONE"), &json!(1000), &json!(10)));
    assert_eq!((&all["days"][1]["day"], &all["days"][1]["redeemed"]), (&json!("2026-11-28"), &json!(3)));
    let later = stats("1000", &["--from-day", "2026-11-28"]);
    assert_eq!(later["days"].as_array().map(Vec::len), Some(1), "{later}");
    let long = stats(&LONG_LIVED.to_string(), &[]);
    let days: Vec<&Value> = long["days"].as_array().expect("days").iter().map(|day| &day["day"]).collect();
    assert_eq!(i32::try_from(days.len()), Ok(DAYS), "more than one page");
    assert!(days.is_sorted_by(|one, next| one.as_str() < next.as_str()), "in order, none twice");
}

#[test]
fn refusals_are_counted_by_status() {
    let server = scripted_server();
    let table = stockade(&["batch", "refusals", "1000", "--server", &server]).exits(0).stdout.clone();
    assert_eq!(table, "STATUS         COUNT\nLIMIT_REACHED      4\nSOLD_OUT          12\n");
    let list = stockade(&["batch", "refusals", "1000", "--json", "--server", &server]).exits(0).stdout.clone();
    let list: Value = serde_json::from_str(&list).expect("an array");
    assert_eq!(list[1], json!({ "status": "SOLD_OUT", "count": 12 }));
}

#[test]
fn a_reconciliation_agrees_or_the_server_stops() {
    let server = scripted_server();
    let text = stockade(&["batch", "reconcile", "1000", "--server", &server]).exits(0).stdout.clone();
    assert!(text.contains("\ngranted    10\n") && text.ends_with("\nmemory and journal agree\n"), "{text}");
    let line = stockade(&["batch", "reconcile", "1000", "--json", "--server", &server]).exits(0).json();
    assert_eq!((&line["status"], &line["redeemed"]), (&json!("DONE"), &json!(3)));
    let stops = STOPS.to_string();
    let stopped = stockade(&["batch", "reconcile", &stops, "--server", &server, "--timeout", "300ms"]);
    assert!(stopped.exits(6).stderr.contains("its log says what differs"), "{}", stopped.stderr);
}

#[test]
fn an_unknown_batch_is_named() {
    let server = scripted_server();
    for command in ["stats", "refusals", "reconcile"] {
        let ran = stockade(&["batch", command, UNKNOWN, "--server", &server]);
        assert!(ran.exits(5).stderr.contains("there is no batch 30"), "{command}: {}", ran.stderr);
    }
    let line = stockade(&["batch", "stats", UNKNOWN, "--json", "--server", &server]).exits(5).json();
    assert_eq!(line["status"], "BATCH_UNKNOWN");
}
