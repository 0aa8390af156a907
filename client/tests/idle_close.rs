//! A connection that the server closed while it was idle: the next call uses a new one.

use crate::support::{CLAIM, FakeServer, Peer, claim_of, play, settle};

/// Claims once, and hands out the connection that it went through.
async fn used_connection(server: &FakeServer, client: &stockade_client::Client) -> Peer {
    let (outcome, peer) = play(client.claim(CLAIM), async {
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
        peer
    })
    .await;
    outcome.expect("granted");
    peer
}

#[tokio::test]
async fn a_close_that_was_noticed_puts_nothing_in_doubt() {
    let server = FakeServer::start().await;
    // One try: a claim written into the closed connection would end in an error.
    let client = server.client().attempts(1).build().expect("valid");
    drop(used_connection(&server, &client).await);
    settle().await;

    let (outcome, _peer) = play(client.claim(claim_of(3)), async {
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
        peer
    })
    .await;
    assert_eq!(outcome.expect("granted").serials, [3]);
}

#[tokio::test]
async fn a_claim_that_meets_the_close_is_tried_again() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    drop(used_connection(&server, &client).await);

    let (outcome, _peer) = play(client.claim(claim_of(3)), async {
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        assert_eq!(frame.claim_key(), (1, 3, 7));
        peer.send(&frame.granted()).await;
        peer
    })
    .await;
    assert_eq!(outcome.expect("granted").serials, [3]);
}
