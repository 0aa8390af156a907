//! A claim that was sent and not answered is never reported as anything but unknown.

use stockade_client::{ClientError, Operation, Status};
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
