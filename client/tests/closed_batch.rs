//! A closed batch has forgotten its requests: its answer to a repeated claim says nothing about the first copy.

use stockade_client::{ClientError, Status};
use stockade_protocol::claim::ClaimReply;

use crate::support::{CLAIM, FakeServer, play};

async fn answer_to_the_second_copy(status: Status) -> Result<Status, ClientError> {
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
async fn closed_does_not_settle_an_unanswered_claim_and_sold_out_does() {
    let closed = answer_to_the_second_copy(Status::Closed).await;
    assert!(matches!(closed, Err(ClientError::UnknownOutcome { .. })), "{closed:?}");
    assert_eq!(answer_to_the_second_copy(Status::SoldOut).await, Ok(Status::SoldOut));
}
