//! The golden bytes of `vectors.json`, both ways. No code of this crate made them: `vectors.py` did, from the
//! specification.

#[path = "vectors/items.rs"]
mod items;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::process::Command;

use items::{Body, number, opcode_name, opcode_named, status_named, text};
use serde_json::Value;
use stockade_protocol::batch::{AddStock, Change, Create, List};
use stockade_protocol::claim::{Claim, request_from_uuid};
use stockade_protocol::frame::{FrameError, Side, decode};
use stockade_protocol::hello::Hello;
use stockade_protocol::limits::{HANDSHAKE_BODY_BYTES_MAX, REPLY_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX, VERSION};
use stockade_protocol::{Frame, Header, Opcode, Status};
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
    let hex = text(entry, "hex");
    assert_eq!(hex.len() % 2, 0);
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal")).collect()
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

#[test]
fn every_opcode_and_every_status_has_a_vector() {
    let opcodes_of =
        |name: &str| section(name).iter().map(|entry| text(entry, "opcode").to_owned()).collect::<BTreeSet<_>>();
    let all = Opcode::ALL.iter().map(|opcode| opcode_name(*opcode).to_owned()).collect::<BTreeSet<_>>();
    let mut with_fault = opcodes_of("requests");
    assert!(with_fault.insert("FAULT".to_owned()), "a fault is no request");
    assert_eq!(with_fault, all);
    assert_eq!(opcodes_of("replies"), all);

    let replies = section("replies");
    let items = replies.iter().flat_map(|entry| entry["items"].as_array().expect("items"));
    let seen = items.filter_map(|item| item["status"].as_str()).collect::<BTreeSet<_>>();
    assert_eq!(seen, Status::ALL.iter().map(|status| status.name()).collect::<BTreeSet<_>>());
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

/// What a server must check in the items before it may act on any of them.
fn check_items(frame: &Frame<'_>) -> Result<(), Status> {
    let well_formed = match frame.opcode {
        Opcode::Hello => return frame.item::<Hello>()?.texts().map(|_| ()),
        Opcode::Claim => frame.items::<Claim>()?.iter().all(Claim::is_well_formed),
        Opcode::BatchCreate => frame.items::<Create>()?.iter().all(Create::is_well_formed),
        Opcode::BatchList => frame.item::<List>()?.is_well_formed(),
        Opcode::BatchChange => frame.items::<Change>()?.iter().all(|change| change.action().is_some()),
        Opcode::BatchAddStock => frame.items::<AddStock>()?.iter().all(AddStock::is_well_formed),
        Opcode::Ping | Opcode::Lookup | Opcode::Serials | Opcode::BatchShow | Opcode::Fault => true,
    };
    if well_formed { Ok(()) } else { Err(Status::Malformed) }
}

#[test]
fn items_with_impossible_values_are_refused_alone() {
    for entry in section("item_refusals") {
        let (name, bytes) = (text(&entry, "name"), bytes_of(&entry));
        let frame = whole_frame(Side::Server, &bytes);
        assert_eq!(opcode_name(frame.opcode), text(&entry, "opcode"), "{name}");
        assert_eq!(check_items(&frame), Ok(()), "{name}: the frame is right");
        let status = status_named(text(&entry, "status"));
        match frame.opcode {
            Opcode::BatchCreate => {
                assert_eq!(frame.item::<Create>().expect(name).terms(), Err(status), "{name}");
            }
            Opcode::Claim => {
                let quantity = frame.item::<Claim>().expect(name).quantity;
                assert_eq!((quantity, status), (0, Status::QuantityInvalid), "{name}");
            }
            Opcode::BatchAddStock => {
                let units = frame.item::<AddStock>().expect(name).units.get();
                assert_eq!((units, status), (0, Status::QuantityInvalid), "{name}");
            }
            other @ (Opcode::Hello
            | Opcode::Ping
            | Opcode::Lookup
            | Opcode::Serials
            | Opcode::BatchShow
            | Opcode::BatchList
            | Opcode::BatchChange
            | Opcode::Fault) => panic!("{name}: no item of {other:?} is refused alone by its values"),
        }
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
