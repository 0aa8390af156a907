//! Acknowledgements that the server does not take: those that it could take later are sent again, the newest first of
//! all; any other refusal ends the feed.

use stockade_client::{ClientError, Place, Status};
use stockade_protocol::feed::Acknowledged;

use crate::support::events::{acknowledged, event, subscribed};
use crate::support::{FakeServer, Peer, Received, play, settle};

/// A feed whose two events were given out and acknowledged, and the frame that says so.
async fn unanswered(server: &FakeServer) -> (stockade_client::Feed, Peer, Received, Received) {
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(server, &client, 100).await;
    peer.reply(&subscription, &[event(5, 0), event(5, 1), event(5, 2)]).await;
    feed.next().await.expect("events");
    feed.acknowledge(Place { epoch: 5, index: 0 }).expect("it was given out");
    let (frame, named) = acknowledged(&mut peer, &subscription).await;
    assert_eq!(named, (5, 1));
    (feed, peer, subscription, frame)
}

#[tokio::test]
async fn one_that_can_be_taken_later_is_sent_again_as_the_newest() {
    let server = FakeServer::start().await;
    let (feed, mut peer, subscription, first) = unanswered(&server).await;
    peer.reply(&first, &[Acknowledged::new(Status::NoSpace, 0)]).await;
    let (second, named) = acknowledged(&mut peer, &subscription).await;
    assert_eq!(named, (5, 1));
    feed.acknowledge(Place { epoch: 5, index: 2 }).expect("it was given out");
    peer.refuse(&second, Status::Overloaded, "").await;
    let (third, named) = acknowledged(&mut peer, &subscription).await;
    assert_eq!(named, (5, 3));
    peer.reply(&third, &[Acknowledged::new(Status::Done, 5)]).await;
    feed.flush().await.expect("it is stored");
}

#[tokio::test]
async fn any_other_refusal_ends_the_feed() {
    for status in [Status::CursorInvalid, Status::RequestUnknown] {
        let server = FakeServer::start().await;
        let (mut feed, mut peer, _, frame) = unanswered(&server).await;
        peer.reply(&frame, &[Acknowledged::new(status, 5)]).await;
        let refused = ClientError::Refused { status, text: String::from("an acknowledgement of the feed") };
        assert_eq!(feed.next().await, Err(refused.clone()));
        assert_eq!(feed.flush().await, Err(refused));
    }
}

#[tokio::test]
async fn a_flush_waits_for_the_answer_to_the_newest() {
    let server = FakeServer::start().await;
    let (feed, mut peer, subscription, first) = unanswered(&server).await;
    feed.acknowledge(Place { epoch: 5, index: 1 }).expect("it was given out");
    let (flushed, ()) = play(feed.flush(), async {
        peer.reply(&first, &[Acknowledged::new(Status::Done, 5)]).await;
        let (second, named) = acknowledged(&mut peer, &subscription).await;
        assert_eq!(named, (5, 2));
        settle().await;
        peer.reply(&second, &[Acknowledged::new(Status::Done, 5)]).await;
    })
    .await;
    flushed.expect("stored");
    feed.flush().await.expect("still stored");

    // What is stored stays so when the connection ends; what is not is told.
    drop(peer);
    settle().await;
    feed.flush().await.expect("still stored");
    feed.acknowledge(Place { epoch: 5, index: 2 }).expect("it was given out");
    let error = feed.flush().await.expect_err("nobody can store it");
    assert!(matches!(error, ClientError::Unavailable { .. }), "{error:?}");
}
