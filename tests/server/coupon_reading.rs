//! `COUPON_SHOW`, `COUPON_LIST` and `COUPON_LOG`: what became of units, by serial.

use stockade::access::Access;
use stockade::server::ServerOptions;
use stockade_protocol::Opcode;
use stockade_protocol::Status::{BatchUnknown, CursorInvalid, Done, Forbidden, Granted, Reserved, SerialUnknown};
use stockade_protocol::batch::BatchInfo;
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon::{Action, Change, CouponKey, List, State};
use stockade_protocol::feed::{Event, Kind};
use stockade_protocol::reservation::{Extend, Reserve};

use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, creation, options, terms};

/// A shop with one token of each role, and batch 1, of 200 units.
fn guarded(folder: &tempfile::TempDir) -> (Shop, Link, Link) {
    let access = Access::new(vec!["till".to_owned()], vec!["owner".to_owned()]);
    let shop = Shop::kept(folder.path(), ServerOptions { access, ..options() });
    let mut owner = Link::greeted(shop.address(), "owner");
    let created = owner.answers::<_, BatchInfo>(Opcode::BatchCreate, &[creation(1, &terms(200))]);
    assert_eq!(created[0].status(), Some(Done));
    let till = Link::greeted(shop.address(), "till");
    (shop, owner, till)
}

fn log(link: &mut Link, serial: u32) -> Vec<Event> {
    link.ask(Opcode::CouponLog, &[CouponKey::new(1, serial)]).items(Opcode::CouponLog)
}

/// A coupon of user 7 that order 5 locked and redeemed; its serial.
fn redeemed(till: &mut Link) -> u32 {
    let claim = till.claim(&[Claim::new(1, 7, 3, 1)])[0];
    let serial = claim.serial.get();
    for action in [Action::Lock, Action::Redeem] {
        assert_eq!(till.change_coupon(Change::new(1, 7, serial, action, 5)).status(), Some(Done));
    }
    serial
}

#[test]
fn units_are_shown_each_for_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_shop, mut owner, mut till) = guarded(&folder);
    let serial = redeemed(&mut till);
    let held = till.reserve(&[Reserve::new(1, 8, 4, 1, 60)])[0];
    assert_eq!(held.status(), Some(Reserved));
    let keys =
        [CouponKey::new(1, serial), CouponKey::new(1, 199), CouponKey::new(2, 0), CouponKey::new(1, held.serial.get())];
    let infos = owner.show_coupons(&keys);
    let told = infos.iter().map(|info| (info.status().expect("a known status"), info.state())).collect::<Vec<_>>();
    let expected =
        [(Done, Some(State::Redeemed)), (SerialUnknown, None), (BatchUnknown, None), (Done, Some(State::Reserved))];
    assert_eq!(told, expected);
    for (info, key) in infos.iter().zip(&keys) {
        assert_eq!((info.batch, info.serial), (key.batch, key.serial));
    }
    let [coupon, _, _, reservation] = infos[..] else { panic!("one answer for each") };
    let own = [coupon.user, coupon.request, coupon.order].map(zerocopy::little_endian::U64::get);
    assert_eq!(own, [7, 3, 5]);
    assert!(coupon.taken_ms <= coupon.changed_ms && coupon.expires_ms.get() == 0);
    assert_eq!(reservation.expires_ms.get() - reservation.taken_ms.get(), 60_000);
    // The till is told all but the order.
    let mut hidden = coupon;
    hidden.order.set(0);
    hidden.epoch = till.show_coupons(&keys[..1])[0].epoch;
    assert_eq!(till.show_coupons(&keys[..1])[0], hidden);
}

#[test]
fn what_came_back_names_its_new_serial() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_shop, mut owner, mut till) = guarded(&folder);
    let serial = till.claim(&[Claim::new(1, 7, 3, 1)])[0].serial.get();
    let returned = till.change_coupon(Change::new(1, 7, serial, Action::Return, 0));
    assert_eq!(till.reserve(&[Reserve::new(1, 8, 4, 2, 60)])[0].status(), Some(Reserved));
    let held = till.lookup(1, 8, 4).serial.get();
    assert_eq!(statuses(&till.settle(Opcode::Cancel, &[RequestKey::new(1, 8, 4)])), [Done]);
    let keys = [serial, held, held + 1].map(|serial| CouponKey::new(1, serial));
    let infos = owner.show_coupons(&keys);
    let states = infos.iter().map(stockade_protocol::coupon::CouponInfo::state).collect::<Vec<_>>();
    assert_eq!(states, [State::Returned, State::Cancelled, State::Cancelled].map(Some));
    assert_eq!(infos[0].new_serial, returned.serial);
    assert_eq!(infos[2].new_serial.get(), infos[1].new_serial.get() + 1, "each unit its own");
}

#[test]
fn a_frame_as_large_as_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_shop, mut owner, mut till) = guarded(&folder);
    let serial = till.claim(&[Claim::new(1, 7, 3, 1)])[0].serial.get();
    let infos = owner.show_coupons(&vec![CouponKey::new(1, serial); 1_024]);
    assert!(infos.iter().all(|info| info.state() == Some(State::Granted) && info.user.get() == 7));
}

#[test]
fn a_batchs_units_in_order_of_serial() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_shop, mut owner, mut till) = guarded(&folder);
    assert_eq!(owner.list_coupons(1, 0, 9), [], "nothing was taken");
    let mut taken = Vec::new();
    for user in 0..40 {
        let reply = till.claim(&[Claim::new(1, user, 1, 3)])[0];
        assert_eq!((reply.status(), reply.is_split()), (Some(Granted), false));
        taken.extend((reply.serial.get()..).zip([user; 3]));
    }
    taken.sort_unstable();
    for limit in [1, 7, 120, 1_024] {
        let (mut listed, mut from) = (Vec::new(), 0);
        loop {
            let page = owner.list_coupons(1, from, limit);
            assert!(page.iter().all(|info| info.status() == Some(Done) && info.state() == Some(State::Granted)));
            listed.extend(page.iter().map(|info| (info.serial.get(), info.user.get())));
            match page.last() {
                Some(last) if page.len() == limit as usize => from = last.serial.get() + 1,
                _ => break,
            }
        }
        assert_eq!(listed, taken, "pages of {limit}");
    }
    assert_eq!(
        till.ask(Opcode::CouponList, &[List { batch: 1.into(), from: 0.into(), limit: 1.into(), see_epoch: 0.into() }])
            .fault(),
        Some(Forbidden)
    );
    let mut list = List { batch: 9.into(), from: 0.into(), limit: 9.into(), see_epoch: 0.into() };
    assert_eq!(owner.ask(Opcode::CouponList, &[list]).fault(), Some(BatchUnknown));
    (list.batch, list.see_epoch) = (1.into(), u64::MAX.into());
    assert_eq!(owner.ask(Opcode::CouponList, &[list]).fault(), Some(CursorInvalid));
}

#[test]
fn all_that_happened_to_a_unit() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_shop, mut owner, mut till) = guarded(&folder);
    // The reservation is of two units; what happens to the second is not the first one's.
    let held = till.reserve(&[Reserve::new(1, 7, 3, 2, 60)])[0];
    assert_eq!((held.status(), held.run), (Some(Reserved), 2));
    let serial = held.serial.get();
    assert_eq!(statuses(&till.extend(&[Extend::new(1, 7, 3, 90)])), [Reserved]);
    assert_eq!(statuses(&till.settle(Opcode::Confirm, &[RequestKey::new(1, 7, 3)])), [Granted]);
    let changes = [
        (serial, Action::Lock, 5),
        (serial + 1, Action::Lock, 6),
        (serial, Action::Unlock, 5),
        (serial, Action::Lock, 8),
        (serial, Action::Redeem, 8),
        (serial, Action::Restore, 8),
    ];
    for (serial, action, order) in changes {
        assert_eq!(till.change_coupon(Change::new(1, 7, serial, action, order)).status(), Some(Done));
    }
    let events = log(&mut owner, serial);
    let told = events.iter().map(|event| (event.kind().expect("a known kind"), event.order.get())).collect::<Vec<_>>();
    let expected = [
        (Kind::Reserved, 0),
        (Kind::Extended, 0),
        (Kind::Confirmed, 0),
        (Kind::Locked, 5),
        (Kind::Unlocked, 5),
        (Kind::Locked, 8),
        (Kind::Redeemed, 8),
        (Kind::Restored, 8),
    ];
    assert_eq!(told, expected);
    assert!(events.iter().all(|event| (event.batch.get(), event.user.get()) == (1, 7)));
    assert_eq!((events[0].value.get(), events[1].value.get()), (60, 90), "seconds");
    assert!(
        events
            .windows(2)
            .all(|pair| (pair[0].epoch.get(), pair[0].index.get()) < (pair[1].epoch.get(), pair[1].index.get()))
    );
    assert!(log(&mut till, serial).iter().all(|event| event.order.get() == 0), "orders are for operators");
    for (key, refused) in [(CouponKey::new(1, 150), SerialUnknown), (CouponKey::new(9, 0), BatchUnknown)] {
        assert_eq!(till.ask(Opcode::CouponLog, &[key]).fault(), Some(refused));
    }
}
