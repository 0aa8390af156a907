//! A quiet feed keeps its connection alive, and notices when the server is gone.

use std::time::Duration;

use stockade_client::ClientError;
use stockade_protocol::feed::Acknowledged;
use stockade_protocol::ping::Ping;
use stockade_protocol::{Opcode, Status};
use tokio::time::{self, Instant};

use crate::support::events::{acknowledged, event, places, subscribed};
use crate::support::{FakeServer, settle};

/// The next frame; the clock jumps until it comes. Says how many seconds that were.
async fn frame_in_time(peer: &mut crate::support::Peer) -> (crate::support::Received, u64) {
    time::pause();
    let start = Instant::now();
    let frame = peer.frame().await;
    let waited = start.elapsed().as_secs();
    time::resume();
    (frame, waited)
}

#[tokio::test]
async fn it_says_something_long_before_the_server_closes_what_is_idle() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    for _ in 0..3 {
        // Nobody waits in `next` meanwhile.
        let (ping, waited) = frame_in_time(&mut peer).await;
        assert_eq!(ping.opcode, Opcode::Ping);
        assert!((19..=21).contains(&waited), "{waited} s");
        peer.reply(&ping, ping.items::<Ping>()).await;
        settle().await;
    }
    peer.reply(&subscription, &[event(5, 0)]).await;
    assert_eq!(places(&feed.next().await.expect("events")), [(5, 0)]);
}

#[tokio::test]
async fn an_acknowledgement_is_a_sign_of_life_too() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    peer.reply(&subscription, &[event(5, 0)]).await;
    let events = feed.next().await.expect("events");
    time::pause();
    time::advance(Duration::from_secs(15)).await;
    time::resume();
    feed.acknowledge(events[0].place).expect("it was given out");
    let (frame, _) = acknowledged(&mut peer, &subscription).await;
    peer.reply(&frame, &[Acknowledged::new(Status::Done, 5)]).await;
    settle().await;
    let (ping, waited) = frame_in_time(&mut peer).await;
    assert_eq!(ping.opcode, Opcode::Ping);
    assert!((19..=21).contains(&waited), "{waited} s after the acknowledgement");
}

#[tokio::test]
async fn a_server_that_does_not_answer_a_ping_is_gone() {
    let server = FakeServer::start().await;
    let client = server.client().silence_limit(Duration::from_secs(5)).build().expect("valid");
    let (mut feed, mut peer, _) = subscribed(&server, &client, 100).await;
    let (ping, _) = frame_in_time(&mut peer).await;
    assert_eq!(ping.opcode, Opcode::Ping);
    time::pause();
    let start = Instant::now();
    let result = feed.next().await;
    let Err(ClientError::Unavailable { status: None, reason, .. }) = result else { panic!("{result:?}") };
    assert_eq!(reason, "the connection owed answers and brought nothing for 5s");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}
