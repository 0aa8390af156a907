//! A sale from its draft to its end, by commands alone.

use crate::real_server::{RealServer, expect, folder};

#[test]
fn from_draft_to_close() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    let claim = |exit, status, user: &str, more: &[&str]| {
        expect(&server, exit, status, &[&["claim", "7", "--user", user], more].concat())
    };
    expect(
        &server,
        0,
        "DONE",
        &["batch", "create", "7", "--stock", "5", "--per-user", "3", "--draft", "--name", "tea"],
    );
    claim(5, "BATCH_DRAFT", "1", &[]);
    let active = expect(&server, 0, "DONE", &["batch", "activate", "7"]);
    assert_eq!((&active["state"], &active["name"], &active["per_user"]), (&"active".into(), &"tea".into(), &3.into()));

    let first = claim(0, "GRANTED", "1", &["--request", "100", "--quantity", "2"]);
    assert_eq!((first["serials"].as_array().map(Vec::len), &first["replayed"]), (Some(2), &false.into()));
    let again = claim(0, "GRANTED", "1", &["--request", "100", "--quantity", "2"]);
    assert_eq!((&again["serials"], &again["replayed"]), (&first["serials"], &true.into()));
    claim(1, "REQUEST_CONFLICT", "1", &["--request", "100", "--quantity", "1"]);
    claim(4, "LIMIT_REACHED", "1", &["--quantity", "2"]);
    claim(2, "QUANTITY_INVALID", "2", &["--quantity", "0"]);
    claim(0, "GRANTED", "2", &["--quantity", "2"]);
    claim(3, "SOLD_OUT", "3", &["--quantity", "2"]);
    assert_eq!(claim(0, "GRANTED", "3", &["--quantity", "2", "--up-to"])["granted"], 1);
    claim(3, "SOLD_OUT", "4", &[]);

    for _retry in 0..2 {
        let more = expect(&server, 0, "DONE", &["batch", "add-stock", "7", "--units", "3", "--request", "1"]);
        assert_eq!((&more["total"], &more["remaining"]), (&8.into(), &3.into()), "added once");
    }
    expect(&server, 0, "DONE", &["batch", "pause", "7"]);
    claim(5, "PAUSED", "4", &[]);
    expect(&server, 0, "DONE", &["batch", "resume", "7"]);
    claim(0, "GRANTED", "4", &[]);

    expect(&server, 0, "DONE", &["batch", "end", "7"]);
    claim(5, "ENDED", "5", &[]);
    let looked_up = ["lookup", "7", "--user", "1", "--request"];
    assert_eq!(expect(&server, 0, "GRANTED", &[&looked_up[..], &["100"]].concat())["serials"], first["serials"]);
    expect(&server, 1, "REQUEST_UNKNOWN", &[&looked_up[..], &["999"]].concat());
    let closed = expect(&server, 0, "DONE", &["batch", "close", "7"]);
    assert_eq!((&closed["state"], &closed["granted"], &closed["total"]), (&"closed".into(), &6.into(), &8.into()));
    claim(5, "CLOSED", "5", &[]);
    assert!(server.leave().success(), "it leaves with exit status 0");
}

#[test]
fn terms_that_cannot_be() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    let create = |exit, status, more: &[&str]| expect(&server, exit, status, &[&["batch", "create"], more].concat());
    create(2, "TERMS_INVALID", &["1", "--stock", "0"]);
    create(
        2,
        "TERMS_INVALID",
        &["1", "--stock", "5", "--starts", "2036-01-02T00:00:00Z", "--ends", "2036-01-01T00:00:00Z"],
    );
    create(0, "DONE", &["1", "--stock", "5"]);
    create(0, "DONE", &["1", "--stock", "5"]);
    create(1, "BATCH_CONFLICT", &["1", "--stock", "6"]);
    let later = create(0, "DONE", &["2", "--stock", "5", "--starts", "2036-01-01T08:00:00+08:00"]);
    assert_eq!((&later["state"], &later["starts"]), (&"scheduled".into(), &"2036-01-01T00:00:00Z".into()));
    expect(&server, 5, "NOT_STARTED", &["claim", "2", "--user", "1"]);
    expect(&server, 5, "BATCH_UNKNOWN", &["claim", "3", "--user", "1"]);
    expect(&server, 5, "BATCH_UNKNOWN", &["batch", "show", "3"]);
    let list = server.run(&["batch", "list"]);
    assert_eq!(list.exits(0).stdout.lines().count(), 3, "a heading and two batches: {}", list.stdout);
}

#[test]
fn what_was_answered_is_there_after_kill_9_and_verify_agrees() {
    let (_folder, data) = folder();
    let server = RealServer::start(&data, &[]);
    expect(&server, 0, "DONE", &["batch", "create", "1", "--stock", "3"]);
    let granted = expect(&server, 0, "GRANTED", &["claim", "1", "--user", "1", "--request", "11"]);
    server.kill();

    let server = RealServer::start(&data, &[]);
    let found = expect(&server, 0, "GRANTED", &["lookup", "1", "--user", "1", "--request", "11"]);
    assert_eq!(found["serials"], granted["serials"]);
    let shown = expect(&server, 0, "DONE", &["batch", "show", "1"]);
    assert_eq!((&shown["granted"], &shown["remaining"]), (&1.into(), &2.into()));
    let in_use = crate::support::stockade(&["verify", &data]);
    assert!(in_use.exits(1).stderr.contains(&data), "{}", in_use.stderr);
    assert!(server.leave().success());

    let text = crate::support::stockade(&["verify", &data]);
    assert!(
        text.exits(0).stdout.ends_with("hash chain, ledger, conservation, limits and serials hold\n"),
        "{}",
        text.stdout
    );
    let report = crate::support::stockade(&["verify", &data, "--json"]).exits(0).json();
    assert_eq!((&report["ok"], &report["grants"]), (&true.into(), &1.into()), "{report}");
    assert_eq!(report["batches"], serde_json::json!([{ "id": 1, "total": 3, "granted": 1 }]));
}
