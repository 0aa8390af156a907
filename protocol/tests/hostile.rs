//! Whatever the bytes: decoding never panics, never sees a frame that is not there, and never loses its step.

use std::hint::black_box;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use stockade_protocol::batch::{self, AddStock, BatchId, BatchInfo, Create, Edit, RefusalCount, Stats, StatsQuery};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey, SerialRun};
use stockade_protocol::coupon::{self, Changed, CouponInfo, CouponKey};
use stockade_protocol::fault::Fault;
use stockade_protocol::feed::{Acknowledge, Acknowledged, ConsumerInfo, Event, Forget, Subscribe};
use stockade_protocol::frame::{FrameError, MAGIC, REPLY_BIT, Shape, Side, decode};
use stockade_protocol::hello::{ClientInfo, Hello, Page, Welcome};
use stockade_protocol::limits::{
    HANDSHAKE_BODY_BYTES_MAX, HEADER_BYTES, REPLY_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX, VERSION,
};
use stockade_protocol::ping::Ping;
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::wallet::{WalletItem, WalletQuery};
use stockade_protocol::{Frame, Header, Opcode, Status};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const VECTORS: &str = include_str!("../vectors.json");

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) }
}

/// The fields of a header, free to be wrong.
#[derive(Clone, Copy, Debug)]
struct RawHeader {
    magic: [u8; 4],
    version: u8,
    opcode: u8,
    flags: u16,
    body_bytes: u32,
    count: u32,
    correlation: u64,
    deadline_ms: u32,
    reserved: u32,
}

impl RawHeader {
    fn right(opcode: u8, body_bytes: u32, count: u32) -> Self {
        let (version, correlation) = (VERSION, 0x0706_0504_0302_0100);
        Self { magic: MAGIC, version, opcode, flags: 0, body_bytes, count, correlation, deadline_ms: 0, reserved: 0 }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend([self.version, self.opcode]);
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.body_bytes.to_le_bytes());
        bytes.extend(self.count.to_le_bytes());
        bytes.extend(self.correlation.to_le_bytes());
        bytes.extend(self.deadline_ms.to_le_bytes());
        bytes.extend(self.reserved.to_le_bytes());
        bytes
    }

    fn with_body(&self, body: &[u8]) -> Vec<u8> {
        [self.bytes(), body.to_vec()].concat()
    }
}

/// What `decode` said, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Frame { opcode: Opcode, count: u32, correlation: u64, deadline_ms: u32, body: Vec<u8>, length: usize },
    More,
    Refused(FrameError),
}

fn verdict(side: Side, buffer: &[u8], body_bytes_max: usize) -> Verdict {
    match decode(side, buffer, body_bytes_max) {
        Ok(Some((frame, length))) => {
            let Frame { opcode, count, correlation, deadline_ms, .. } = frame;
            Verdict::Frame { opcode, count, correlation, deadline_ms, body: frame.body().to_vec(), length }
        }
        Ok(None) => Verdict::More,
        Err(error) => Verdict::Refused(error),
    }
}

fn shape(side: Side, opcode: Opcode) -> Shape {
    match side {
        Side::Server => opcode.request_shape(),
        Side::Client => opcode.reply_shape(),
    }
}

/// Holds what `decode` said against the rules, and reads every item in every way: none may panic.
fn check_verdict(side: Side, buffer: &[u8], body_bytes_max: usize) {
    match decode(side, buffer, body_bytes_max) {
        Ok(Some((frame, length))) => {
            assert!(length <= buffer.len());
            assert_eq!(frame.body(), &buffer[HEADER_BYTES..length]);
            assert!(frame.body().len() <= body_bytes_max);
            let shape = shape(side, frame.opcode);
            assert!((shape.count_min..=shape.count_max).contains(&frame.count));
            assert_eq!(frame.body().len(), frame.count as usize * shape.item_bytes as usize);
            read_everything(&frame);
        }
        Ok(None) => assert!(buffer.len() < HEADER_BYTES + body_bytes_max, "a whole frame's bytes are here"),
        Err(FrameError { skip: Some(skip), .. }) => {
            assert!((HEADER_BYTES..=HEADER_BYTES + body_bytes_max).contains(&skip));
            assert!(skip <= buffer.len());
        }
        Err(FrameError { status, skip: None, .. }) => {
            assert!(matches!(status, Status::Malformed | Status::VersionUnsupported | Status::FrameTooLarge));
        }
    }
}

fn for_each<T: FromBytes + KnownLayout + Immutable + Unaligned, R>(frame: &Frame<'_>, read: impl Fn(&T) -> R) {
    if let Ok(items) = frame.items::<T>() {
        for item in items {
            black_box(read(item));
        }
        assert_eq!(size_of_val(items), frame.body().len());
    }
    let single = frame.body().len() == size_of::<T>();
    assert_eq!(frame.item::<T>().is_ok(), single);
}

fn read_everything(frame: &Frame<'_>) {
    read_connections_and_claims(frame);
    read_batches(frame);
    read_coupons_and_feed(frame);
}

fn read_connections_and_claims(frame: &Frame<'_>) {
    for_each::<Hello, _>(frame, |item| item.texts().map(|(name, token)| name.len() + token.len()));
    for_each::<Welcome, _>(frame, |item| (item.durability(), item.server_version().len()));
    for_each::<Ping, _>(frame, |item| item.nonce.get());
    for_each::<Claim, _>(frame, |item| (item.is_well_formed(), item.is_up_to()));
    for_each::<RequestKey, _>(frame, |item| item.request.get());
    for_each::<ClaimReply, _>(frame, |item| (item.status(), item.is_replayed(), item.is_split()));
    for_each::<SerialRun, _>(frame, |item| item.count.get());
    for_each::<Reserve, _>(frame, |item| (item.is_well_formed(), item.is_up_to()));
    for_each::<Extend, _>(frame, Extend::is_well_formed);
    for_each::<Page, _>(frame, Page::is_well_formed);
    for_each::<ClientInfo, _>(frame, |item| (item.client.get(), item.name().len()));
    for_each::<Fault, _>(frame, |item| (item.status(), item.version(), item.text().len()));
}

fn read_batches(frame: &Frame<'_>) {
    for_each::<Create, _>(frame, |item| (item.is_well_formed(), item.terms(), format!("{item:?}")));
    for_each::<Edit, _>(frame, |item| (item.is_well_formed(), item.fields(), item.terms(), format!("{item:?}")));
    for_each::<BatchId, _>(frame, |item| item.batch.get());
    for_each::<batch::List, _>(frame, batch::List::is_well_formed);
    for_each::<batch::Change, _>(frame, batch::Change::action);
    for_each::<AddStock, _>(frame, AddStock::is_well_formed);
    for_each::<BatchInfo, _>(frame, |item| (item.status(), item.state(), item.terms(), item.name().len()));
    for_each::<StatsQuery, _>(frame, StatsQuery::is_well_formed);
    for_each::<Stats, _>(frame, |item| (item.day.get(), item.confirmed.get()));
    for_each::<RefusalCount, _>(frame, |item| (item.status(), item.count.get()));
}

fn read_coupons_and_feed(frame: &Frame<'_>) {
    for_each::<coupon::Change, _>(frame, coupon::Change::action);
    for_each::<Changed, _>(frame, |item| (item.status(), item.state(), item.is_replayed()));
    for_each::<CouponKey, _>(frame, CouponKey::is_well_formed);
    for_each::<coupon::List, _>(frame, coupon::List::is_well_formed);
    for_each::<CouponInfo, _>(frame, |item| (item.status(), item.state()));
    for_each::<WalletQuery, _>(frame, WalletQuery::is_well_formed);
    for_each::<WalletItem, _>(frame, |item| (item.state(), item.cursor));
    for_each::<Subscribe, _>(frame, |item| (item.is_well_formed(), item.is_stored(), item.consumer().len()));
    for_each::<Event, _>(frame, |item| (item.kind(), item.units, item.value.get()));
    for_each::<Acknowledge, _>(frame, Acknowledge::is_well_formed);
    for_each::<Acknowledged, _>(frame, Acknowledged::status);
    for_each::<ConsumerInfo, _>(frame, |item| (item.is_connected(), item.consumer().len()));
    for_each::<Forget, _>(frame, |item| (item.is_well_formed(), item.consumer().len()));
}

/// The golden requests and replies. Read once: thousands of cases are drawn from them.
static GOLDEN: LazyLock<[Vec<Vec<u8>>; 2]> = LazyLock::new(|| {
    let vectors: Value = serde_json::from_str(VECTORS).expect("valid JSON");
    let byte_of = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal");
    let bytes_of = |entry: &Value| entry["hex"].as_str().expect("hex").as_bytes().chunks(2).map(byte_of).collect();
    ["requests", "replies"].map(|name| vectors[name].as_array().expect(name).iter().map(bytes_of).collect())
});

/// The golden frames of one direction.
fn golden(side: Side) -> &'static [Vec<u8>] {
    let [requests, replies] = &*GOLDEN;
    match side {
        Side::Server => requests,
        Side::Client => replies,
    }
}

fn sides() -> impl Strategy<Value = Side> {
    select(vec![Side::Server, Side::Client])
}

/// A side and one of its golden frames.
fn golden_frames() -> impl Strategy<Value = (Side, Vec<u8>)> {
    sides().prop_flat_map(|side| (Just(side), select(golden(side))))
}

/// Headers whose fields are each right, or near to right, or anything.
fn raw_headers() -> impl Strategy<Value = RawHeader> {
    let opcodes = prop_oneof![
        3 => (select(Opcode::ALL), any::<bool>())
            .prop_map(|(opcode, reply)| opcode as u8 | if reply { REPLY_BIT } else { 0 }),
        1 => any::<u8>(),
    ];
    let magics = prop_oneof![9 => Just(MAGIC), 1 => any::<[u8; 4]>()];
    let versions = prop_oneof![9 => Just(VERSION), 1 => any::<u8>()];
    let flags = prop_oneof![9 => Just(0), 1 => any::<u16>()];
    let lengths = prop_oneof![5 => 0_u32..400, 2 => 131_000_u32..263_000, 1 => any::<u32>()];
    let counts = prop_oneof![5 => 0_u32..12, 2 => 1_000_u32..9_000, 1 => any::<u32>()];
    let reserved = prop_oneof![9 => Just(0), 1 => any::<u32>()];
    let numbers = (any::<u64>(), any::<u32>());
    (magics, versions, opcodes, flags, lengths, counts, numbers, reserved).prop_map(
        |(magic, version, opcode, flags, body_bytes, count, (correlation, deadline_ms), reserved)| RawHeader {
            magic,
            version,
            opcode,
            flags,
            body_bytes,
            count,
            correlation,
            deadline_ms,
            reserved,
        },
    )
}

/// Bytes of every kind: noise, a header with noise behind it, a golden frame with bytes changed, cut out and put in.
fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let headed = (raw_headers(), vec(any::<u8>(), 0..400)).prop_map(|(header, body)| header.with_body(&body));
    let changes = vec((any::<Index>(), any::<u8>(), 0_u8..3), 0..6);
    let mutated = (golden_frames(), changes).prop_map(|((_, mut bytes), changes)| {
        for (at, value, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => bytes.insert(at, value),
                _ => drop(bytes.drain(at..(at + usize::from(value % 8)).min(bytes.len()).max(at + 1))),
            }
            if bytes.is_empty() {
                bytes.push(value);
            }
        }
        bytes
    });
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => headed, 4 => mutated]
}

fn body_bounds() -> impl Strategy<Value = usize> {
    select(vec![HANDSHAKE_BODY_BYTES_MAX, REPLY_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX])
}

/// A frame of `side` that is right, or refused in step, with what `decode` must say of it.
fn frames_in_step(side: Side) -> impl Strategy<Value = Vec<u8>> {
    let broken = (select(golden(side)), 0_usize..4, 1_u8..=255).prop_map(|(mut bytes, what, value)| {
        match what {
            0 => bytes[5] = 0x60 | (bytes[5] & REPLY_BIT), // an opcode that nobody has
            1 => bytes[6] = value,                         // flags
            2 => bytes[12] = bytes[12].wrapping_add(value), // count
            _ => bytes[31] = value,                        // reserved
        }
        bytes
    });
    prop_oneof![select(golden(side)), broken]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_judged_by_the_rules(side in sides(), bytes in hostile_bytes(), bound in body_bounds()) {
        check_verdict(side, &bytes, bound);
    }

    /// A longer buffer never changes a verdict: so no truncation can show a wrong frame.
    #[test]
    fn a_verdict_stands_whatever_follows(
        side in sides(), bytes in hostile_bytes(), follows in vec(any::<u8>(), 0..80), cut in any::<Index>(),
    ) {
        let whole = verdict(side, &bytes, REQUEST_BODY_BYTES_MAX);
        let part = verdict(side, &bytes[..cut.index(bytes.len() + 1)], REQUEST_BODY_BYTES_MAX);
        prop_assert!(part == Verdict::More || part == whole, "{part:?}, then {whole:?}");
        if whole != Verdict::More {
            let longer = [bytes, follows].concat();
            prop_assert_eq!(verdict(side, &longer, REQUEST_BODY_BYTES_MAX), whole);
        }
    }

    /// Frames, good and refused in step, behind each other: each is met where it begins, and judged as if it were
    /// alone.
    #[test]
    fn a_stream_stays_in_step(
        (side, frames) in sides().prop_flat_map(|side| (Just(side), vec(frames_in_step(side), 1..8))),
    ) {
        let stream = frames.concat();
        let mut at = 0;
        for frame in &frames {
            let seen = verdict(side, &stream[at..], REQUEST_BODY_BYTES_MAX);
            prop_assert_eq!(&seen, &verdict(side, frame, REQUEST_BODY_BYTES_MAX));
            let length = match seen {
                Verdict::Frame { length, .. } => length,
                Verdict::Refused(error) => error.skip.expect("refused in step"),
                Verdict::More => panic!("the whole frame is here"),
            };
            prop_assert_eq!(length, frame.len());
            at += length;
        }
        prop_assert_eq!(at, stream.len());
    }

    #[test]
    fn a_length_above_the_bound_is_refused_by_the_header_alone(
        side in sides(), header in raw_headers(), beyond in 1_u32..=1 << 20, bound in body_bounds(),
    ) {
        let whole_max = match side {
            Side::Server => REQUEST_BODY_BYTES_MAX,
            Side::Client => REPLY_BODY_BYTES_MAX,
        };
        let body_bytes = u32::try_from(bound.min(whole_max)).expect("a bound of the protocol") + beyond;
        let header = RawHeader { magic: MAGIC, version: VERSION, body_bytes, ..header };
        let expected = FrameError { status: Status::FrameTooLarge, correlation: header.correlation, skip: None };
        prop_assert_eq!(verdict(side, &header.bytes(), bound), Verdict::Refused(expected));
    }

    /// The count is believed no more than the length: it is judged by the header, whatever the body holds.
    #[test]
    fn a_count_above_the_maximum_is_refused_in_step(
        side in sides(), opcode in select(Opcode::ALL), beyond in 1_u32..=u32::MAX - 8_192,
        body in vec(any::<u8>(), 0..100),
    ) {
        let number = match side {
            Side::Server => opcode as u8,
            Side::Client => opcode as u8 | REPLY_BIT,
        };
        let body_bytes = u32::try_from(body.len()).expect("a short body");
        let header = RawHeader::right(number, body_bytes, shape(side, opcode).count_max + beyond);
        let refused = (side, opcode) == (Side::Server, Opcode::Fault);
        let status = if refused { Status::OpcodeUnknown } else { Status::FrameTooLarge };
        let expected = FrameError { status, correlation: header.correlation, skip: Some(HEADER_BYTES + body.len()) };
        prop_assert_eq!(verdict(side, &header.with_body(&body), REQUEST_BODY_BYTES_MAX), Verdict::Refused(expected));
    }
}

#[test]
fn every_truncation_of_a_frame_waits_for_more() {
    for side in [Side::Server, Side::Client] {
        for bytes in golden(side) {
            for cut in 0..bytes.len() {
                assert_eq!(verdict(side, &bytes[..cut], REQUEST_BODY_BYTES_MAX), Verdict::More, "{cut} of {bytes:?}");
            }
            check_verdict(side, bytes, REQUEST_BODY_BYTES_MAX);
            assert!(matches!(verdict(side, bytes, REQUEST_BODY_BYTES_MAX), Verdict::Frame { .. }));
        }
    }
}

#[test]
fn the_fullest_frame_of_each_opcode_is_read() {
    for opcode in Opcode::ALL.iter().copied() {
        for side in [Side::Server, Side::Client] {
            let (shape, header) = match side {
                Side::Server => {
                    let shape = opcode.request_shape();
                    (shape, Header::request(opcode, shape.count_max, 1, 0))
                }
                Side::Client => {
                    let shape = opcode.reply_shape();
                    (shape, Header::reply(opcode, shape.count_max, 1))
                }
            };
            if shape.count_max == 0 {
                continue; // a fault is no request
            }
            let body = vec![0; shape.count_max as usize * shape.item_bytes as usize];
            let bytes = [header.as_bytes(), &body].concat();
            check_verdict(side, &bytes, REQUEST_BODY_BYTES_MAX);
            let (frame, length) = decode(side, &bytes, REQUEST_BODY_BYTES_MAX).expect("a frame").expect("a whole one");
            assert_eq!((frame.opcode, frame.count, length), (opcode, shape.count_max, bytes.len()));
        }
    }
}
