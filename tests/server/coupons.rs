//! Coupons over the wire: what becomes of a granted unit, who may do it, and who is told of the order.

use stockade::access::Access;
use stockade::metrics::Operation;
use stockade::server::ServerOptions;
use stockade_protocol::Status::{
    BatchUnknown, Closed, CouponStateConflict, Done, Forbidden, Granted, NotYours, OrderConflict, OrderEnded,
    Overloaded, Reserved, SerialUnknown,
};
use stockade_protocol::batch::{Action as BatchAction, BatchInfo, Change as BatchChange};
use stockade_protocol::claim::Claim;
use stockade_protocol::coupon::{Action, Change, Changed, State};
use stockade_protocol::reservation::Reserve;
use stockade_protocol::{Opcode, Status};

use crate::support::frame::frame;
use crate::support::link::{Link, statuses};
use crate::support::patience::wait_until;
use crate::support::shop::{Shop, creation, options, terms};

const TILL: &str = "till-token";
const OWNER: &str = "owner-token";

/// One order, and another.
const ORDER: u64 = 77;
const OTHER: u64 = 88;

/// A unit of user 1; its serial.
fn coupon(link: &mut Link, request: u64) -> u32 {
    let reply = link.claim(&[Claim::new(1, 1, request, 1)])[0];
    assert_eq!(reply.status(), Some(Granted));
    reply.serial.get()
}

/// Status, state, and whether it was done earlier.
fn told(changed: Changed) -> (Status, Option<State>, bool) {
    (changed.status().expect("a known status"), changed.state(), changed.is_replayed())
}

#[test]
fn a_life() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    let serial = coupon(&mut client, 1);
    let mut act = |action, order| client.change_coupon(Change::new(1, 1, serial, action, order));
    let steps = [
        (Action::Redeem, ORDER, CouponStateConflict, State::Granted, false),
        (Action::Lock, ORDER, Done, State::Locked, false),
        (Action::Lock, ORDER, Done, State::Locked, true),
        (Action::Lock, OTHER, OrderConflict, State::Locked, false),
        (Action::Redeem, OTHER, OrderConflict, State::Locked, false),
        (Action::Unlock, ORDER, Done, State::Granted, false),
        (Action::Unlock, ORDER, Done, State::Granted, true),
        (Action::Lock, ORDER, OrderEnded, State::Granted, false),
        (Action::Lock, OTHER, Done, State::Locked, false),
        (Action::Return, OTHER, CouponStateConflict, State::Locked, false),
        (Action::Void, OTHER, CouponStateConflict, State::Locked, false),
        (Action::Redeem, OTHER, Done, State::Redeemed, false),
        (Action::Redeem, OTHER, Done, State::Redeemed, true),
        (Action::Redeem, ORDER, CouponStateConflict, State::Redeemed, false),
        (Action::Restore, ORDER, OrderConflict, State::Redeemed, false),
        (Action::Restore, OTHER, Done, State::Granted, false),
        (Action::Restore, OTHER, Done, State::Granted, true),
        (Action::Lock, OTHER, OrderEnded, State::Granted, false),
    ];
    for (number, (action, order, status, state, replayed)) in (1..).zip(steps) {
        let changed = act(action, order);
        assert_eq!(told(changed), (status, Some(state), replayed), "step {number}: {action:?} by {order}");
        assert_eq!(changed.serial.get(), serial);
        let holder = match state {
            State::Locked | State::Redeemed if number < 9 => ORDER,
            State::Locked | State::Redeemed => OTHER,
            _ => 0,
        };
        assert_eq!(changed.order.get(), holder, "step {number}: an operator is told who has it");
    }
}

#[test]
fn a_returned_unit_is_claimable_again_under_a_new_serial() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(1));
    let serial = coupon(&mut client, 1);
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 2, 1, 1)])), [Status::SoldOut]);
    let returned = client.change_coupon(Change::new(1, 1, serial, Action::Return, ORDER));
    assert_eq!(told(returned), (Done, Some(State::Returned), false));
    assert_ne!(returned.serial.get(), serial);
    let again = client.change_coupon(Change::new(1, 1, serial, Action::Return, OTHER));
    assert_eq!((told(again), again.serial), ((Done, Some(State::Returned), true), returned.serial));
    wait_until("the unit comes back", || client.show(1).remaining.get() == 1);
    let next = client.claim(&[Claim::new(1, 2, 1, 1)])[0];
    assert_eq!((next.status(), next.serial), (Some(Granted), returned.serial));
    // What the first claim got, it got.
    let copy = client.claim(&[Claim::new(1, 1, 1, 1)])[0];
    assert_eq!((copy.status(), copy.serial.get(), copy.is_replayed()), (Some(Granted), serial, true));
    assert_eq!(client.granted(1), 1);
}

#[test]
fn a_voided_one_is_gone_for_good() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(2));
    let serial = coupon(&mut client, 1);
    assert_eq!(
        told(client.change_coupon(Change::new(1, 1, serial, Action::Void, 0))),
        (Done, Some(State::Voided), false)
    );
    assert_eq!(
        told(client.change_coupon(Change::new(1, 1, serial, Action::Void, 5))),
        (Done, Some(State::Voided), true)
    );
    for action in [Action::Lock, Action::Redeem, Action::Restore, Action::Return] {
        let changed = client.change_coupon(Change::new(1, 1, serial, action, ORDER));
        assert_eq!(told(changed), (CouponStateConflict, Some(State::Voided), false), "{action:?}");
    }
    let BatchInfo { granted, voided, remaining, .. } = client.show(1);
    assert_eq!((granted.get(), voided.get(), remaining.get()), (0, 1, 1));
}

#[test]
fn what_is_no_coupon_of_the_user() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &terms(10));
    let serial = coupon(&mut client, 1);
    let held = client.reserve(&[Reserve::new(1, 1, 2, 1, 60)])[0];
    assert_eq!(held.status(), Some(Reserved));
    let lock = |batch, user, serial| Change::new(batch, user, serial, Action::Lock, ORDER);
    let changes =
        [lock(9, 1, serial), lock(1, 2, serial), lock(1, 1, 9), lock(1, 1, held.serial.get()), lock(1, 1, serial)];
    let answers = client.answers::<Change, Changed>(Opcode::CouponChange, &changes);
    let answers = answers.into_iter().map(told).collect::<Vec<_>>();
    let expected = [
        (BatchUnknown, None, false),
        (NotYours, None, false),
        (SerialUnknown, None, false),
        (CouponStateConflict, Some(State::Reserved), false),
        (Done, Some(State::Locked), false),
    ];
    assert_eq!(answers, expected, "each item for itself");

    for action in [BatchAction::End, BatchAction::Close] {
        if action == BatchAction::Close {
            assert_eq!(
                statuses(&client.settle(Opcode::Cancel, &[stockade_protocol::claim::RequestKey::new(1, 1, 2)])),
                [Done]
            );
            assert_eq!(
                told(client.change_coupon(lock(1, 1, serial))),
                (Done, Some(State::Locked), true),
                "after the end"
            );
        }
        let infos = client.answers::<_, BatchInfo>(Opcode::BatchChange, &[BatchChange::new(1, action)]);
        assert_eq!(infos[0].status(), Some(Done), "{action:?}");
    }
    assert_eq!(told(client.change_coupon(lock(1, 1, serial))), (Closed, None, false));
}

/// A shop with one token of each role, and a batch.
fn guarded() -> (Shop, Link, Link) {
    let access = Access::new(vec![TILL.to_owned()], vec![OWNER.to_owned()]);
    let shop = Shop::open(1, ServerOptions { access, ..options() });
    let mut owner = Link::greeted(shop.address(), OWNER);
    let created = owner.answers::<_, BatchInfo>(Opcode::BatchCreate, &[creation(1, &terms(10))]);
    assert_eq!(created[0].status(), Some(Done));
    let till = Link::greeted(shop.address(), TILL);
    (shop, owner, till)
}

#[test]
fn a_claim_token_may_do_everything_but_void() {
    let (_shop, mut owner, mut till) = guarded();
    let serial = coupon(&mut till, 1);
    let change = |action| Change::new(1, 1, serial, action, ORDER);
    // In one frame with others: it is the item that is forbidden.
    let changes = [change(Action::Lock), change(Action::Void), change(Action::Unlock), change(Action::Void)];
    let answers = till.answers::<Change, Changed>(Opcode::CouponChange, &changes);
    let answers = answers.into_iter().map(told).collect::<Vec<_>>();
    let expected = [
        (Done, Some(State::Locked), false),
        (Forbidden, None, false),
        (Done, Some(State::Granted), false),
        (Forbidden, None, false),
    ];
    assert_eq!(answers, expected);
    // Whether there is such a coupon it is not told either.
    assert_eq!(told(till.change_coupon(Change::new(9, 1, 5, Action::Void, 1))), (Forbidden, None, false));
    assert_eq!(told(owner.change_coupon(change(Action::Void))), (Done, Some(State::Voided), false));
}

#[test]
fn the_order_is_told_to_itself_and_to_operators() {
    let (_shop, mut owner, mut till) = guarded();
    let serial = coupon(&mut till, 1);
    let lock = |order| Change::new(1, 1, serial, Action::Lock, order);
    assert_eq!(till.change_coupon(lock(ORDER)).order.get(), ORDER);
    let conflict = till.change_coupon(lock(OTHER));
    assert_eq!((conflict.status(), conflict.order.get()), (Some(OrderConflict), 0), "another order learns nothing");
    let seen = owner.change_coupon(lock(OTHER));
    assert_eq!((seen.status(), seen.order.get()), (Some(OrderConflict), ORDER));
}

#[test]
fn what_another_connection_began_and_is_not_durable_is_not_changed() {
    // Dealt out in turn: one connection for each core.
    let shop = Shop::open(2, options());
    let (mut first, mut second) = (shop.client_with_batch(1, &terms(10)), shop.client());
    let serial = coupon(&mut first, 1);
    let lock = |order| [Change::new(1, 1, serial, Action::Lock, order)];
    // Their names have numbers by now, so that both frames are nothing but changes.
    for link in [&mut first, &mut second] {
        let redeem = Change::new(1, 1, serial, Action::Redeem, 1);
        assert_eq!(link.change_coupon(redeem).status(), Some(CouponStateConflict));
    }
    shop.gate.close();
    first.send(&frame(Opcode::CouponChange, 1, &lock(ORDER)));
    shop.wait_until_answered(Operation::Coupon, Done, 1);
    second.send(&frame(Opcode::CouponChange, 2, &[Change::new(1, 1, serial, Action::Unlock, ORDER)]));
    shop.wait_until_answered(Operation::Coupon, Overloaded, 1);
    shop.gate.open();
    assert_eq!(told(first.reply().items::<Changed>(Opcode::CouponChange)[0]).0, Done);
    assert_eq!(told(second.reply().items::<Changed>(Opcode::CouponChange)[0]).0, Overloaded, "nothing was done");
    let unlock = Change::new(1, 1, serial, Action::Unlock, ORDER);
    assert_eq!(told(second.change_coupon(unlock)), (Done, Some(State::Granted), false), "now it can be");
}
