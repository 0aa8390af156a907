//! Dropping the future of a call: what had not left never leaves, and the connection stays right for everyone else.

use stockade_client::Status;
use stockade_protocol::claim::ClaimReply;

use crate::support::{CLAIM, FakeServer, claim_of, play};

#[tokio::test]
async fn a_claim_dropped_in_the_queue_is_never_sent() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (dropped, kept) = (tokio::spawn(claim(client.clone(), 1)), tokio::spawn(claim(client.clone(), 2)));

    // The handshake is held back: both claims wait in the queue.
    let mut peer = server.accept_silently().await;
    let hello = peer.frame().await;
    dropped.abort();
    assert!(dropped.await.expect_err("aborted").is_cancelled());
    peer.reply(&hello, &[server.welcome]).await;

    let frame = peer.frame().await;
    assert_eq!(frame.claim_key(), (1, 2, 7), "only the kept claim is sent");
    peer.send(&frame.granted()).await;
    assert_eq!(kept.await.expect("no panic"), Ok(vec![2]));
    assert!(peer.frame_if_any().await.is_none());
}

#[tokio::test]
async fn the_answer_to_a_dropped_claim_disturbs_nobody() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (dropped, kept) = (tokio::spawn(claim(client.clone(), 1)), tokio::spawn(claim(client.clone(), 2)));

    let mut peer = server.accept().await;
    let shared = peer.frame().await;
    assert_eq!(shared.count, 2);
    dropped.abort();
    assert!(dropped.await.expect_err("aborted").is_cancelled());
    peer.send(&shared.granted()).await;
    assert_eq!(kept.await.expect("no panic"), Ok(vec![2]));

    // The window and the stream are as before: the next claim works on the same connection.
    let (next, ()) = play(client.claim(CLAIM), async {
        let frame = peer.frame().await;
        peer.reply(&frame, &[ClaimReply::refused(Status::SoldOut)]).await;
    })
    .await;
    assert_eq!(next.expect("answered").status, Status::SoldOut);
}

#[tokio::test]
async fn a_dropped_claim_gives_its_place_in_the_window_back_once_it_is_answered() {
    let mut server = FakeServer::start().await;
    server.welcome.in_flight_claims_max = 1.into();
    let client = server.client().build().expect("valid");
    let dropped = tokio::spawn(claim(client.clone(), 1));
    let mut peer = server.accept().await;
    let first = peer.frame().await;
    dropped.abort();
    let kept = tokio::spawn(claim(client.clone(), 2));
    assert!(peer.frame_if_any().await.is_none(), "the server still owes the first answer");
    peer.send(&first.granted()).await;
    let second = peer.frame().await;
    peer.send(&second.granted()).await;
    assert_eq!(kept.await.expect("no panic"), Ok(vec![2]));
}

async fn claim(client: stockade_client::Client, user: u64) -> Result<Vec<u32>, stockade_client::ClientError> {
    client.claim(claim_of(user)).await.map(|outcome| outcome.serials)
}
