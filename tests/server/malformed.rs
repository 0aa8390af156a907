//! Frames that are wrong and whose end is known: a `FAULT` answers, nothing of them has an effect, and the next frame
//! is answered. Other connections never notice.

use stockade_protocol::Status::{FrameTooLarge, Malformed, OpcodeUnknown};
use stockade_protocol::batch::{Action, AddStock, BatchId, BatchInfo, Change, List, State};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::hello::Hello;
use stockade_protocol::ping::Ping;
use stockade_protocol::{Opcode, Status};
use zerocopy::FromZeros;

use crate::support::frame::{
    BODY_AT, BODY_BYTES_AT, COUNT_AT, FLAGS_AT, OPCODE_AT, RESERVED_AT, blank, frame, patched, requests,
};
use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, creation, options, terms};

const STOCK: u32 = 10_000;
const CORRELATION: u64 = 0x0102_0304_0506_0708;

struct Case {
    what: String,
    bytes: Vec<u8>,
    status: Status,
}

fn case(what: impl Into<String>, bytes: Vec<u8>, status: Status) -> Case {
    Case { what: what.into(), bytes, status }
}

/// A claim that would be granted.
fn claim(user: u64) -> Claim {
    Claim::new(1, user, 1, 1)
}

fn claims(items: &[Claim]) -> Vec<u8> {
    frame(Opcode::Claim, CORRELATION, items)
}

/// A frame with another count and a body of `body_bytes` bytes.
fn resized(bytes: Vec<u8>, count: u32, body_bytes: u32) -> Vec<u8> {
    let mut bytes = patched(bytes, COUNT_AT, &count.to_le_bytes());
    bytes[BODY_BYTES_AT..BODY_BYTES_AT + 4].copy_from_slice(&body_bytes.to_le_bytes());
    bytes.resize(BODY_AT + usize::try_from(body_bytes).expect("small"), 0);
    bytes
}

/// Sends each case on one connection. Each must be refused, the frame behind it must be answered, and a claim that
/// another connection was sending all the while must be granted.
fn all_are_refused_in_step(cases: Vec<Case>) {
    let shop = Shop::open(2, options());
    let mut client = shop.client_with_batch(1, &terms(STOCK));
    let mut bystander = shop.client();
    let slow = frame(Opcode::Claim, 1, &[claim(1_000_000)]);
    shop.send_and_see(&mut bystander, &slow[..BODY_AT + 7]);
    for Case { what, bytes, status } in cases {
        client.send(&[bytes, frame(Opcode::Ping, 9, &[Ping::new_zeroed()])].concat());
        assert_eq!(client.reply().refusal(), (Some(status), CORRELATION), "{what}");
        assert_eq!(client.reply().refusal(), (None, 9), "the frame behind {what}");
    }
    let info = client.show(1);
    let unchanged = (info.granted.get(), info.total.get(), info.state());
    assert_eq!(unchanged, (0, STOCK, Some(State::Active)), "a refused frame had an effect");
    let listed = client.ask(Opcode::BatchList, &[List::new(0, 10)]).items::<BatchInfo>(Opcode::BatchList);
    assert_eq!(listed.len(), 1, "a refused frame created a batch");
    bystander.send(&slow[BODY_AT + 7..]);
    assert_eq!(statuses(&bystander.reply().items(Opcode::Claim)), [Status::Granted]);
}

#[test]
fn reserved_bits_of_the_header() {
    let bits = |at: usize, bytes: usize| (0..bytes * 8).map(move |bit| (at + bit / 8, 1_u8 << (bit % 8)));
    let cases = bits(FLAGS_AT, 2).chain(bits(RESERVED_AT, 4)).map(|(at, bit)| {
        let bytes = patched(claims(&[claim(1)]), at, &[bit]);
        case(format!("bit {bit:#04x} of byte {at}"), bytes, Malformed)
    });
    all_are_refused_in_step(cases.collect());
}

#[test]
fn unknown_opcodes() {
    let known = |number: u8| Opcode::from_number(number).is_some_and(|opcode| opcode != Opcode::Fault);
    let cases = (0..=u8::MAX).filter(|number| !known(*number)).map(|number| {
        let bytes = patched(claims(&[claim(1)]), OPCODE_AT, &[number]);
        case(format!("opcode {number:#04x}"), bytes, OpcodeUnknown)
    });
    all_are_refused_in_step(cases.collect());
}

#[test]
fn counts_of_zero() {
    let opcodes = requests().chain([Opcode::Hello]);
    let cases = opcodes.flat_map(|opcode| {
        let empty = resized(blank(opcode, CORRELATION), 0, 0);
        let full = patched(blank(opcode, CORRELATION), COUNT_AT, &[0]);
        [case(format!("an empty {opcode:?}"), empty, Malformed), case(format!("no {opcode:?}"), full, Malformed)]
    });
    all_are_refused_in_step(cases.collect());
}

#[test]
fn bodies_that_do_not_fit_the_count() {
    let opcodes = requests().chain([Opcode::Hello]);
    let cases = opcodes.flat_map(|opcode| {
        let (one, item) = (blank(opcode, CORRELATION), opcode.request_shape().item_bytes);
        [
            case(format!("a byte too much of {opcode:?}"), resized(one.clone(), 1, item + 1), Malformed),
            case(format!("a byte too few of {opcode:?}"), resized(one.clone(), 1, item - 1), Malformed),
            case(format!("no body of {opcode:?}"), resized(one, 1, 0), Malformed),
        ]
    });
    let two = claims(&[claim(1), claim(2)]);
    let more = [
        case("two claims that say to be one", patched(two.clone(), COUNT_AT, &[1]), Malformed),
        case("two claims that say to be three", patched(two, COUNT_AT, &[3]), Malformed),
    ];
    all_are_refused_in_step(cases.chain(more).collect());
}

#[test]
fn more_items_than_the_limits_allow() {
    // The specification's table.
    let most = |opcode: Opcode| match opcode as u8 {
        0x10 | 0x11 | 0x13..=0x16 | 0x30 => 8_192,
        0x20 | 0x21 | 0x23..=0x26 | 0x31 => 1_024,
        _ => 1,
    };
    let opcodes = requests().chain([Opcode::Hello]);
    let cases = opcodes.flat_map(|opcode| {
        let (count, item) = (most(opcode) + 1, opcode.request_shape().item_bytes);
        // The count alone decides: these bodies would not fit either.
        let count_alone = [count, u32::MAX].map(|count| (count, resized(blank(opcode, CORRELATION), count, item)));
        let whole =
            (count * item <= 262_144).then(|| (count, resized(blank(opcode, CORRELATION), count, count * item)));
        let frames = count_alone.into_iter().chain(whole);
        frames.map(move |(count, bytes)| case(format!("{count} of {opcode:?}"), bytes, FrameTooLarge))
    });
    all_are_refused_in_step(cases.collect());
}

#[test]
fn reserved_bits_of_claims() {
    // The item with the bit stands between two that would be done.
    let with_bit = |at: usize, bit: u8| {
        let bytes = claims(&[claim(1), claim(2), claim(3)]);
        case(format!("bit {bit:#04x} of byte {at} of a claim"), patched(bytes, BODY_AT + 32 + at, &[bit]), Malformed)
    };
    let of_rest = (30..32).flat_map(|at| [1, 128].map(|bit| with_bit(at, bit)));
    let of_flags = (1..8).map(|bit| with_bit(29, 1 << bit));
    all_are_refused_in_step(of_rest.chain(of_flags).collect());
}

/// Bytes of each opcode's item that must be zero, and those of its bits that must be where not all of a byte must.
fn reserved(opcode: Opcode) -> Vec<(usize, u8)> {
    let all = |bytes: std::ops::Range<usize>| bytes.map(|at| (at, 0xFF)).collect::<Vec<_>>();
    match opcode {
        Opcode::Claim => [all(30..32), vec![(29, 0xFE)]].concat(),
        Opcode::Reserve => vec![(29, 0xFE)],
        Opcode::Extend => all(26..32),
        Opcode::BatchCreate => [all(39..40), all(158..160), all(200..256), vec![(32, 0xFE)]].concat(),
        Opcode::BatchList | Opcode::CouponShow | Opcode::CouponLog | Opcode::Wallet => all(12..16),
        Opcode::BatchChange => all(9..16),
        Opcode::BatchAddStock | Opcode::BatchWithdraw | Opcode::FeedAcknowledge => all(20..24),
        Opcode::BatchEdit => [all(8..12), all(32..33), all(39..40), all(158..160), all(208..256)].concat(),
        Opcode::CouponChange => all(29..32),
        Opcode::FeedSubscribe => [all(17..24), vec![(16, 0xFE)]].concat(),
        _ => Vec::new(),
    }
}

/// A frame with one well-formed item.
fn well_formed(opcode: Opcode) -> Vec<u8> {
    let bytes = blank(opcode, CORRELATION);
    match opcode {
        Opcode::BatchList | Opcode::BatchChange => patched(bytes, BODY_AT + 8, &[1]),
        Opcode::CouponChange => patched(bytes, BODY_AT + 28, &[1]),
        Opcode::Wallet => patched(bytes, BODY_AT + 10, &[1]),
        Opcode::FeedSubscribe => patched(bytes, BODY_AT + 12, &[1]),
        _ => bytes,
    }
}

#[test]
fn reserved_bits_of_every_item() {
    let mut cases = Vec::new();
    for opcode in requests() {
        for (at, bits) in reserved(opcode) {
            for bit in (0..8).map(|bit| 1 << bit).filter(|bit| bits & bit != 0) {
                let bytes = patched(well_formed(opcode), BODY_AT + at, &[bit]);
                cases.push(case(format!("bit {bit:#04x} of byte {at} of {opcode:?}"), bytes, Malformed));
            }
        }
    }
    all_are_refused_in_step(cases);
}

#[test]
fn values_that_no_item_may_have() {
    let mut cases = Vec::new();
    let mut add = |opcode: Opcode, at: usize, values: &[&[u8]]| {
        for value in values {
            let bytes = patched(well_formed(opcode), BODY_AT + at, value);
            cases.push(case(format!("{value:?} at byte {at} of {opcode:?}"), bytes, Malformed));
        }
    };
    let (none, too_many) = ([0; 4], 1_025_u32.to_le_bytes());
    for (opcode, limit_at) in [
        (Opcode::ClientList, 4),
        (Opcode::FeedList, 4),
        (Opcode::BatchList, 8),
        (Opcode::BatchStats, 12),
        (Opcode::CouponList, 12),
    ] {
        add(opcode, limit_at, &[&none, &too_many, &[0xFF; 4]]);
    }
    add(Opcode::Wallet, 10, &[&none[..2], &too_many[..2], &[0xFF; 2]]);
    add(Opcode::FeedSubscribe, 12, &[&none, &65_537_u32.to_le_bytes(), &[0xFF; 4]]);
    add(Opcode::BatchChange, 8, &[&[0], &[7], &[0xFF]]);
    add(Opcode::CouponChange, 28, &[&[0], &[7], &[0xFF]]);
    add(Opcode::BatchEdit, 200, &[&(1_u32 << 9).to_le_bytes(), &(1_u32 << 31).to_le_bytes()]);
    // Names of consumers: no UTF-8, a control character, something behind the first zero byte.
    let names: [&[u8]; 3] = [&[0xFF], &[0x07], &[b'a', 0, b'b']];
    add(Opcode::FeedSubscribe, 24, &names);
    add(Opcode::FeedForget, 0, &names);
    all_are_refused_in_step(cases);
}

#[test]
fn a_wrong_item_refuses_those_before_it() {
    let change = frame(Opcode::BatchChange, CORRELATION, &[Change::new(1, Action::Pause), Change::new(1, Action::End)]);
    let add = frame(Opcode::BatchAddStock, CORRELATION, &[AddStock::new(1, 1, 1), AddStock::new(1, 2, 1)]);
    let create = [creation(2, &terms(1)), creation(3, &terms(1))];
    let create = frame(Opcode::BatchCreate, CORRELATION, &create);
    all_are_refused_in_step(vec![
        case("action 7", patched(change, BODY_AT + 16 + 8, &[7]), Malformed),
        case("a reserved byte of an addition", patched(add, BODY_AT + 24 + 23, &[1]), Malformed),
        case("a reserved byte of a creation", patched(create, BODY_AT + 256 + 39, &[1]), Malformed),
    ]);
}

#[test]
fn frames_as_large_as_allowed_are_answered() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(STOCK));
    let all = (0..8_192).map(claim).collect::<Vec<_>>();
    assert!(client.claim(&all).iter().all(|reply| reply.status() == Some(Status::Granted)));
    let keys = vec![RequestKey::new(1, 5, 1); 8_192];
    assert_eq!(client.ask(Opcode::Lookup, &keys).fault(), None);
    let ids = vec![BatchId { batch: 1.into() }; 1_024];
    assert_eq!(client.ask(Opcode::BatchShow, &ids).fault(), None);
    assert_eq!(client.ask(Opcode::BatchList, &[List::new(0, 1_024)]).fault(), None);
    assert_eq!(client.granted(1), 8_192);
}

#[test]
fn a_faulty_handshake_frame_after_the_handshake_is_a_second_one() {
    // Its items are not looked at: the frame is refused for being a handshake.
    let hello = patched(frame(Opcode::Hello, CORRELATION, &[Hello::new("x", "y").expect("short")]), BODY_AT, &[1]);
    let shop = Shop::open(1, options());
    let mut client: Link = shop.client();
    client.send(&hello);
    assert_eq!(client.reply().refusal(), (Some(Status::HandshakeRequired), CORRELATION));
    client.ping();
}
