//! The terms of a batch, as claims and reservations meet them on a real server.

use serde_json::json;

use crate::real_server::{RealServer, expect, folder};

#[test]
fn limits_of_a_user_of_a_request_and_of_reservations() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    let run = |exit, status, arguments: &[&str]| expect(&server, exit, status, arguments);
    let terms = ["--per-user", "5", "--per-user-day", "3", "--quantity-max", "2", "--audience-all", "3"];
    let holds = ["--holds-per-user", "1", "--holds-share", "20"];
    run(0, "DONE", &[&["batch", "create", "1", "--stock", "10"], &terms[..], &holds].concat());

    run(1, "AUDIENCE_REFUSED", &["claim", "1", "--user", "1"]);
    let fan = ["--audience", "0,3"];
    let with = |exit, status, arguments: &[&str]| run(exit, status, &[arguments, &fan].concat());
    with(4, "QUANTITY_ABOVE_LIMIT", &["claim", "1", "--user", "1", "--quantity", "3"]);
    with(0, "GRANTED", &["claim", "1", "--user", "1", "--quantity", "2"]);
    with(4, "DAY_LIMIT_REACHED", &["claim", "1", "--user", "1", "--quantity", "2"]);

    let reserve = |exit, status, user, request| {
        with(exit, status, &["reserve", "1", "--ttl", "1m", "--user", user, "--request", request])
    };
    with(2, "TTL_INVALID", &["reserve", "1", "--ttl", "2h", "--user", "2", "--request", "1"]);
    reserve(0, "RESERVED", "2", "1");
    reserve(4, "HOLDS_USER_LIMIT", "2", "2");
    reserve(0, "RESERVED", "3", "1");
    reserve(3, "HOLDS_BATCH_LIMIT", "4", "1");
    run(0, "DONE", &["cancel", "1", "--user", "2", "--request", "1"]);
    reserve(1, "RESERVATION_CANCELLED", "2", "1");
    run(0, "GRANTED", &["confirm", "1", "--user", "3", "--request", "1"]);
    run(1, "RESERVATION_CONFIRMED", &["extend", "1", "--user", "3", "--request", "1", "--ttl", "5m"]);
    run(0, "GRANTED", &["lookup", "1", "--user", "3", "--request", "1"]);
}

#[test]
fn an_edit_and_a_withdrawal() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    let run = |exit, status, arguments: &[&str]| expect(&server, exit, status, arguments);
    let audience = ["--audience-all", "3", "--audience-none", "7"];
    let created = run(0, "DONE", &[&["batch", "create", "1", "--stock", "10"], &audience[..]].concat());
    assert_eq!(created["version"], 1);
    run(1, "BATCH_CONFLICT", &["batch", "edit", "1", "--per-user", "2", "--version", "9"]);
    let edited = run(0, "DONE", &["batch", "edit", "1", "--audience-any", "4,5", "--name", "tea", "--version", "1"]);
    assert_eq!((&edited["version"], &edited["name"], &edited["per_user"]), (&json!(2), &json!("tea"), &json!(1)));
    let audience = [&edited["audience_all"], &edited["audience_any"], &edited["audience_none"]];
    assert_eq!(audience, [&json!([3]), &json!([4, 5]), &json!([7])]);
    run(1, "AUDIENCE_REFUSED", &["claim", "1", "--user", "1", "--audience", "3"]);
    run(0, "GRANTED", &["claim", "1", "--user", "1", "--audience", "3,5"]);

    for _retry in 0..2 {
        let withdrawn = run(0, "DONE", &["batch", "withdraw", "1", "--units", "100", "--request", "8"]);
        let numbers = [&withdrawn["moved"], &withdrawn["total"], &withdrawn["granted"], &withdrawn["remaining"]];
        assert_eq!(numbers, [9, 1, 1, 0], "as many as there were, once");
    }
    run(1, "BATCH_CONFLICT", &["batch", "add-stock", "1", "--units", "100", "--request", "8"]);
    run(3, "SOLD_OUT", &["claim", "1", "--user", "2", "--audience", "3,5"]);
}

#[test]
fn days_and_their_zones() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    let run = |exit, status, arguments: &[&str]| expect(&server, exit, status, arguments);
    run(2, "ZONE_INVALID", &["batch", "create", "1", "--stock", "5", "--zone", "Mars/Olympus"]);
    let created =
        run(0, "DONE", &["batch", "create", "1", "--stock", "5", "--zone", "Asia/Shanghai", "--per-day", "1"]);
    assert_eq!((&created["zone"], &created["day_units"]), (&json!("Asia/Shanghai"), &json!(0)));
    run(0, "GRANTED", &["claim", "1", "--user", "1"]);
    run(3, "DAY_SOLD_OUT", &["claim", "1", "--user", "2"]);
    assert_eq!(run(0, "DONE", &["batch", "show", "1"])["day_units"], 1);
}
