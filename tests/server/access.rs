//! Tokens and roles: what a claim-only token may not do, it cannot do, however it asks.

use stockade::access::Access;
use stockade::server::ServerOptions;
use stockade_protocol::batch::{Action, AddStock, BatchId, BatchInfo, Change, List, State};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::{Opcode, Status};

use crate::support::frame::{blank, frame, hello, requests};
use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, creation, options, terms};

const TILL: &str = "till-token";
const OWNER: &str = "owner-token";

/// A shop with one token of each role, and a batch.
fn guarded() -> (Shop, Link) {
    let access = Access::new(vec![TILL.to_owned()], vec![OWNER.to_owned()]);
    let shop = Shop::open(1, ServerOptions { access, ..options() });
    let mut owner = Link::greeted(shop.address(), OWNER);
    let created = owner.ask(Opcode::BatchCreate, &[creation(1, &terms(10))]).items::<BatchInfo>(Opcode::BatchCreate);
    assert_eq!(created[0].status(), Some(Status::Done));
    (shop, owner)
}

/// One frame of each opcode that only operators may send, each of which would succeed.
fn operations() -> [(Opcode, Vec<u8>); 3] {
    [
        (Opcode::BatchCreate, frame(Opcode::BatchCreate, 5, &[creation(2, &terms(1))])),
        (Opcode::BatchChange, frame(Opcode::BatchChange, 5, &[Change::new(1, Action::End)])),
        (Opcode::BatchAddStock, frame(Opcode::BatchAddStock, 5, &[AddStock::new(1, 1, 90)])),
    ]
}

#[test]
fn a_claim_token_is_forbidden_to_operate() {
    let (shop, mut owner) = guarded();
    let mut till = Link::greeted(shop.address(), TILL);
    for (opcode, bytes) in operations() {
        till.send(&bytes);
        assert_eq!(till.reply().refusal(), (Some(Status::Forbidden), 5), "{opcode:?}");
        till.ping();
    }
    let listed = owner.ask(Opcode::BatchList, &[List::new(0, 10)]).items::<BatchInfo>(Opcode::BatchList);
    let [batch] = &listed[..] else { panic!("nothing was created: {listed:?}") };
    assert_eq!((batch.total.get(), batch.state()), (10, Some(State::Active)));
    // The same frames do it for an operator: they were refused for the token alone.
    for (opcode, bytes) in operations() {
        owner.send(&bytes);
        let info = owner.reply().items::<BatchInfo>(opcode)[0];
        // By then the batch has ended.
        let expected = if opcode == Opcode::BatchAddStock { Status::Ended } else { Status::Done };
        assert_eq!(info.status(), Some(expected), "{opcode:?}");
    }
}

#[test]
fn a_claim_token_may_do_the_rest() {
    let (shop, _owner) = guarded();
    let mut till = Link::greeted(shop.address(), TILL);
    assert_eq!(statuses(&till.claim(&[Claim::new(1, 1, 1, 2)])), [Status::Granted]);
    assert_eq!(till.lookup(1, 1, 1).status(), Some(Status::Granted));
    assert_eq!(till.granted(1), 2);
    assert_eq!(till.ask(Opcode::Serials, &[RequestKey::new(1, 1, 1)]).fault(), None);
    assert_eq!(till.ask(Opcode::BatchList, &[List::new(0, 1)]).fault(), None);
    till.ping();
}

#[test]
fn every_opcode_is_for_operators_or_for_all() {
    let (shop, mut owner) = guarded();
    let mut till = Link::greeted(shop.address(), TILL);
    // The specification's table, by number.
    let operators = [0x03, 0x20, 0x23, 0x24, 0x25, 0x26, 0x29, 0x32, 0x40, 0x41, 0x42, 0x43];
    for opcode in requests() {
        let is_theirs = operators.contains(&(opcode as u8));
        // Whatever else is wrong with the frame: who may not send it is told that.
        till.send(&blank(opcode, 5));
        let (refused, correlation) = till.reply().refusal();
        assert_eq!((refused == Some(Status::Forbidden), correlation), (is_theirs, 5), "{opcode:?}: {refused:?}");
        owner.send(&blank(opcode, 6));
        let (refused, correlation) = owner.reply().refusal();
        assert_eq!((refused == Some(Status::Forbidden), correlation), (false, 6), "{opcode:?}");
    }
}

#[test]
fn a_wrong_token_is_refused_and_closed() {
    let (shop, mut owner) = guarded();
    let longer = format!("{OWNER}x");
    for token in ["", "owner", &longer, "OWNER-TOKEN", "till-token ", "\u{1F511}"] {
        let mut stranger = Link::open(shop.address());
        // The frame behind it is never looked at.
        let end = frame(Opcode::BatchChange, 2, &[Change::new(1, Action::End)]);
        stranger.send(&[hello(token), end].concat());
        assert_eq!(stranger.reply().refusal(), (Some(Status::TokenInvalid), 1), "token {token:?}");
        stranger.must_end();
    }
    owner.ping();
    assert_eq!(owner.show(1).state(), Some(State::Active));
}

#[test]
fn a_second_handshake_changes_no_role() {
    let (shop, _owner) = guarded();
    let mut till = Link::greeted(shop.address(), TILL);
    till.send(&hello(OWNER));
    assert_eq!(till.reply().refusal(), (Some(Status::HandshakeRequired), 1));
    till.send(&frame(Opcode::BatchChange, 2, &[Change::new(1, Action::End)]));
    assert_eq!(till.reply().refusal(), (Some(Status::Forbidden), 2));

    let mut owner = Link::greeted(shop.address(), OWNER);
    owner.send(&hello("nobody's"));
    assert_eq!(owner.reply().refusal(), (Some(Status::HandshakeRequired), 1), "not TOKEN_INVALID, and no close");
    let info = owner.ask(Opcode::BatchChange, &[Change::new(1, Action::Pause)]).items::<BatchInfo>(Opcode::BatchChange);
    assert_eq!(info[0].status(), Some(Status::Done), "still an operator");
    assert_eq!(owner.ask(Opcode::BatchShow, &[BatchId { batch: 1.into() }]).fault(), None);
}
