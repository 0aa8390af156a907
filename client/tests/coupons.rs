//! What orders do with coupons: what is asked, what is answered, and which refusals are outcomes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stockade_client::{ClientError, CouponAction, CouponOutcome, CouponRequest, CouponState, Status};
use stockade_protocol::coupon::{Change, Changed, REPLAYED};

use crate::support::{FakeServer, play};

const COUPON: CouponRequest = CouponRequest { batch: 1, user: 9, serial: 30, order: 88 };

#[tokio::test]
async fn every_action_says_what_was_asked_and_returns_what_was_answered() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        let [change] = frame.items::<Change>() else { panic!("{} changes", frame.count) };
        let action = change.action().expect("an action");
        assert_eq!(*change, Change::new(1, 9, 30, action, 88));
        let (state, serial) = match action {
            CouponAction::Lock => (CouponState::Locked, 30),
            CouponAction::Unlock | CouponAction::Restore => (CouponState::Granted, 30),
            CouponAction::Redeem => (CouponState::Redeemed, 30),
            CouponAction::Return => (CouponState::Returned, 99),
            CouponAction::Void => (CouponState::Voided, 30),
        };
        let mut changed = Changed::about(Status::Done, state, serial);
        (changed.order, changed.epoch) = (88.into(), 5.into());
        frame.answered(&[changed])
    });
    let done = |state, serial| {
        Ok(CouponOutcome { status: Status::Done, state: Some(state), serial, order: 88, replayed: false, epoch: 5 })
    };
    assert_eq!(client.lock_coupon(COUPON).await, done(CouponState::Locked, 30));
    assert_eq!(client.unlock_coupon(COUPON).await, done(CouponState::Granted, 30));
    assert_eq!(client.redeem_coupon(COUPON).await, done(CouponState::Redeemed, 30));
    assert_eq!(client.restore_coupon(COUPON).await, done(CouponState::Granted, 30));
    assert_eq!(client.return_coupon(COUPON).await, done(CouponState::Returned, 99));
    assert_eq!(client.void_coupon(COUPON).await, done(CouponState::Voided, 30));
}

#[tokio::test]
async fn refusals_of_the_business_kind_are_outcomes_at_once() {
    let refusals = [
        Status::SerialUnknown,
        Status::NotYours,
        Status::OrderEnded,
        Status::OrderConflict,
        Status::CouponStateConflict,
        Status::CouponExpired,
        Status::HistoryFull,
        Status::BatchUnknown,
        Status::Closed,
    ];
    for status in refusals {
        let server = FakeServer::start().await;
        let client = server.client().attempts(1).build().expect("valid");
        let _ = server.serve(move |frame| frame.answered(&[Changed::about(status, CouponState::Locked, 30)]));
        let outcome = client.lock_coupon(COUPON).await.expect("an outcome");
        assert_eq!((outcome.status, outcome.state), (status, Some(CouponState::Locked)));
    }
}

#[tokio::test]
async fn a_void_by_a_client_that_is_no_operator_is_refused_once() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let _ = server.serve(move |frame| {
        count.fetch_add(1, Ordering::Relaxed);
        frame.answered(&[Changed::refused(Status::Forbidden)])
    });
    let refused = ClientError::Refused { status: Status::Forbidden, text: String::new() };
    assert_eq!(client.void_coupon(COUPON).await, Err(refused));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn one_that_meets_another_under_way_is_tried_again() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (outcome, _peer) = play(client.redeem_coupon(COUPON), async {
        let mut peer = server.accept().await;
        let first = peer.frame().await;
        peer.reply(&first, &[Changed::refused(Status::Overloaded)]).await;
        let second = peer.frame().await;
        assert_eq!(second.items::<Change>(), first.items::<Change>());
        let mut changed = Changed::about(Status::Done, CouponState::Redeemed, 30);
        changed.flags = REPLAYED;
        peer.reply(&second, &[changed]).await;
        peer
    })
    .await;
    assert!(outcome.expect("redeemed").replayed);
}

#[tokio::test]
async fn a_state_of_a_newer_server_is_unknown() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let _ = server.serve(|frame| {
        let mut reply = frame.answered(&[Changed::about(Status::CouponStateConflict, CouponState::Locked, 30)]);
        reply[stockade_protocol::limits::HEADER_BYTES + 1] = 77;
        reply
    });
    let outcome = client.lock_coupon(COUPON).await.expect("an outcome");
    assert_eq!((outcome.status, outcome.state), (Status::CouponStateConflict, None));
}
