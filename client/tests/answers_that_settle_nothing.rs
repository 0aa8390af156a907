//! Some answers to a repeated request say nothing about the copy that was never answered.

use stockade_client::{
    Action, Client, ClientError, CouponAction, CouponRequest, CouponState, Fields, ReserveRequest, Status,
};
use stockade_protocol::batch::{BatchInfo, State, Terms};
use stockade_protocol::claim::ClaimReply;
use stockade_protocol::coupon::Changed;
use zerocopy::{Immutable, IntoBytes};

use crate::support::{CLAIM, FakeServer, play};

async fn claim_whose_second_copy_is_answered(status: Status) -> Result<Status, ClientError> {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (result, _peer) = play(client.claim(CLAIM), async {
        drop(server.accept().await.frame().await);
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.reply(&frame, &[ClaimReply::refused(status)]).await;
        peer
    })
    .await;
    result.map(|outcome| outcome.status)
}

#[tokio::test]
async fn a_closed_batch_has_forgotten_its_claims() {
    let closed = claim_whose_second_copy_is_answered(Status::Closed).await;
    assert!(matches!(closed, Err(ClientError::UnknownOutcome { .. })), "{closed:?}");
    assert_eq!(claim_whose_second_copy_is_answered(Status::SoldOut).await, Ok(Status::SoldOut));
}

#[tokio::test]
async fn a_state_may_have_been_changed_and_changed_again() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let answer = [BatchInfo::about(Status::StateConflict, 4, State::Ended, &Terms::default())];
    let (result, mut peer) = play(client.change_batch(4, Action::Resume), async {
        drop(server.accept().await.frame().await);
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.reply(&frame, &answer).await;
        peer
    })
    .await;
    assert!(matches!(result, Err(ClientError::UnknownOutcome { .. })), "{result:?}");

    let (result, ()) = play(client.change_batch(4, Action::Resume), async {
        let frame = peer.frame().await;
        peer.reply(&frame, &answer).await;
    })
    .await;
    assert_eq!(result.expect("no earlier copy is in doubt").status, Status::StateConflict);
}

/// Whether `reply` to the second copy of a call whose first copy was cut off is an outcome of the call.
async fn settles<T>(
    call: impl AsyncFnOnce(Client) -> Result<T, ClientError>,
    reply: impl IntoBytes + Immutable,
) -> bool {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let calls = async { call(client).await.map(|_| ()) };
    let (result, _peer) = play(calls, async {
        drop(server.accept().await.frame().await);
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.reply(&frame, &[reply]).await;
        peer
    })
    .await;
    match result {
        Ok(()) => true,
        Err(ClientError::UnknownOutcome { .. }) => false,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn what_became_of_a_reservation_is_forgotten_with_its_batch_only() {
    let reserve = ReserveRequest { batch: 1, user: 9, request: 7, ttl_s: 60, ..ReserveRequest::default() };
    for (status, is_settled) in [
        (Status::ReservationCancelled, true),
        (Status::ReservationExpired, true),
        (Status::RequestConflict, true),
        (Status::HistoryFull, true),
        (Status::RequestUnknown, true),
        // The batch may have been purged since.
        (Status::BatchUnknown, false),
        (Status::Closed, false),
    ] {
        let reply = ClaimReply::refused(status);
        assert_eq!(settles(async |client| client.reserve(reserve).await, reply).await, is_settled, "{status}");
        assert_eq!(settles(async |client| client.confirm(1, 9, 7).await, reply).await, is_settled, "{status}");
        assert_eq!(settles(async |client| client.cancel(1, 9, 7).await, reply).await, is_settled, "{status}");
        assert_eq!(settles(async |client| client.extend(1, 9, 7, 60).await, reply).await, is_settled, "{status}");
        assert_eq!(settles(async |client| client.claim(CLAIM).await, reply).await, is_settled, "{status}");
    }
    // The server's longest life may have been another when the first copy came.
    let reply = ClaimReply::refused(Status::TtlInvalid);
    assert!(!settles(async |client| client.reserve(reserve).await, reply).await);
    assert!(!settles(async |client| client.extend(1, 9, 7, 60).await, reply).await);
}

#[tokio::test]
async fn a_restored_coupon_may_have_been_taken_by_another_order() {
    let coupon = CouponRequest { batch: 1, user: 9, serial: 30, order: 88 };
    for (action, status, is_settled) in [
        (CouponAction::Lock, Status::OrderConflict, true),
        (CouponAction::Lock, Status::CouponExpired, true),
        (CouponAction::Redeem, Status::OrderEnded, true),
        (CouponAction::Return, Status::CouponStateConflict, true),
        (CouponAction::Restore, Status::NotYours, true),
        (CouponAction::Restore, Status::OrderConflict, false),
        (CouponAction::Restore, Status::CouponStateConflict, false),
        (CouponAction::Lock, Status::BatchUnknown, false),
        (CouponAction::Redeem, Status::Closed, false),
    ] {
        let reply = Changed::about(status, CouponState::Locked, 30);
        let found = settles(async |client| client.change_coupon(coupon, action).await, reply).await;
        assert_eq!(found, is_settled, "{} answered {status}", action.name());
    }
}

#[tokio::test]
async fn a_batch_may_have_been_created_edited_or_purged_and_changed_again() {
    let terms = Terms { stock: 1, ..Terms::default() };
    let conflict = BatchInfo::about(Status::BatchConflict, 4, State::Active, &terms);
    assert!(!settles(async |client| client.create_batch(4, &terms).await, conflict).await);
    assert!(!settles(async |client| client.edit_batch(4, Fields::NAME, &terms, 3).await, conflict).await);
    assert!(settles(async |client| client.add_stock(4, 1, 5).await, conflict).await, "its request id tells it apart");
    assert!(settles(async |client| client.withdraw_stock(4, 1, 5).await, conflict).await);
    let gone = BatchInfo::refused(Status::BatchUnknown, 4);
    assert!(!settles(async |client| client.change_batch(4, Action::Purge).await, gone).await);
    assert!(!settles(async |client| client.withdraw_stock(4, 1, 5).await, gone).await);
}
