//! `reserve`, `confirm`, `cancel` and `extend` print the same line of JSON as a claim.

use crate::scripted::{HANG_UP, scripted_server};
use crate::support::{Ran, stockade};
use serde_json::{Value, json};
use stockade_client::Status;

fn run(command: &str, user: u64, more: &[&str]) -> Ran {
    let (server, user) = (scripted_server(), user.to_string());
    let ttl: &[&str] = if matches!(command, "reserve" | "extend") { &["--ttl", "15m"] } else { &[] };
    let arguments = [command, "9", "--user", &user, "--request", "5", "--server", &server, "--timeout", "300ms"];
    stockade(&[&arguments, ttl, more].concat())
}

#[test]
fn a_reservation_holds_its_serials() {
    let line = run("reserve", 100, &["--quantity", "2", "--audience", "0,3"]).exits(0).json();
    assert_eq!(
        (&line["status"], &line["serials"], &line["granted"]),
        (&json!("RESERVED"), &json!([40, 41]), &json!(2))
    );
    assert_eq!(line["epoch"], 77 + 900 + 9, "the scripted server adds the seconds and the flags to the epoch");
    assert_eq!((&line["batch"], &line["user"], &line["request"]), (&json!(9), &json!(100), &json!(5)));
}

#[test]
fn what_becomes_of_it() {
    let extended = run("extend", 100, &[]).exits(0).json();
    assert_eq!((&extended["status"], &extended["epoch"]), (&json!("RESERVED"), &json!(77 + 900)));
    assert_eq!(run("confirm", 100, &[]).exits(0).json()["status"], "GRANTED");
    let cancelled = run("cancel", 100, &[]).exits(0).json();
    assert_eq!((&cancelled["status"], &cancelled["granted"]), (&json!("DONE"), &json!(0)));
}

#[test]
fn what_it_came_too_late_for_is_said() {
    for (command, status, exit, wanted) in [
        ("confirm", Status::ReservationExpired, 1, "reserve again"),
        ("cancel", Status::ReservationConfirmed, 1, "stockade coupon return"),
        ("extend", Status::ReservationExtended, 1, "confirm it in time"),
        ("reserve", Status::HoldsUserLimit, 4, "user 57 would have more units reserved than batch 9"),
        ("reserve", Status::HoldsBatchLimit, 3, "claim without a reservation"),
        ("reserve", Status::TtlInvalid, 2, "--ttl"),
        ("reserve", Status::DaySoldOut, 3, "tomorrow"),
    ] {
        let ran = run(command, (status as u8).into(), &[]);
        assert_eq!(ran.exits(exit).json()["status"], status.name());
        assert!(ran.stderr.contains(wanted), "{command} {status}: {}", ran.stderr);
    }
}

#[test]
fn an_unknown_outcome_names_what_tells_it() {
    for (command, wanted) in [
        ("reserve", "`stockade lookup 9 --user 0 --request 5`"),
        ("confirm", "`stockade lookup 9 --user 0 --request 5`"),
        ("cancel", "`stockade lookup 9 --user 0 --request 5`"),
        ("extend", "again by the same --ttl"),
    ] {
        let ran = run(command, HANG_UP, &[]);
        let line = ran.exits(6).json();
        assert_eq!((&line["status"], &line["granted"]), (&json!("OUTCOME_UNKNOWN"), &Value::Null), "{command}");
        assert!(ran.stderr.contains(wanted), "{command}: {}", ran.stderr);
    }
}
