//! A feed whose connection ends: what came is given out, then the reason is told, and a new subscription goes on.

use stockade_client::{ClientError, FeedStart, Place, Status};
use stockade_protocol::feed::Subscribe;

use crate::support::events::{acknowledged, event, places, stands, subscribed};
use crate::support::{FakeServer, play, settle};

#[tokio::test]
async fn what_came_before_the_cut_is_given_out_first() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    peer.reply(&subscription, &[event(5, 0)]).await;
    peer.reply(&subscription, &[event(5, 1)]).await;
    let half = subscription.answered(&[event(5, 2)]);
    peer.send(&half[..half.len() - 1]).await;
    drop(peer);
    settle().await;

    assert_eq!(places(&feed.next().await.expect("events")), [(5, 0)]);
    assert_eq!(places(&feed.next().await.expect("events")), [(5, 1)]);
    for _ in 0..2 {
        let error = feed.next().await.expect_err("the connection is lost");
        let ClientError::Unavailable { server: address, status: None, reason } = error else { panic!("{error:?}") };
        assert_eq!((address, reason.as_str()), (server.address(), "closed by the server"));
    }
    // Harmless: the events come again.
    feed.acknowledge(Place { epoch: 5, index: 1 }).expect("it was given out");
}

#[tokio::test]
async fn a_new_subscription_goes_on_from_the_stored_cursor_and_may_repeat_events() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    peer.reply(&subscription, &[event(5, 0), event(5, 1)]).await;
    let events = feed.next().await.expect("events");
    feed.acknowledge(events[0].place).expect("it was given out");
    // The acknowledgement arrives, its answer does not.
    acknowledged(&mut peer, &subscription).await;
    drop(peer);
    feed.next().await.expect_err("the connection is lost");

    // The place to begin at without a cursor says nothing about where a cursor is.
    let start = FeedStart::Stored { or: Place { epoch: 9, index: 0 } };
    let (feed, (mut peer, asked)) = play(client.subscribe(start, 100, "mails"), stands(&server)).await;
    let mut feed = feed.expect("it stands");
    assert_eq!(asked.items::<Subscribe>(), [Subscribe::from(9, 0, 100, "mails").expect("fits").stored()]);
    peer.reply(&asked, &[event(5, 1), event(6, 0)]).await;
    assert_eq!(places(&feed.next().await.expect("events")), [(5, 1), (6, 0)]);
}

#[tokio::test]
async fn a_newer_subscription_of_the_same_name_ends_the_feed_with_its_status() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    peer.reply(&subscription, &[event(5, 0)]).await;
    peer.refuse(&subscription, Status::Overloaded, "another connection subscribed as mails").await;
    assert_eq!(places(&feed.next().await.expect("events")), [(5, 0)]);
    let error = feed.next().await.expect_err("taken over");
    let ClientError::Unavailable { status: Some(Status::Overloaded), reason, .. } = error else { panic!("{error:?}") };
    assert_eq!(reason, "the server answered OVERLOADED: another connection subscribed as mails");
    assert!(peer.next_frame().await.is_none(), "the connection is closed");
}

#[tokio::test]
async fn a_farewell_of_the_server_is_told() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    let mut farewell = subscription.refused(Status::Unavailable, "the server is leaving");
    farewell[16..24].fill(0);
    peer.send(&farewell).await;
    let error = feed.next().await.expect_err("the server is leaving");
    assert!(matches!(error, ClientError::Unavailable { status: Some(Status::Unavailable), .. }), "{error:?}");
}

#[tokio::test]
async fn a_dropped_feed_closes_its_connection_and_outlives_its_client() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    drop(client);
    settle().await;
    peer.reply(&subscription, &[event(5, 0)]).await;
    assert_eq!(places(&feed.next().await.expect("events")), [(5, 0)]);
    // Not even an answer that is due holds it open.
    feed.acknowledge(Place { epoch: 5, index: 0 }).expect("it was given out");
    acknowledged(&mut peer, &subscription).await;
    drop(feed);
    settle().await;
    assert!(peer.is_closed(), "closed");
}
