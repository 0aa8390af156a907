//! Answers that cannot be true are believed by nobody: what changes something is an unknown outcome, what only reads a
//! protocol error.

use stockade_client::{Action, ClientError, CouponAction, CouponRequest, CouponState, ReserveRequest, Status};
use stockade_protocol::batch::{BatchInfo, State, Stats, Terms, WHOLE};
use stockade_protocol::claim::{ClaimReply, REPLAYED, SPLIT};
use stockade_protocol::coupon::{Changed, CouponInfo};
use stockade_protocol::feed::Acknowledged;
use stockade_protocol::hello::ClientInfo;
use stockade_protocol::wallet::WalletItem;
use zerocopy::{Immutable, IntoBytes};

use crate::support::{FakeServer, Received};

/// A client of a server that answers everything with these items.
async fn answered<T: IntoBytes + Immutable + Send + Sync + 'static>(items: Vec<T>) -> stockade_client::Client {
    let server = FakeServer::start().await;
    let client = server.client().attempts(1).build().expect("valid");
    let _ = server.serve(move |frame: &Received| frame.answered(&items));
    client
}

fn assert_unknown<T: std::fmt::Debug>(what: &str, result: &Result<T, ClientError>) {
    assert!(matches!(result, Err(ClientError::UnknownOutcome { .. })), "{what}: {result:?}");
}

fn assert_protocol<T: std::fmt::Debug>(what: &str, result: &Result<T, ClientError>) {
    assert!(matches!(result, Err(ClientError::Protocol { .. })), "{what}: {result:?}");
}

fn changed(mut reply: ClaimReply, change: impl Fn(&mut ClaimReply)) -> ClaimReply {
    change(&mut reply);
    reply
}

#[tokio::test]
async fn a_reservation_with_impossible_units_is_not_believed() {
    let request = ReserveRequest { batch: 1, user: 9, request: 7, quantity: 2, ttl_s: 60, ..Default::default() };
    let replies = [
        ("reserved nothing", ClaimReply::reserved(0, 9, 0)),
        ("granted", ClaimReply::granted(2, 9, 2)),
        ("done", ClaimReply::refused(Status::Done)),
        ("more than asked for", ClaimReply::reserved(3, 9, 3)),
        ("fewer than asked for", ClaimReply::reserved(1, 9, 1)),
        ("beyond the largest", ClaimReply::reserved(2, u32::MAX, 2)),
        ("split in one run", changed(ClaimReply::reserved(2, 9, 2), |reply| reply.flags = SPLIT)),
        ("a refusal with units", changed(ClaimReply::refused(Status::SoldOut), |reply| reply.granted = 1)),
    ];
    for (what, reply) in replies {
        assert_unknown(what, &answered(vec![reply]).await.reserve(request).await);
    }
}

#[tokio::test]
async fn a_success_of_another_kind_is_not_believed() {
    let (granted, reserved) = (ClaimReply::granted(1, 9, 1), ClaimReply::reserved(1, 9, 1));
    let done = ClaimReply::refused(Status::Done);
    for reply in [reserved, done, changed(granted, |reply| reply.granted = 0)] {
        assert_unknown("confirm", &answered(vec![reply]).await.confirm(1, 9, 7).await);
    }
    for reply in [granted, reserved, changed(done, |reply| reply.granted = 1)] {
        assert_unknown("cancel", &answered(vec![reply]).await.cancel(1, 9, 7).await);
    }
    for reply in [granted, done, ClaimReply::reserved(0, 0, 0)] {
        assert_unknown("extend", &answered(vec![reply]).await.extend(1, 9, 7, 60).await);
    }
    for reply in [reserved, done] {
        assert_unknown("claim", &answered(vec![reply]).await.claim(crate::support::CLAIM).await);
    }
    for reply in [done, changed(done, |reply| reply.flags = REPLAYED), ClaimReply::reserved(0, 0, 0)] {
        assert_protocol("lookup", &answered(vec![reply]).await.lookup(1, 9, 7).await);
    }
    let forgotten = vec![Acknowledged::new(Status::Granted, 0)];
    assert_unknown("forget", &answered(forgotten).await.forget_consumer("mails").await);
}

#[tokio::test]
async fn a_coupon_that_is_not_where_the_action_leaves_it_is_not_believed() {
    let coupon = CouponRequest { batch: 1, user: 9, serial: 30, order: 88 };
    let about = |state, serial| Changed::about(Status::Done, state, serial);
    let cases = [
        (CouponAction::Lock, about(CouponState::Granted, 30)),
        (CouponAction::Redeem, about(CouponState::Locked, 30)),
        (CouponAction::Return, about(CouponState::Granted, 30)),
        (CouponAction::Void, about(CouponState::Granted, 30)),
        (CouponAction::Unlock, about(CouponState::Granted, 31)),
        (CouponAction::Lock, about(CouponState::Locked, 31)),
        (CouponAction::Restore, Changed::refused(Status::Done)),
        (CouponAction::Lock, Changed::about(Status::Granted, CouponState::Locked, 30)),
    ];
    for (action, reply) in cases {
        assert_unknown(action.name(), &answered(vec![reply]).await.change_coupon(coupon, action).await);
    }
}

#[tokio::test]
async fn a_batch_that_is_another_or_not_there_is_not_believed() {
    let terms = Terms::default();
    let about = |batch| BatchInfo::about(Status::Done, batch, State::Active, &terms);
    assert_unknown("another", &answered(vec![about(5)]).await.add_stock(4, 1, 1).await);
    let none = BatchInfo::refused(Status::Done, 4);
    assert_unknown("none", &answered(vec![none]).await.withdraw_stock(4, 1, 1).await);
    assert_unknown("not gone", &answered(vec![about(4)]).await.change_batch(4, Action::Purge).await);
    let reserved = BatchInfo::about(Status::Reserved, 4, State::Active, &terms);
    assert_unknown("reserved", &answered(vec![reserved]).await.change_batch(4, Action::End).await);
    assert_protocol("another", &answered(vec![about(5)]).await.show_batch(4).await);
}

#[tokio::test]
async fn pages_that_are_not_what_was_asked_for_are_not_believed() {
    let coupon = |serial| CouponInfo::about(1, serial, CouponState::Granted);
    let pages = [
        ("too many", vec![coupon(5), coupon(6), coupon(7)]),
        ("out of order", vec![coupon(6), coupon(5)]),
        ("twice", vec![coupon(5), coupon(5)]),
        ("before the first", vec![coupon(4)]),
        ("no coupon", vec![CouponInfo::refused(Status::Done, 1, 5)]),
        ("refused", vec![CouponInfo::refused(Status::SerialUnknown, 1, 5)]),
        ("of another batch", vec![CouponInfo::about(2, 5, CouponState::Granted)]),
    ];
    for (what, page) in pages {
        assert_protocol(what, &answered(page).await.list_coupons(1, 5, 2, 0).await);
    }
    assert_protocol("another coupon", &answered(vec![coupon(6)]).await.show_coupon(1, 5).await);

    let day = |day: i32| Stats { day: day.into(), ..Stats::default() };
    let pages = [
        ("no whole", vec![day(3)]),
        ("too many", vec![day(WHOLE), day(3), day(4), day(5)]),
        ("out of order", vec![day(WHOLE), day(4), day(3)]),
        ("before the first", vec![day(WHOLE), day(2)]),
        ("two wholes", vec![day(WHOLE), day(WHOLE)]),
    ];
    for (what, page) in pages {
        assert_protocol(what, &answered(page).await.batch_stats(1, 3, 3, 0).await);
    }
    assert_protocol("a day", &answered(vec![day(3)]).await.reconcile_batch(1).await);

    let item = WalletItem::new(1, 5, CouponState::Granted);
    assert_protocol("wallet", &answered(vec![item, item]).await.wallet(9, &[], 1, None, 0).await);
    assert_protocol("clients", &answered(vec![ClientInfo::new(1, "a"); 2]).await.clients(0, 1).await);
    assert_protocol("consumers", &answered(vec![ClientInfo::new(1, "a"); 2]).await.feed_consumers(0, 1).await);
}
