//! The first frame is `HELLO`, and no other is.

use stockade::server::ServerOptions;
use stockade_protocol::batch::List;
use stockade_protocol::claim::Claim;
use stockade_protocol::hello::{Durability, Hello, Welcome};
use stockade_protocol::{Opcode, Status};

use crate::support::frame::{BODY_AT, BODY_BYTES_AT, FLAGS_AT, OPCODE_AT, blank, frame, hello, patched, requests};
use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, options, terms};

#[test]
fn no_other_frame_is_taken_first() {
    let shop = Shop::open(1, options());
    let mut bystander = shop.client_with_batch(1, &terms(10));
    for opcode in requests() {
        let mut link = Link::open(shop.address());
        // Neither the frame nor the handshake behind it is taken.
        link.send(&[blank(opcode, 3), hello("")].concat());
        let is_large = opcode.request_shape().item_bytes > 128;
        let status = if is_large { Status::FrameTooLarge } else { Status::HandshakeRequired };
        assert_eq!(link.reply().refusal(), (Some(status), 3), "{opcode:?}");
        link.must_end();
    }
    let mut link = Link::open(shop.address());
    link.send(&frame(Opcode::Claim, 3, &[Claim::new(1, 1, 1, 1)]));
    assert_eq!(link.reply().refusal(), (Some(Status::HandshakeRequired), 3));
    link.must_end();
    assert_eq!(bystander.granted(1), 0);
}

#[test]
fn a_broken_handshake_closes() {
    let shop = Shop::open(1, options());
    let mut bystander = shop.client();
    let too_long = 129_u32.to_le_bytes();
    let cases = [
        ("a reserved bit in the item", patched(hello(""), BODY_AT, &[1]), Status::Malformed),
        ("a name that is no text", patched(hello(""), BODY_AT + 8, &[0xFF]), Status::Malformed),
        ("a token behind a zero", patched(hello(""), BODY_AT + 8 + 56, &[0, b'x']), Status::Malformed),
        ("a flag in the header", patched(hello(""), FLAGS_AT, &[1]), Status::Malformed),
        ("an unknown opcode", patched(hello(""), OPCODE_AT, &[0x55]), Status::OpcodeUnknown),
        ("a body over 128 bytes", patched(hello(""), BODY_BYTES_AT, &too_long), Status::FrameTooLarge),
    ];
    for (what, bytes, status) in cases {
        let mut link = Link::open(shop.address());
        link.send(&bytes);
        assert_eq!(link.reply().refusal(), (Some(status), 1), "{what}");
        link.must_end();
    }
    bystander.ping();
}

#[test]
fn a_second_handshake_is_refused_and_the_connection_goes_on() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    let claim = |user| frame(Opcode::Claim, user, &[Claim::new(1, user, 1, 1)]);
    client.send(&[claim(7), hello(""), claim(8)].concat());
    let mut replies = [client.reply(), client.reply(), client.reply()];
    replies.sort_by_key(|reply| reply.correlation);
    assert_eq!(replies[0].refusal(), (Some(Status::HandshakeRequired), 1));
    for reply in &replies[1..] {
        assert_eq!(statuses(&reply.items(Opcode::Claim)), [Status::Granted]);
    }
}

#[test]
fn the_welcome_tells_the_limits_of_this_server() {
    let (durability, window) = (Durability::Os, 321);
    let own = ServerOptions { durability, in_flight_per_connection_max: window, ..options() };
    let shop = Shop::open(3, own);
    let mut link = Link::open(shop.address());
    // Frames behind the handshake are taken, although a client had better wait.
    let list = frame(Opcode::BatchList, 2, &[List::new(0, 1)]);
    link.send(&[frame(Opcode::Hello, 1, &[Hello::new("", "ignored").expect("short texts")]), list].concat());
    let welcome = link.reply().items::<Welcome>(Opcode::Hello)[0];
    assert_eq!((welcome.protocol_version, welcome.durability()), (1, Some(durability)));
    assert_eq!((welcome.cores.get(), welcome.claims_per_frame_max.get()), (3, 8_192));
    assert_eq!((welcome.in_flight_claims_max.get(), welcome.store_id.get()), (321, 9));
    assert_eq!(welcome.server_version(), env!("CARGO_PKG_VERSION"));
    assert_eq!(link.reply().fault(), None);
}
