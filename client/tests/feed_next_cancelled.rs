//! A wait for events that is dropped takes none: whatever the moment, each event is given out exactly once.

use std::pin::pin;

use crate::support::events::{event, places, subscribed};
use crate::support::{FakeServer, settle};

const FRAMES: u64 = 200;

#[tokio::test]
async fn no_event_is_lost_or_given_out_twice() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 60_000).await;
    let sending = tokio::spawn(async move {
        for epoch in 1..=FRAMES {
            // In two pieces, so that waits are dropped in the middle of a frame as well.
            let bytes = subscription.answered(&[event(epoch, 0), event(epoch, 1)]);
            peer.send(&bytes[..70]).await;
            tokio::task::yield_now().await;
            peer.send(&bytes[70..]).await;
        }
        peer
    });
    let (mut given, mut dropped) = (Vec::new(), 0);
    for turn in 0_u64.. {
        assert!(turn < 1_000_000, "only {} events are given out", given.len());
        let mut next = pin!(feed.next());
        tokio::select! {
            biased;
            events = &mut next => given.extend(places(&events.expect("events"))),
            // Each wait is dropped after another number of turns of the scheduler.
            () = turns(turn % 5) => dropped += 1,
        }
        if given.len() as u64 == 2 * FRAMES {
            break;
        }
    }
    let expected: Vec<_> = (1..=FRAMES).flat_map(|epoch| [(epoch, 0), (epoch, 1)]).collect();
    assert_eq!(given, expected);
    assert!(dropped > 0, "no wait was dropped");
    drop(sending.await.expect("no panic"));
}

async fn turns(count: u64) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_wait_dropped_after_the_events_came_leaves_them_for_the_next() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscribed(&server, &client, 100).await;
    {
        let mut next = pin!(feed.next());
        tokio::select! {
            biased;
            _ = &mut next => panic!("nothing has come"),
            () = tokio::task::yield_now() => {}
        }
        // The wait is registered, the events come, and it is dropped without another look.
        peer.reply(&subscription, &[event(5, 0)]).await;
        settle().await;
    }
    assert_eq!(places(&feed.next().await.expect("events")), [(5, 0)]);
}
