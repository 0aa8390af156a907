//! Some answers to a repeated request say nothing about the copy that was never answered.

use stockade_client::{Action, ClientError, Status};
use stockade_protocol::batch::{BatchInfo, State};
use stockade_protocol::claim::ClaimReply;

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
    let answer = [BatchInfo::about(Status::StateConflict, 4, State::Ended, "tickets")];
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
