//! Where there is nothing to read, whoever asks is told so; all else goes on.

use stockade_protocol::batch::{BatchInfo, State};
use stockade_protocol::claim::Claim;
use stockade_protocol::feed::{Acknowledge, Event, Forget, Subscribe};
use stockade_protocol::hello::Page;
use stockade_protocol::{Opcode, Status};

use crate::support::link::{Link, statuses};
use crate::support::reading::ask_all;
use crate::support::shop::{Shop, options, terms};

/// One frame of each of the feed's opcodes, each well-formed.
fn ask_feed(link: &mut Link) -> Vec<Option<Status>> {
    let subscribe = Subscribe::from(0, 0, 9, "mail").expect("a short name");
    vec![
        link.ask(Opcode::FeedSubscribe, &[subscribe]).fault(),
        link.ask(Opcode::FeedAcknowledge, &[Acknowledge::new(1, 0, 0)]).fault(),
        link.ask(Opcode::FeedList, &[Page { from: 0.into(), limit: 9.into() }]).fault(),
        link.ask(Opcode::FeedForget, &[Forget::new("mail").expect("a short name")]).fault(),
    ]
}

fn sells(link: &mut Link) {
    assert_eq!(statuses(&link.claim(&[Claim::new(1, 1, 1, 1)])), [Status::Granted]);
    let BatchInfo { granted, .. } = link.show(1);
    assert_eq!((granted.get(), link.show(1).state()), (1, Some(State::Active)));
}

#[test]
fn a_memory_engine_has_neither_index_nor_feed() {
    let shop = Shop::open(2, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    for (opcode, reply) in ask_all(&mut client) {
        assert_eq!(reply.fault(), Some(Status::Unavailable), "{opcode:?}");
    }
    assert_eq!(ask_feed(&mut client), [Some(Status::Unavailable); 4]);
    sells(&mut client);
}

#[test]
fn who_wants_no_index_has_a_feed() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept_without_index(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(10));
    for (opcode, reply) in ask_all(&mut client) {
        assert_eq!(reply.fault(), Some(Status::Unavailable), "{opcode:?}");
    }
    sells(&mut client);
    let mut consumer = shop.client();
    let subscribe = Subscribe::from(0, 0, 9, "").expect("a short name");
    assert_eq!(consumer.ask(Opcode::FeedSubscribe, &[subscribe]).items::<Event>(Opcode::FeedSubscribe), []);
    assert!(!consumer.reply().items::<Event>(Opcode::FeedSubscribe).is_empty());
}

#[test]
fn an_index_that_was_not_wanted_before_catches_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept_without_index(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(10));
    sells(&mut client);
    drop((client, shop));
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client();
    let serial = client.lookup(1, 1, 1).serial.get();
    let shown = client.show_coupons(&[stockade_protocol::coupon::CouponKey::new(1, serial)])[0];
    assert_eq!((shown.status(), shown.user.get()), (Some(Status::Done), 1));
    assert!(ask_all(&mut client).iter().any(|(opcode, reply)| *opcode == Opcode::Wallet && reply.fault().is_none()));
}
