//! What the coupon commands print.

use crate::scripted::{LISTED, scripted_server};
use crate::support::{Ran, stockade};
use serde_json::{Value, json};
use stockade_client::Status;

fn change(command: &str, user: &str, more: &[&str]) -> Ran {
    let server = scripted_server();
    stockade(&[&["coupon", command, "1", "42", "--user", user, "--server", &server], more].concat())
}

#[test]
fn every_change_prints_what_the_coupon_is_now() {
    for (command, state, order, new_serial) in [
        ("lock", "locked", json!(1001), Value::Null),
        ("unlock", "granted", Value::Null, Value::Null),
        ("redeem", "redeemed", json!(1001), Value::Null),
        ("restore", "granted", Value::Null, Value::Null),
        ("return", "returned", Value::Null, json!(142)),
        ("void", "voided", Value::Null, Value::Null),
    ] {
        let line = change(command, "700", &["--order", "1001", "--json"]).exits(0).json();
        let expected = json!({
            "status": "DONE", "batch": 1, "serial": 42, "user": 700, "state": state, "order": order,
            "new_serial": new_serial, "replayed": true, "epoch": 77,
        });
        assert_eq!(line, expected, "{command}");
    }
    assert_eq!(
        change("return", "700", &[]).exits(0).stdout,
        "batch       1\nserial      42\nuser        700\nstate       returned\norder       none\nnew serial  142\n\
         replayed    yes\nepoch       77\n"
    );
}

#[test]
fn a_refusal_says_what_stands_in_the_way() {
    for (status, wanted) in [
        (Status::OrderConflict, "another order has coupon 42 of batch 1; `stockade coupon show 1 42`"),
        (Status::CouponStateConflict, "the state of coupon 42 of batch 1 does not allow this"),
        (Status::OrderEnded, "take a new --order"),
        (Status::NotYours, "another user took unit 42 of batch 1"),
        (Status::SerialUnknown, "`stockade coupon list 1`"),
        (Status::CouponExpired, "has expired"),
    ] {
        let user = (status as u8).to_string();
        let ran = change("lock", &user, &["--order", "1"]);
        assert!(ran.exits(1).stdout.is_empty(), "{}", ran.stdout);
        assert!(
            ran.stderr.contains(wanted) && ran.stderr.ends_with("(the coupon is redeemed)\n"),
            "{status}: {}",
            ran.stderr
        );
        let line = change("lock", &user, &["--order", "1", "--json"]).exits(1).json();
        assert_eq!((&line["status"], &line["state"]), (&json!(status.name()), &json!("redeemed")));
    }
}

#[test]
fn a_coupon_is_shown_with_all_that_it_has() {
    let server = scripted_server();
    let line = stockade(&["coupon", "show", "1000", "42", "--json", "--server", &server]).exits(0).json();
    let expected = json!({
        "status": "DONE", "batch": 1000, "serial": 42, "state": "locked", "user": 7, "request": 9, "order": 1001,
        "taken": "2026-11-27T12:00:00Z", "expires": null, "changed": "2026-11-27T12:00:01Z", "new_serial": null,
    });
    assert_eq!(line, expected);
    let text = stockade(&["coupon", "show", "1000", "42", "--server", &server]).exits(0).stdout.clone();
    assert!(text.contains("\nstate       locked\n") && text.contains("\nexpires     never\n"), "{text}");
    let unknown = (Status::SerialUnknown as u8).to_string();
    let ran = stockade(&["coupon", "show", &unknown, "42", "--server", &server]);
    assert!(ran.exits(1).stderr.contains("no unit 42 of batch 64 was ever taken"), "{}", ran.stderr);
}

#[test]
fn a_list_of_several_pages_is_complete_and_in_order() {
    let server = scripted_server();
    let list = stockade(&["coupon", "list", "1000", "--json", "--server", &server]).exits(0).stdout.clone();
    let list: Value = serde_json::from_str(&list).expect("one JSON array");
    let serials = list.as_array().expect("an array").iter().map(|coupon| coupon["serial"].as_u64().expect("a serial"));
    assert!(serials.eq(0..u64::from(LISTED)), "serials 0..{LISTED}");
    let rest = stockade(&["coupon", "list", "1000", "--from", "2498", "--server", &server]).exits(0).stdout.clone();
    assert_eq!(rest.lines().count(), 3, "a heading and two coupons: {rest}");
    let unknown = stockade(&["coupon", "list", "30", "--server", &server]);
    assert!(unknown.exits(5).stderr.contains("there is no batch 30"), "{}", unknown.stderr);
}

#[test]
fn a_log_tells_events_in_order() {
    let server = scripted_server();
    let text = stockade(&["coupon", "log", "1000", "42", "--server", &server]).exits(0).stdout.clone();
    assert_eq!(
        text,
        "41:0  2026-11-27T12:00:00Z  granted  batch 1000  user 7  request 9  units 1  serial 42\n\
         42:0  2026-11-27T12:00:00Z  locked  batch 1000  user 7  serial 42  order 1001\n"
    );
    let list = stockade(&["coupon", "log", "1000", "42", "--json", "--server", &server]).exits(0).stdout.clone();
    let list: Value = serde_json::from_str(&list).expect("an array");
    assert_eq!((&list[0]["kind"], &list[1]["order"]), (&json!("granted"), &json!(1001)));
}
