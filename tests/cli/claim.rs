//! `claim` and `lookup` print one line of JSON, whatever happened.

use crate::scripted::{HANG_UP, WRONG_TOKEN, scripted_server};
use crate::support::{stockade, stockade_with};
use serde_json::{Value, json};
use stockade_client::Status;

#[test]
fn a_grant() {
    let server = scripted_server();
    let ran = stockade(&["claim", "9", "--user", "1", "--request", "5", "--quantity", "3", "--server", &server]);
    assert_eq!(
        ran.exits(0).stdout,
        "{\"status\":\"GRANTED\",\"serials\":[40,41,42],\"granted\":3,\"remaining\":90,\"replayed\":false,\"batch\":9,\
         \"user\":1,\"request\":5,\"user_units\":5,\"day_units\":4,\"epoch\":77}\n"
    );
    let found = stockade(&["lookup", "9", "--user", "1", "--request", "5", "--server", &server]);
    assert_eq!(found.exits(0).json()["serials"], json!([40]));
}

#[test]
fn a_refusal_and_its_advice() {
    let server = scripted_server();
    let sold_out = (Status::SoldOut as u8).to_string();
    let ran = stockade(&["claim", "9", "--user", &sold_out, "--server", &server]);
    let line = ran.exits(3).json();
    assert_eq!(line["status"], "SOLD_OUT");
    assert_eq!((&line["serials"], &line["granted"], &line["remaining"]), (&json!([]), &json!(0), &json!(3)));
    assert_eq!(ran.stderr.lines().count(), 1, "one sentence: {}", ran.stderr);
    assert!(ran.stderr.contains("stockade batch add-stock 9"), "{}", ran.stderr);
}

#[test]
fn a_request_id_is_drawn_and_printed_when_none_is_given() {
    let server = scripted_server();
    let drawn = |_| {
        let line = stockade(&["claim", "9", "--user", "1", "--server", &server]).exits(0).json();
        line["request"].as_u64().expect("a number")
    };
    let requests: Vec<u64> = (0..3).map(drawn).collect();
    assert!(requests[0] != requests[1] && requests[1] != requests[2], "{requests:?}");
}

#[test]
fn a_uuid_is_printed_folded() {
    let server = scripted_server();
    let uuid = "00000000-0000-0001-0000-000000000002";
    let line = stockade(&["claim", "9", "--user", "1", "--request", uuid, "--server", &server]).exits(0).json();
    assert_eq!(line["request"], 3);
}

#[test]
fn an_unknown_outcome_claims_to_know_nothing_and_names_the_lookup() {
    let server = scripted_server();
    let user = HANG_UP.to_string();
    let ran = stockade(&["claim", "9", "--user", &user, "--request", "5", "--server", &server, "--timeout", "300ms"]);
    let line = ran.exits(6).json();
    assert_eq!(line["status"], "OUTCOME_UNKNOWN");
    for unknown in ["granted", "remaining", "replayed", "user_units", "day_units", "epoch"] {
        assert_eq!(line[unknown], Value::Null, "{unknown}");
    }
    assert_eq!((&line["batch"], &line["request"]), (&json!(9), &json!(5)));
    assert!(ran.stderr.contains("`stockade lookup 9 --user 0 --request 5`"), "{}", ran.stderr);
    assert_eq!(format!("stockade: {}\n", line["error"].as_str().expect("a sentence")), ran.stderr);
}

#[test]
fn no_server_at_all() {
    // Nobody listens on the discard port of the loopback address.
    for arguments in [&["claim", "9", "--user", "1"][..], &["lookup", "9", "--user", "1", "--request", "5"]] {
        let ran = stockade(&[arguments, &["--server", "127.0.0.1:9", "--timeout", "200ms"]].concat());
        let line = ran.exits(6).json();
        assert_eq!(line["status"], "UNAVAILABLE");
        let surely_nothing = arguments[0] == "claim";
        assert_eq!(line["granted"], if surely_nothing { json!(0) } else { Value::Null }, "{arguments:?}");
        assert!(ran.stderr.contains("127.0.0.1:9") && ran.stderr.contains("stockade serve"), "{}", ran.stderr);
    }
}

#[test]
fn a_wrong_token() {
    let server = scripted_server();
    let ran = stockade_with(&[("STOCKADE_TOKEN", WRONG_TOKEN)], &["claim", "9", "--user", "1", "--server", &server]);
    assert_eq!(ran.exits(1).json()["status"], "TOKEN_INVALID");
    assert!(ran.stderr.contains("STOCKADE_TOKEN") && !ran.stderr.contains(WRONG_TOKEN), "{}", ran.stderr);
    assert!(!ran.stdout.contains(WRONG_TOKEN), "{}", ran.stdout);
}

#[test]
fn a_quantity_of_zero_is_answered_with_a_status() {
    let server = scripted_server();
    let user = (Status::QuantityInvalid as u8).to_string();
    let ran = stockade(&["claim", "9", "--user", &user, "--quantity", "0", "--server", &server]);
    assert_eq!(ran.exits(2).json()["status"], "QUANTITY_INVALID");
}

#[test]
fn the_audience_is_sent() {
    let server = scripted_server();
    for (flags, epoch) in [("none", 77), ("0,3", 77 + 9), ("0x9", 77 + 9)] {
        let line = stockade(&["claim", "9", "--user", "1", "--audience", flags, "--server", &server]).exits(0).json();
        assert_eq!(line["epoch"], epoch, "{flags}: the scripted server adds the flags to the epoch");
    }
}
