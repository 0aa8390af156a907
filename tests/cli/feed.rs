//! The feed: events as lines, the consumer's place, and how it ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::scripted::{CUT, EVENTS, scripted_server};
use crate::support::stockade;
use serde_json::{Value, json};

/// The kind and the index of each event, from lines of JSON.
fn indices(lines: &str) -> Vec<u64> {
    let event = |line| serde_json::from_str::<Value>(line).expect("an object")["index"].as_u64().expect("an index");
    lines.lines().map(event).collect()
}

/// The cursor of the only consumer.
fn cursor(server: &str) -> (Value, Value) {
    let list = stockade(&["feed", "consumers", "--json", "--server", server]).exits(0).stdout.clone();
    let list: Value = serde_json::from_str(&list).expect("an array");
    (list[0]["epoch"].clone(), list[0]["index"].clone())
}

#[test]
fn as_many_events_as_are_asked_for() {
    let server = scripted_server();
    let text = stockade(&["feed", "--count", "3", "--server", &server]).exits(0).stdout.clone();
    let first = "41:0  2026-11-27T12:00:00Z  granted  batch 1  user 7  request 0  units 1  serial 0";
    assert_eq!((text.lines().next(), text.lines().count()), (Some(first), 3), "{text}");
    let from = stockade(&["feed", "--json", "--from", "41:3", "--count", "2", "--server", &server]);
    assert_eq!(indices(&from.exits(0).stdout), [3, 4]);
}

#[test]
fn a_consumer_goes_on_behind_what_it_acknowledged() {
    let server = scripted_server();
    let follow = |more: &[&str]| {
        let follow = ["feed", "--json", "--consumer", "mails", "--server", &server];
        indices(&stockade(&[&follow, more].concat()).exits(0).stdout)
    };
    assert_eq!(follow(&["--count", "1"]), [0]);
    assert_eq!(cursor(&server), (json!(0), json!(0)), "nothing was acknowledged");
    assert_eq!(follow(&["--count", "3", "--acknowledge"]), [0, 1, 2]);
    assert_eq!(cursor(&server), (json!(41), json!(3)), "behind what was printed, not behind what came");
    assert_eq!(follow(&["--count", "1"]), [3]);
    assert_eq!(follow(&["--count", "1", "--from", "oldest"]), [0]);
}

#[test]
fn an_interrupt_ends_it_well() {
    let server = scripted_server();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .env_clear()
        .args(["feed", "--json", "--consumer", "mails", "--acknowledge", "--server", &server])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let told: Vec<String> = lines.take(EVENTS as usize).map(|line| line.expect("text")).collect();
    assert_eq!(indices(&told.join("\n")), [0, 1, 2, 3, 4]);
    kill_process(Pid::from_child(&child), Signal::INT).expect("it waits for more");
    assert_eq!(child.wait().expect("it is ours").code(), Some(0));
    assert_eq!(cursor(&server), (json!(41), json!(EVENTS)));
}

#[test]
fn a_lost_connection_says_how_to_go_on() {
    let server = scripted_server();
    let ran = stockade(&["feed", "--consumer", CUT, "--server", &server]);
    assert_eq!(ran.exits(6).stdout.lines().count(), 5, "all that came is told first");
    assert!(ran.stderr.contains("go on with --from 41:5"), "{}", ran.stderr);
    let ran = stockade(&["feed", "--consumer", CUT, "--acknowledge", "--server", &server]);
    assert!(ran.exits(6).stderr.contains("the same command goes on"), "{}", ran.stderr);
}

#[test]
fn places_that_are_not_kept_or_never_were() {
    let server = scripted_server();
    let old = stockade(&["feed", "--from", "7", "--server", &server]);
    assert!(old.exits(1).stderr.contains("--from oldest"), "{}", old.stderr);
    let never = stockade(&["feed", "--from", "99", "--server", &server]);
    assert!(never.exits(2).stderr.contains("there never was such a place"), "{}", never.stderr);
}

#[test]
fn consumers_are_listed_and_forgotten() {
    let server = scripted_server();
    let table = stockade(&["feed", "consumers", "--server", &server]).exits(0).stdout.clone();
    assert_eq!(
        table,
        "CONSUMER  EPOCH  INDEX  CONNECTED  BEHIND BYTES\nmails         0      0  yes                4096\n"
    );
    // The options of all commands stand wherever one likes, here too.
    let forget = |name| stockade(&["--server", &server, "feed", "--json", "forget", name]);
    assert_eq!(forget("mails").exits(0).json(), json!({ "status": "DONE", "consumer": "mails" }));
    let unknown = forget("nobody");
    assert_eq!(unknown.exits(1).json()["status"], "REQUEST_UNKNOWN");
    assert!(unknown.stderr.contains("`stockade feed consumers`"), "{}", unknown.stderr);
}

#[test]
fn clients_are_listed_by_number() {
    let server = scripted_server();
    let table = stockade(&["clients", "--server", &server]).exits(0).stdout.clone();
    assert_eq!(table, "CLIENT  NAME\n     1  shop-7\n     2  stockade-cli\n");
}
