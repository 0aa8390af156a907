//! Reading what is there: units and wallets of more than one page, and the feed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::real_server::{RealServer, expect, folder};

/// Runs a command that prints one JSON array.
fn list(server: &RealServer, arguments: &[&str]) -> Vec<Value> {
    let printed = server.run(&[arguments, &["--json"]].concat()).exits(0).stdout.clone();
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {printed}"))
}

/// Runs a command that prints a line of JSON for each event.
fn events(server: &RealServer, arguments: &[&str]) -> Vec<Value> {
    let printed = server.run(&[arguments, &["--json"]].concat()).exits(0).stdout.clone();
    printed.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

#[test]
fn every_unit_of_a_batch_is_listed_once() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    expect(&server, 0, "DONE", &["batch", "create", "1", "--stock", "1500", "--per-user", "unlimited"]);
    for request in 0..6 {
        let request = request.to_string();
        let claim = ["claim", "1", "--user", "7", "--quantity", "250", "--request", &request];
        assert_eq!(expect(&server, 0, "GRANTED", &claim)["serials"].as_array().map(Vec::len), Some(250));
    }
    let serials: Vec<u64> =
        list(&server, &["coupon", "list", "1"]).iter().map(|coupon| coupon["serial"].as_u64().expect("one")).collect();
    assert!(serials.iter().copied().eq(0..1_500), "{} coupons", serials.len());
    let counts = expect(&server, 0, "DONE", &["batch", "reconcile", "1"]);
    assert_eq!((&counts["granted"], &counts["remaining"]), (&json!(1_500), &json!(0)));
}

#[test]
fn a_wallet_page_by_page_newest_first() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    expect(&server, 0, "DONE", &["batch", "create", "1", "--stock", "9", "--per-user", "unlimited"]);
    let serials: Vec<u64> = (0..5)
        .map(|request| {
            let claim = ["claim", "1", "--user", "7", "--request", &request.to_string()];
            expect(&server, 0, "GRANTED", &claim)["serials"][0].as_u64().expect("a serial")
        })
        .collect();
    let first = serials[0].to_string();
    expect(&server, 0, "DONE", &["coupon", "lock", "1", &first, "--user", "7", "--order", "1"]);

    let page = |more: &[&str]| expect(&server, 0, "DONE", &[&["wallet", "7", "--limit", "2"], more].concat());
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(&cursor.iter().flat_map(|cursor: &String| ["--cursor", cursor]).collect::<Vec<_>>());
        let coupons = page["coupons"].as_array().expect("coupons");
        seen.extend(coupons.iter().map(|coupon| coupon["serial"].as_u64().expect("a serial")));
        let Some(next) = page["next"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert!(seen.iter().eq(serials.iter().rev()), "{seen:?} of {serials:?}");
    let locked = page(&["--state", "locked"]);
    assert_eq!((&locked["coupons"][0]["serial"], &locked["coupons"][1]), (&json!(serials[0]), &Value::Null));
    assert_eq!((&locked["coupons"][0]["order"], &locked["next"]), (&json!(1), &Value::Null));
    let cursor = cursor.expect("there were pages");
    expect(&server, 2, "CURSOR_INVALID", &["wallet", "7", "--state", "locked", "--cursor", &cursor]);
    let nobody = server.run(&["wallet", "8"]);
    assert_eq!(nobody.exits(0).stdout, "");
}

#[test]
fn what_was_never_there_is_named() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    for command in ["stats", "refusals", "reconcile"] {
        let ran = server.run(&["batch", command, "5"]);
        assert!(ran.exits(5).stderr.contains("there is no batch 5"), "{command}: {}", ran.stderr);
    }
    expect(&server, 0, "DONE", &["batch", "create", "1", "--stock", "9"]);
    let log = server.run(&["coupon", "log", "1", "3"]);
    assert!(log.exits(1).stderr.contains("no unit 3 of batch 1 was ever taken"), "{}", log.stderr);
    expect(&server, 1, "SERIAL_UNKNOWN", &["coupon", "show", "1", "3"]);
    expect(&server, 1, "SERIAL_UNKNOWN", &["coupon", "lock", "1", "3", "--user", "7", "--order", "1"]);
    expect(&server, 5, "BATCH_UNKNOWN", &["coupon", "show", "5", "3"]);
    assert_eq!(list(&server, &["coupon", "list", "1"]), [Value::Null; 0]);
}

#[test]
fn a_consumer_goes_on_where_it_stopped() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    expect(&server, 0, "DONE", &["batch", "create", "1", "--stock", "9"]);
    for user in ["1", "2", "3"] {
        expect(&server, 0, "GRANTED", &["claim", "1", "--user", user]);
    }
    let mails = ["feed", "--consumer", "mails", "--acknowledge", "--count", "2"];
    let first = events(&server, &mails);
    let consumers = list(&server, &["feed", "consumers"]);
    assert_eq!((consumers.len(), &consumers[0]["consumer"]), (1, &json!("mails")));
    let rest = events(&server, &mails);
    let told: Vec<(&Value, &Value)> = first.iter().chain(&rest).map(|event| (&event["kind"], &event["user"])).collect();
    let user = |user: u64| (json!("granted"), json!(user));
    assert_eq!(told[0], (&json!("batch_created"), &Value::Null));
    assert!(told[1..].iter().zip([user(1), user(2), user(3)]).all(|(told, user)| *told == (&user.0, &user.1)));
    let place = format!("{}:{}", rest[0]["epoch"], rest[0]["index"]);
    assert_eq!(events(&server, &["feed", "--from", &place, "--count", "2"]), rest);

    expect(&server, 0, "DONE", &["feed", "forget", "mails"]);
    expect(&server, 1, "REQUEST_UNKNOWN", &["feed", "forget", "mails"]);
    assert_eq!(list(&server, &["feed", "consumers"]), [Value::Null; 0]);
    let never = server.run(&["feed", "--from", "1000000", "--timeout", "2s"]);
    assert!(never.exits(2).stderr.contains("there never was such a place"), "{}", never.stderr);
}

#[test]
fn the_feed_tells_what_happens_while_it_is_followed() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    expect(&server, 0, "DONE", &["batch", "create", "1", "--stock", "9"]);
    let mut feed = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .env_clear()
        .args(["feed", "--server", &server.address])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(feed.stdout.take().expect("piped")).lines();
    let mut next = || lines.next().expect("the feed goes on").expect("text");
    assert!(next().contains("  batch_created  batch 1  stock 9"));
    expect(&server, 0, "GRANTED", &["claim", "1", "--user", "7", "--request", "5"]);
    assert!(next().contains("  granted  batch 1  user 7  request 5  units 1  serial "));
    assert!(server.leave().success(), "a feed does not hold the server up");
    let ended = feed.wait_with_output().expect("it is ours");
    let complaint = String::from_utf8(ended.stderr).expect("UTF-8");
    assert_eq!(ended.status.code(), Some(6), "{complaint}");
    assert!(complaint.contains("go on with --from "), "{complaint}");
}

#[test]
fn clients_have_names() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    expect(&server, 0, "DONE", &["batch", "create", "1", "--stock", "9"]);
    let granted = expect(&server, 0, "GRANTED", &["claim", "1", "--user", "7"]);
    let serial = granted["serials"][0].to_string();
    expect(&server, 0, "DONE", &["coupon", "void", "1", &serial, "--user", "7"]);
    let log = list(&server, &["coupon", "log", "1", &serial]);
    let client = log.last().expect("events")["client"].clone();
    let clients = list(&server, &["clients"]);
    let named = clients.iter().find(|named| named["client"] == client).expect("the one that voided it");
    assert_eq!(named["name"], concat!("stockade-cli ", env!("CARGO_PKG_VERSION")));
}
