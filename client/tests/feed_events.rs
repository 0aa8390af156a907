//! The feed gives events in order, and says what is dealt with without waiting for the answer.

use stockade_client::{ClientError, Event, EventKind, FeedStart};
use stockade_protocol::Status;
use stockade_protocol::feed::{Acknowledged, Subscribe};
use stockade_protocol::limits::HEADER_BYTES;

use crate::support::events::{acknowledged, event, place, places, stands, subscribed};
use crate::support::{FakeServer, at_once, play, settle};

#[tokio::test]
async fn a_subscription_says_where_it_begins() {
    let server = FakeServer::start().await;
    let client = server.client().name("shop-7").token("secret").build().expect("valid");
    let starts = [
        (FeedStart::Oldest, Subscribe::from(0, 0, 100, "mails")),
        (FeedStart::At(place(5, 2)), Subscribe::from(5, 2, 100, "mails")),
        (FeedStart::Stored { or: place(5, 2) }, Subscribe::from(5, 2, 100, "mails").map(Subscribe::stored)),
    ];
    for (start, expected) in starts {
        let (feed, (_peer, asked)) = play(client.subscribe(start, 100, "mails"), stands(&server)).await;
        assert_eq!(feed.expect("it stands").server().store_id, 77);
        assert_eq!(asked.items::<Subscribe>(), [expected.expect("fits")]);
        assert!((1..=3_600_000).contains(&asked.deadline_ms), "{} ms", asked.deadline_ms);
    }
}

#[tokio::test]
async fn events_come_frame_by_frame_in_plain_types() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    let mut frame = subscription.answered(&[event(5, 1), event(5, 2)]);
    frame[HEADER_BYTES + 64 + 12] = 77;
    peer.send(&frame).await;
    peer.reply::<stockade_protocol::feed::Event>(&subscription, &[]).await;
    peer.reply(&subscription, &[event(9, 0)]).await;

    let events = feed.next().await.expect("events");
    let first = Event {
        place: place(5, 1),
        kind: Some(EventKind::Granted),
        units: 3,
        client: 8,
        batch: 4,
        user: 9,
        request: 7,
        order: 88,
        time_ms: 1_000,
        serial: 30,
        value: 5,
    };
    assert_eq!(events, [first, Event { place: place(5, 2), kind: None, ..first }]);
    assert_eq!(places(&feed.next().await.expect("events")), [(9, 0)], "a frame of no events is no batch of events");
}

#[tokio::test]
async fn an_acknowledgement_names_the_place_after_the_last_event_and_holds_nothing_up() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 4).await;
    peer.reply(&subscription, &[event(5, 1), event(5, 2), event(6, 0), event(6, 1)]).await;
    let events = feed.next().await.expect("events");

    feed.acknowledge(events[1].place).expect("it was given out");
    let (first, named) = acknowledged(&mut peer, &subscription).await;
    assert_eq!(named, (5, 3));
    // Unanswered, it holds up neither events nor those who acknowledge. What is acknowledged meanwhile leaves as one.
    peer.reply(&subscription, &[event(6, 2), event(6, 3)]).await;
    let more = feed.next().await.expect("events");
    for event in events.iter().chain(&more) {
        feed.acknowledge(event.place).expect("it was given out");
    }
    assert!(peer.frame_if_any().await.is_none(), "one is in flight at a time");
    peer.reply(&first, &[Acknowledged::new(Status::Done, 5)]).await;
    let (second, named) = acknowledged(&mut peer, &subscription).await;
    assert_eq!(named, (6, 4));
    assert_ne!(second.correlation, first.correlation);
    peer.reply(&second, &[Acknowledged::new(Status::Done, 6)]).await;

    // All of these were.
    for event in events.iter().chain(&more) {
        feed.acknowledge(event.place).expect("it was given out");
    }
    assert!(peer.frame_if_any().await.is_none());
}

#[tokio::test]
async fn what_was_not_given_out_cannot_be_acknowledged() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 4).await;
    let is_refused = |result| matches!(result, Err(ClientError::InvalidInput { argument: "through", .. }));
    assert!(is_refused(feed.acknowledge(place(0, 0))));

    peer.reply(&subscription, &[event(5, 1)]).await;
    peer.reply(&subscription, &[event(5, 2)]).await;
    feed.next().await.expect("events");
    settle().await;
    assert!(is_refused(feed.acknowledge(place(5, 2))), "it has come and was not given out");
    feed.acknowledge(place(5, 1)).expect("it was given out");
    assert_eq!(acknowledged(&mut peer, &subscription).await.1, (5, 2));
}

#[tokio::test]
async fn the_first_place_of_the_next_epoch_follows_the_last_of_one() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 4).await;
    peer.reply(&subscription, &[event(5, u32::MAX)]).await;
    let events = feed.next().await.expect("events");
    feed.acknowledge(events[0].place).expect("it was given out");
    assert_eq!(acknowledged(&mut peer, &subscription).await.1, (6, 0));
}

#[tokio::test]
async fn impossible_arguments_are_refused_without_a_connection() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let long = "x".repeat(41);
    let stored = FeedStart::Stored { or: place(0, 0) };
    let cases = [
        ("window", FeedStart::Oldest, 0, "mails"),
        ("window", FeedStart::Oldest, 65_537, "mails"),
        ("consumer", FeedStart::Oldest, 1, &long),
        ("consumer", FeedStart::Oldest, 1, "two\nlines"),
        ("consumer", stored, 1, ""),
    ];
    for (expected, start, window, consumer) in cases {
        match at_once(client.subscribe(start, window, consumer)).await {
            Err(ClientError::InvalidInput { argument, .. }) => assert_eq!(argument, expected),
            other => panic!("{other:?} is no InvalidInput"),
        }
    }
}
