//! Bytes after which nobody knows where the next frame begins: a `FAULT`, then the end of the connection. What stood
//! before them was done, what stands behind them is never looked at, and other connections never notice.

use stockade_protocol::Status::{FrameTooLarge, Malformed, VersionUnsupported};
use stockade_protocol::claim::Claim;
use stockade_protocol::{Opcode, Status};

use crate::support::frame::{BODY_AT, BODY_BYTES_AT, VERSION_AT, frame, patched};
use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, options, terms};

const CORRELATION: u64 = u64::MAX;

/// Where the bystander's frame is cut in two: within its item.
const CUT: usize = BODY_AT + 1;

struct Case {
    what: String,
    bytes: Vec<u8>,
    /// Status and correlation of the `FAULT`.
    refusal: (Option<Status>, u64),
}

fn claim(user: u64) -> Vec<u8> {
    frame(Opcode::Claim, CORRELATION, &[Claim::new(1, user, 1, 1)])
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |what: String, bytes: &[u8], status, correlation| {
        cases.push(Case { what, bytes: bytes.to_vec(), refusal: (Some(status), correlation) });
    };
    for at in 0..4 {
        // Judged on the bytes that have arrived: before there is a correlation.
        let wrong = patched(claim(50), at, b"?");
        add(format!("byte {at} of the magic"), &wrong[..=at], Malformed, 0);
        add(format!("byte {at} of the magic, whole frame"), &wrong, Malformed, 0);
    }
    for version in [0, 2, 255] {
        let wrong = patched(claim(50), VERSION_AT, &[version]);
        add(format!("version {version}"), &wrong, VersionUnsupported, CORRELATION);
        add(format!("a header of version {version}"), &wrong[..BODY_AT], VersionUnsupported, CORRELATION);
    }
    for length in [262_145, 262_144 + 32, 1 << 31, u32::MAX] {
        // Refused on the header: the server does not wait for such a body.
        let wrong = patched(claim(50), BODY_BYTES_AT, &u32::to_le_bytes(length));
        add(format!("a body of {length} bytes"), &wrong[..BODY_AT], FrameTooLarge, CORRELATION);
    }
    cases
}

#[test]
fn after_the_handshake() {
    let shop = Shop::open(2, options());
    let mut bystander = shop.client_with_batch(1, &terms(1_000));
    let slow = claim(999);
    shop.send_and_see(&mut bystander, &slow[..CUT]);
    let mut done = 0;
    for Case { what, bytes, refusal } in cases() {
        let mut client = shop.client();
        done += 1;
        // A partial header followed by more would be judged otherwise: nothing may stand behind those.
        let behind = if bytes.len() > BODY_AT { claim(60) } else { Vec::new() };
        client.send(&[claim(100 + done), bytes, behind].concat());
        assert_eq!(statuses(&client.reply().items(Opcode::Claim)), [Status::Granted], "before {what}");
        assert_eq!(client.reply().refusal(), refusal, "{what}");
        client.must_end();
    }
    bystander.send(&slow[CUT..]);
    assert_eq!(statuses(&bystander.reply().items(Opcode::Claim)), [Status::Granted]);
    assert_eq!(u64::from(bystander.granted(1)), done + 1);
    for user in [50, 60] {
        assert_eq!(bystander.lookup(1, user, 1).status(), Some(Status::RequestUnknown), "user {user}");
    }
}

#[test]
fn as_the_first_bytes() {
    let shop = Shop::open(2, options());
    let mut bystander = shop.client();
    for Case { what, bytes, refusal } in cases() {
        let mut stranger = Link::open(shop.address());
        stranger.send(&bytes);
        assert_eq!(stranger.reply().refusal(), refusal, "{what}");
        stranger.must_end();
    }
    bystander.ping();
}
