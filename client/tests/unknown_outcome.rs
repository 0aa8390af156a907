//! A claim that was sent and not answered is never reported as anything but unknown.

use stockade_client::{
    Action, Client, ClientError, CouponAction, CouponRequest, Fields, Operation, ReserveRequest, Status, Terms,
};
use stockade_protocol::Opcode;
use stockade_protocol::claim::{ClaimReply, RequestKey};

use crate::support::{CLAIM, FakeServer, HOUR, play, play_out};

const OPERATION: Operation = Operation::Claim { batch: 1, user: 9, request: 7 };

#[tokio::test]
async fn a_swallowed_reply_is_unknown_and_a_look_up_resolves_it() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (result, mut peer) = play_out(client.claim(CLAIM), async {
        let mut peer = server.accept().await;
        assert_eq!(peer.frame().await.claim_key(), (1, 9, 7));
        peer
    })
    .await;

    let error = result.expect_err("no reply came");
    let expected = ClientError::UnknownOutcome {
        operation: OPERATION,
        deadline: HOUR,
        reason: String::from("no answer within 3600s"),
    };
    assert_eq!(error, expected);
    assert_eq!(
        error.to_string(),
        "unknown outcome of claim 7 of user 9 on batch 1 (deadline 3600s): no answer within 3600s; it may have been \
         done: claim again with the same request id, or ask lookup(batch 1, user 9, request 7)"
    );

    let (found, ()) = play(client.lookup(1, 9, 7), async {
        let frame = peer.frame().await;
        assert_eq!((frame.opcode, frame.keys()), (Opcode::Lookup, &[RequestKey::new(1, 9, 7)][..]));
        peer.reply(&frame, &[ClaimReply::granted(1, 12, 1)]).await;
    })
    .await;
    assert_eq!(found.expect("answered").serials, [12]);
}

#[tokio::test]
async fn a_later_refusal_of_the_server_does_not_hide_that_an_earlier_copy_was_sent() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(2).build().expect("valid");
    let (result, ()) = play(client.claim(CLAIM), async {
        drop(server.accept().await.frame().await);
        let mut peer = server.accept_silently().await;
        let hello = peer.frame().await;
        peer.refuse(&hello, Status::TokenInvalid, "this token was withdrawn").await;
    })
    .await;
    let Err(ClientError::UnknownOutcome { operation: OPERATION, reason, .. }) = result else {
        panic!("{result:?} hides that the claim may be granted");
    };
    assert_eq!(reason, "the server answered TOKEN_INVALID: this token was withdrawn");
}

#[tokio::test]
async fn a_server_that_does_not_come_back_leaves_the_outcome_unknown() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(3).build().expect("valid");
    let (result, ()) = play(client.claim(CLAIM), async {
        drop(server.accept().await.frame().await);
        for _ in 0..2 {
            drop(server.accept_silently().await);
        }
    })
    .await;
    assert!(matches!(result, Err(ClientError::UnknownOutcome { operation: OPERATION, .. })), "{result:?}");
}

#[tokio::test]
async fn overload_after_a_cut_leaves_the_outcome_unknown() {
    let server = FakeServer::start().await;
    let client = server.client().attempts(2).build().expect("valid");
    let (result, _peer) = play(client.claim(CLAIM), async {
        drop(server.accept().await.frame().await);
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.reply(&frame, &[ClaimReply::refused(Status::Overloaded)]).await;
        peer
    })
    .await;
    assert!(matches!(result, Err(ClientError::UnknownOutcome { operation: OPERATION, .. })), "{result:?}");
}

/// The operation and the sentence of a call whose connection is cut after it was sent.
async fn cut<T>(call: impl AsyncFnOnce(Client) -> Result<T, ClientError>) -> (Operation, String) {
    let server = FakeServer::start().await;
    let client = server.client().attempts(1).build().expect("valid");
    let calls = async { call(client).await.map(|_| ()) };
    let (result, ()) = play(calls, async { drop(server.accept().await.frame().await) }).await;
    let error = result.expect_err("no reply came");
    let sentence = error.to_string();
    let ClientError::UnknownOutcome { operation, .. } = error else { panic!("{error:?}") };
    (operation, sentence)
}

#[tokio::test]
async fn every_operation_that_changes_something_is_named_with_what_resolves_it() {
    let (batch, user, request) = (4, 9, 7);
    let reserve = ReserveRequest { batch, user, request, ttl_s: 60, ..ReserveRequest::default() };
    let coupon = CouponRequest { batch, user, serial: 30, order: 88 };
    let cases = [
        (
            cut(async |client| client.reserve(reserve).await).await,
            Operation::Reserve { batch, user, request },
            "reservation 7 of user 9 on batch 4",
            "reserve again with the same request id, or ask lookup(batch 4, user 9, request 7)",
        ),
        (
            cut(async |client| client.confirm(batch, user, request).await).await,
            Operation::Confirm { batch, user, request },
            "confirmation of reservation 7 of user 9 on batch 4",
            "confirm request 7 again",
        ),
        (
            cut(async |client| client.cancel(batch, user, request).await).await,
            Operation::Cancel { batch, user, request },
            "cancellation of reservation 7 of user 9 on batch 4",
            "cancel request 7 again",
        ),
        (
            cut(async |client| client.extend(batch, user, request, 60).await).await,
            Operation::Extend { batch, user, request },
            "extension of reservation 7 of user 9 on batch 4",
            "extend request 7 again by the same time",
        ),
        (
            cut(async |client| client.redeem_coupon(coupon).await).await,
            Operation::ChangeCoupon { batch, serial: 30, action: CouponAction::Redeem, order: 88 },
            "redeem of coupon 30 of batch 4 for order 88",
            "redeem it again for the same order 88, or ask show_coupon(batch 4, serial 30)",
        ),
        (
            cut(async |client| client.edit_batch(batch, Fields::NAME, &Terms::default(), 0).await).await,
            Operation::EditBatch { batch },
            "edit of batch 4",
            "show batch 4 and compare its terms and its version",
        ),
        (
            cut(async |client| client.change_batch(batch, Action::Purge).await).await,
            Operation::ChangeBatch { batch, action: Action::Purge },
            "change Purge of batch 4",
            "show batch 4: it is unknown once it was purged",
        ),
        (
            cut(async |client| client.withdraw_stock(batch, request, 5).await).await,
            Operation::WithdrawStock { batch, request },
            "withdrawal 7 from batch 4",
            "withdraw the stock again with the same request id 7",
        ),
        (
            cut(async |client| client.forget_consumer("mails").await).await,
            Operation::ForgetConsumer,
            "forgetting of a consumer",
            "list the consumers, or forget it again",
        ),
    ];
    for ((operation, sentence), expected, what, resolution) in cases {
        assert_eq!(operation, expected);
        assert!(sentence.starts_with(&format!("unknown outcome of {what} (")), "{sentence}");
        assert!(sentence.ends_with(&format!("it may have been done: {resolution}")), "{sentence}");
    }
}
