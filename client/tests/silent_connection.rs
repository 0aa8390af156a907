//! A connection that owes answers and brings nothing is given up, and its claims go to a new one.

use std::time::Duration;

use tokio::time;

use crate::support::{CLAIM, FakeServer, HOUR, play};

#[tokio::test]
async fn a_silent_connection_is_replaced_within_the_calls_deadline() {
    let server = FakeServer::start().await;
    let client = server.client().deadline(HOUR).silence_limit(Duration::from_secs(5)).build().expect("valid");
    let (outcome, mut silent) = play(client.claim(CLAIM), async {
        let mut silent = server.accept().await;
        assert_eq!(silent.frame().await.claim_key(), (1, 9, 7));
        // The clock jumps to the limit of silence, then to the pause before the retry.
        time::pause();
        assert!(silent.next_frame().await.is_none(), "the connection is closed");
        time::resume();
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        assert_eq!(frame.claim_key(), (1, 9, 7));
        peer.send(&frame.granted()).await;
        silent
    })
    .await;
    assert_eq!(outcome.expect("granted").serials, [9]);
    assert!(silent.next_frame().await.is_none());
}

#[tokio::test]
async fn an_idle_connection_may_be_silent() {
    let server = FakeServer::start().await;
    let client = server.client().silence_limit(Duration::from_secs(5)).build().expect("valid");
    let (_, mut peer) = play(client.claim(CLAIM), async {
        let mut peer = server.accept().await;
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
        peer
    })
    .await;
    time::pause();
    time::advance(Duration::from_mins(10)).await;
    assert!(peer.frame_if_any().await.is_none());
    time::resume();
    let (outcome, ()) = play(client.claim(CLAIM), async {
        let frame = peer.frame().await;
        peer.send(&frame.granted()).await;
    })
    .await;
    assert_eq!(outcome.expect("the same connection still works").serials, [9]);
}
