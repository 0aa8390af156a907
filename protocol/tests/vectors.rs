//! The golden bytes of `vectors.json`, both ways. No code of this crate made them: `vectors.py` did, from the
//! specification.

#[path = "vectors/items.rs"]
mod items;
#[path = "vectors/names.rs"]
mod names;
#[path = "vectors/well_formed.rs"]
mod well_formed;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::process::Command;

use items::{Body, number, opcode_named, status_named, text};
use names::opcode_name;
use serde_json::Value;
use stockade_protocol::batch::{AddStock, Create, Edit};
use stockade_protocol::claim::{Claim, request_from_uuid};
use stockade_protocol::feed::Kind;
use stockade_protocol::frame::{FrameError, Side, decode};
use stockade_protocol::limits::{
    HANDSHAKE_BODY_BYTES_MAX, HEADER_BYTES, REPLY_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX, VERSION,
};
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::{ComesAs, Frame, Header, Opcode, Status, batch, coupon};
use well_formed::check_items;
use zerocopy::IntoBytes;

const VECTORS: &str = include_str!("../vectors.json");

fn section(name: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(VECTORS).expect("valid JSON");
    assert_eq!(number::<u8>(&vectors, "version"), VERSION);
    let entries = vectors[name].as_array().expect(name).clone();
    assert!(!entries.is_empty(), "no {name}");
    entries
}

fn bytes_of(entry: &Value) -> Vec<u8> {
    items::bytes_of(text(entry, "hex"))
}

fn whole_frame(side: Side, bytes: &[u8]) -> Frame<'_> {
    let (frame, length) = decode(side, bytes, REQUEST_BODY_BYTES_MAX).expect("a frame").expect("a whole frame");
    assert_eq!(length, bytes.len());
    frame
}

fn check_both_ways(side: Side, entry: &Value, body: &Body, header: Header) {
    let (name, bytes) = (text(entry, "name"), bytes_of(entry));
    let items = entry["items"].as_array().expect("items");

    let frame = whole_frame(side, &bytes);
    assert_eq!(opcode_name(frame.opcode), text(entry, "opcode"), "{name}");
    assert_eq!(frame.correlation, number::<u64>(entry, "correlation"), "{name}");
    assert_eq!(frame.count as usize, items.len(), "{name}");
    assert_eq!((body.decode)(&frame), *items, "{name}: decoded");

    let mut encoded = header.as_bytes().to_vec();
    encoded.extend((body.encode)(items));
    assert_eq!(encoded, bytes, "{name}: encoded");
}

#[test]
fn requests_read_and_write_as_specified() {
    for entry in section("requests") {
        let opcode = opcode_named(text(&entry, "opcode"));
        let count = entry["items"].as_array().map_or(0, Vec::len).try_into().expect("a small count");
        let deadline_ms = number(&entry, "deadline_ms");
        let header = Header::request(opcode, count, number(&entry, "correlation"), deadline_ms);
        assert_eq!(whole_frame(Side::Server, &bytes_of(&entry)).deadline_ms, deadline_ms);
        check_both_ways(Side::Server, &entry, &Body::of_request(opcode), header);
    }
}

#[test]
fn replies_read_and_write_as_specified() {
    for entry in section("replies") {
        let opcode = opcode_named(text(&entry, "opcode"));
        let count = entry["items"].as_array().map_or(0, Vec::len).try_into().expect("a small count");
        let header = Header::reply(opcode, count, number(&entry, "correlation"));
        check_both_ways(Side::Client, &entry, &Body::of_reply(opcode), header);
    }
}

/// The items of all vectors of a section, each with the name of its opcode.
fn items_of(section_name: &str) -> Vec<(String, Value)> {
    let items = |entry: &Value| {
        let opcode = text(entry, "opcode").to_owned();
        entry["items"].as_array().expect("items").iter().map(|item| (opcode.clone(), item.clone())).collect::<Vec<_>>()
    };
    section(section_name).iter().flat_map(items).collect()
}

#[test]
fn every_opcode_has_a_vector() {
    let opcodes_of =
        |name: &str| section(name).iter().map(|entry| text(entry, "opcode").to_owned()).collect::<BTreeSet<_>>();
    let all = Opcode::ALL.iter().map(|opcode| opcode_name(*opcode)).collect::<BTreeSet<_>>();
    let mut with_fault = opcodes_of("requests");
    assert!(with_fault.insert("FAULT".to_owned()), "a fault is no request");
    assert_eq!(with_fault, all);
    assert_eq!(opcodes_of("replies"), all);
}

#[test]
fn every_status_has_a_vector_in_each_place_where_it_comes() {
    let replies = items_of("replies");
    let seen = |in_fault: bool| {
        let of_place = replies.iter().filter(|(opcode, _)| (opcode == "FAULT") == in_fault);
        of_place.filter_map(|(_, item)| item["status"].as_str()).collect::<BTreeSet<_>>()
    };
    let expected = |not_there: ComesAs| {
        let here = Status::ALL.iter().filter(|status| status.comes_as() != not_there);
        here.map(|status| status.name()).collect::<BTreeSet<_>>()
    };
    assert_eq!(seen(false), expected(ComesAs::Fault));
    assert_eq!(seen(true), expected(ComesAs::Item));
}

#[test]
fn every_state_action_and_kind_has_a_vector() {
    let (requests, replies) = (items_of("requests"), items_of("replies"));
    let seen = |items: &[(String, Value)], opcode: &str, field: &str| {
        let of_opcode = items.iter().filter(|(name, _)| name == opcode);
        of_opcode.map(|(_, item)| number::<u8>(item, field)).filter(|value| *value != 0).collect::<BTreeSet<_>>()
    };
    let batch_states = BTreeSet::from(batch::State::ALL.map(|state| state as u8));
    let coupon_states = BTreeSet::from(coupon::State::ALL.map(|state| state as u8));
    let kinds = Kind::ALL.iter().map(|kind| *kind as u8).collect::<BTreeSet<_>>();
    assert_eq!(
        seen(&requests, "BATCH_CHANGE", "action"),
        BTreeSet::from(batch::Action::ALL.map(|action| action as u8))
    );
    assert_eq!(
        seen(&requests, "COUPON_CHANGE", "action"),
        BTreeSet::from(coupon::Action::ALL.map(|action| action as u8))
    );
    assert_eq!(seen(&replies, "BATCH_SHOW", "state"), batch_states);
    for opcode in ["COUPON_CHANGE", "COUPON_SHOW", "WALLET"] {
        assert_eq!(seen(&replies, opcode, "state"), coupon_states, "{opcode}");
    }
    assert_eq!(seen(&replies, "FEED_SUBSCRIBE", "kind"), kinds);
}

#[test]
fn names_of_vectors_are_unique() {
    let mut seen = BTreeSet::new();
    for name in ["requests", "replies", "item_refusals", "invalid"] {
        for entry in section(name) {
            assert!(seen.insert(text(&entry, "name").to_owned()), "twice: {}", text(&entry, "name"));
        }
    }
}

/// The status that refuses the only item of the frame, as far as a look at the item alone decides.
fn refusal_of(frame: &Frame<'_>) -> Option<Status> {
    let quantity = |units: u32| (units == 0).then_some(Status::QuantityInvalid);
    let ttl = |seconds: u16| (seconds == 0).then_some(Status::TtlInvalid);
    match frame.opcode {
        Opcode::Claim => quantity(frame.item::<Claim>().expect("a claim").quantity.into()),
        Opcode::Reserve => {
            let reserve = frame.item::<Reserve>().expect("a reservation");
            quantity(reserve.quantity.into()).or(ttl(reserve.ttl_s.get()))
        }
        Opcode::Extend => ttl(frame.item::<Extend>().expect("an extension").ttl_s.get()),
        Opcode::BatchAddStock | Opcode::BatchWithdraw => {
            quantity(frame.item::<AddStock>().expect("an addition").units.get())
        }
        Opcode::BatchCreate => match frame.item::<Create>().expect("a creation").terms() {
            Err(status) => Some(status),
            // This crate does not know the time zones; the vectors have one name that none has.
            Ok(terms) => (terms.zone == "Nowhere/At_All").then_some(Status::ZoneInvalid),
        },
        Opcode::BatchEdit => frame.item::<Edit>().expect("an edit").terms().err(),
        other => panic!("no item of {other:?} is refused alone by its values"),
    }
}

#[test]
fn items_with_impossible_values_are_refused_alone() {
    for entry in section("item_refusals") {
        let (name, bytes) = (text(&entry, "name"), bytes_of(&entry));
        let frame = whole_frame(Side::Server, &bytes);
        assert_eq!(opcode_name(frame.opcode), text(&entry, "opcode"), "{name}");
        assert_eq!(check_items(&frame), Ok(()), "{name}: the frame is right");
        assert_eq!(refusal_of(&frame), Some(status_named(text(&entry, "status"))), "{name}");
    }
}

#[test]
fn an_edit_is_not_refused_for_a_field_that_it_does_not_name() {
    for entry in section("item_refusals").iter().filter(|entry| text(entry, "opcode") == "BATCH_EDIT") {
        let mut bytes = bytes_of(entry);
        bytes[HEADER_BYTES + 200..HEADER_BYTES + 204].fill(0); // `fields`
        assert_eq!(refusal_of(&whole_frame(Side::Server, &bytes)), None, "{}", text(entry, "name"));
    }
}

#[test]
fn invalid_bytes_get_their_verdict() {
    for entry in section("invalid") {
        let (name, bytes) = (text(&entry, "name"), bytes_of(&entry));
        let before_handshake = entry["before_handshake"].as_bool().expect("before_handshake");
        let (side, body_bytes_max) = match (text(&entry, "reader"), before_handshake) {
            ("server", true) => (Side::Server, HANDSHAKE_BODY_BYTES_MAX),
            ("server", false) => (Side::Server, REQUEST_BODY_BYTES_MAX),
            ("client", false) => (Side::Client, REPLY_BODY_BYTES_MAX),
            other => panic!("{name}: reader {other:?}"),
        };
        let decoded = decode(side, &bytes, body_bytes_max);
        let verdict = text(&entry, "verdict");
        if verdict == "incomplete" {
            assert!(matches!(decoded, Ok(None)), "{name}: {decoded:?}");
            continue;
        }
        let (status, correlation) = (status_named(text(&entry, "status")), number(&entry, "correlation"));
        match text(&entry, "layer") {
            "frame" => {
                let skip = (verdict == "fault").then(|| number(&entry, "skip"));
                assert_eq!(decoded.err(), Some(FrameError { status, correlation, skip }), "{name}");
            }
            "item" => {
                let (frame, length) = decoded.expect(name).expect(name);
                assert_eq!((frame.correlation, length), (correlation, bytes.len()), "{name}");
                assert_eq!(check_items(&frame), Err(status), "{name}");
            }
            other => panic!("{name}: layer {other}"),
        }
    }
}

#[test]
fn uuids_fold_as_specified() {
    for entry in section("uuids") {
        let digits = text(&entry, "uuid").replace('-', "");
        let uuid = u128::from_str_radix(&digits, 16).expect("a UUID").to_be_bytes();
        assert_eq!(request_from_uuid(uuid), number::<u64>(&entry, "request"), "{entry}");
    }
}

#[test]
fn the_generator_writes_this_very_file() {
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors.py");
    match Command::new("python3").arg(generator).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(output.stdout == VECTORS.as_bytes(), "run `python3 protocol/vectors.py --write`");
        }
        Err(error) if error.kind() == ErrorKind::NotFound => eprintln!("skipped: there is no python3 on this machine"),
        Err(error) => panic!("{generator}: {error}"),
    }
}
