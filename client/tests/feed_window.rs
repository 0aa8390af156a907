//! The window bounds what waits in the client, whether or not anybody takes it.

use stockade_client::ClientError;
use stockade_protocol::Status;
use stockade_protocol::feed::Acknowledged;

use crate::support::events::{acknowledged, event, places, subscribed};
use crate::support::{FakeServer, settle};

const WINDOW: u32 = 3;

#[tokio::test]
async fn a_window_of_events_waits_for_a_slow_consumer_and_acknowledging_opens_it() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, WINDOW).await;
    for round in 0..5 {
        for index in 0..WINDOW {
            peer.reply(&subscription, &[event(round, index)]).await;
        }
        settle().await;
        for index in 0..WINDOW {
            let events = feed.next().await.expect("events");
            assert_eq!(places(&events), [(round, index)]);
            feed.acknowledge(events[0].place).expect("it was given out");
        }
        let (frame, named) = acknowledged(&mut peer, &subscription).await;
        assert_eq!(named, (round, WINDOW), "three acknowledgements left as one");
        peer.reply(&frame, &[Acknowledged::new(Status::Done, round)]).await;
    }
}

#[tokio::test]
async fn more_than_a_window_is_not_taken_from_a_broken_server() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, WINDOW).await;
    for index in 0..=WINDOW {
        peer.reply(&subscription, &[event(5, index)]).await;
    }
    settle().await;
    for index in 0..WINDOW {
        assert_eq!(places(&feed.next().await.expect("events")), [(5, index)]);
    }
    let result = feed.next().await;
    let Err(ClientError::Protocol { reason, .. }) = result else { panic!("{result:?}") };
    assert_eq!(reason, "more events came than the window allows");
}
