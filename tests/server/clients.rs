//! `CLIENT_LIST`: the numbers by which events name clients, and the names of their handshakes.

use stockade_protocol::Opcode;
use stockade_protocol::Status::{Done, Granted};
use stockade_protocol::claim::Claim;
use stockade_protocol::coupon::{Action, Change, CouponKey};
use stockade_protocol::feed::Event;
use stockade_protocol::hello::{ClientInfo, Hello, Page, Welcome};

use crate::support::frame::frame;
use crate::support::link::Link;
use crate::support::shop::{Shop, options, terms};

/// A connection that gave this name.
fn named(shop: &Shop, name: &str) -> Link {
    let mut link = Link::open(shop.address());
    link.send(&frame(Opcode::Hello, 1, &[Hello::new(name, "").expect("short texts")]));
    assert_eq!(link.reply().items::<Welcome>(Opcode::Hello).len(), 1);
    link
}

fn listed(link: &mut Link, from: u32, limit: u32) -> Vec<(u16, String)> {
    let page = Page { from: from.into(), limit: limit.into() };
    let infos = link.ask(Opcode::ClientList, &[page]).items::<ClientInfo>(Opcode::ClientList);
    infos.iter().map(|info| (info.client.get(), info.name().to_owned())).collect()
}

#[test]
fn who_changed_a_coupon_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut operator = shop.client_with_batch(1, &terms(10));
    let serial = operator.claim(&[Claim::new(1, 1, 1, 1)])[0].serial.get();
    assert_eq!(listed(&mut operator, 0, 9), [], "nobody changed a coupon yet");
    let act = |link: &mut Link, action, order| {
        let changed = link.change_coupon(Change::new(1, 1, serial, action, order));
        assert_eq!(changed.status(), Some(Done), "{action:?}");
    };
    let (mut till, mut desk, mut nobody) = (named(&shop, "till"), named(&shop, "desk"), named(&shop, ""));
    act(&mut till, Action::Lock, 1);
    act(&mut desk, Action::Unlock, 1);
    act(&mut nobody, Action::Lock, 2);
    act(&mut till, Action::Unlock, 2);
    // Another connection of the same name is the same client.
    act(&mut named(&shop, "till"), Action::Lock, 3);
    assert_eq!(listed(&mut operator, 0, 9), [(1, "till".to_owned()), (2, "desk".to_owned())]);
    assert_eq!(listed(&mut operator, 2, 9), [(2, "desk".to_owned())]);
    assert_eq!(listed(&mut operator, 0, 1), [(1, "till".to_owned())]);
    let events = operator.ask(Opcode::CouponLog, &[CouponKey::new(1, serial)]).items::<Event>(Opcode::CouponLog);
    assert_eq!(events.iter().map(|event| event.client.get()).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 1]);
    drop((operator, till, desk, nobody, shop));

    // The numbers are kept.
    let shop = Shop::kept(folder.path(), options());
    let mut operator = shop.client();
    assert_eq!(listed(&mut operator, 0, 9), [(1, "till".to_owned()), (2, "desk".to_owned())]);
    let mut desk = named(&shop, "desk");
    assert_eq!(desk.claim(&[Claim::new(1, 2, 1, 1)])[0].status(), Some(Granted));
}
