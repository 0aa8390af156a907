//! A server that breaks the rules of the feed: it ends with a protocol error, and no event of the broken frame is
//! given.

use stockade_client::{Client, ClientError, FeedStart, Status};
use stockade_protocol::feed::{self, Acknowledged};
use stockade_protocol::ping::Ping;
use stockade_protocol::{Header, Opcode};
use zerocopy::IntoBytes;

use crate::support::events::{event, place, places, stands};
use crate::support::{FakeServer, Received, play};

/// What a broken server may send after the event (5, 3), by what is wrong with it.
fn broken_frames(subscription: &Received) -> Vec<(&'static str, Vec<u8>)> {
    let changed = |at: usize, byte: u8| {
        let mut bytes = subscription.answered(&[event(6, 0)]);
        bytes[at] = byte;
        bytes
    };
    let reply = |opcode, item: &[u8]| {
        let mut bytes = Header::reply(opcode, 1, 99).as_bytes().to_vec();
        bytes.extend_from_slice(item);
        bytes
    };
    vec![
        ("magic", changed(0, b'X')),
        ("count", changed(12, 2)),
        ("correlation of no subscription", changed(16, 99)),
        ("the same event", subscription.answered(&[event(5, 3)])),
        ("an earlier event", subscription.answered(&[event(4, 9)])),
        ("events out of order", subscription.answered(&[event(6, 1), event(6, 0)])),
        ("an event twice", subscription.answered(&[event(6, 1), event(6, 1)])),
        ("a pong without a ping", reply(Opcode::Ping, Ping { nonce: 1.into() }.as_bytes())),
        ("an answer to nothing", reply(Opcode::FeedAcknowledge, Acknowledged::new(Status::Done, 5).as_bytes())),
    ]
}

async fn subscription_from(
    server: &FakeServer,
    client: &Client,
) -> (stockade_client::Feed, crate::support::Peer, Received) {
    let (feed, (peer, asked)) = play(client.subscribe(FeedStart::At(place(5, 3)), 100, ""), stands(server)).await;
    (feed.expect("it stands"), peer, asked)
}

#[tokio::test]
async fn broken_frames_end_the_feed() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    for index in 0.. {
        let (mut feed, mut peer, subscription) = subscription_from(&server, &client).await;
        let mut frames = broken_frames(&subscription);
        if index == frames.len() {
            break;
        }
        let (name, bytes) = frames.swap_remove(index);
        peer.reply(&subscription, &[event(5, 3)]).await;
        peer.send(&bytes).await;
        assert_eq!(places(&feed.next().await.expect("events")), [(5, 3)], "{name}");
        let result = feed.next().await;
        assert!(matches!(result, Err(ClientError::Protocol { .. })), "{name}: {result:?}");
        assert!(peer.next_frame().await.is_none(), "{name}: the connection is closed");
    }
}

#[tokio::test]
async fn an_event_before_the_start_is_not_believed() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (mut feed, mut peer, subscription) = subscription_from(&server, &client).await;
    peer.reply(&subscription, &[event(5, 2)]).await;
    let result = feed.next().await;
    let Err(ClientError::Protocol { reason, .. }) = result else { panic!("{result:?}") };
    assert_eq!(reason, "an event came out of order");
}

#[tokio::test]
async fn events_right_behind_the_acceptance_are_not_lost() {
    let server = FakeServer::start().await;
    let client = server.client().build().expect("valid");
    let (feed, _peer) = play(client.subscribe(FeedStart::Oldest, 100, ""), async {
        let mut peer = server.accept().await;
        let asked = peer.frame().await;
        let mut bytes = asked.answered::<feed::Event>(&[]);
        bytes.extend(asked.answered(&[event(5, 0)]));
        peer.send(&bytes).await;
        peer
    })
    .await;
    assert_eq!(places(&feed.expect("it stands").next().await.expect("events")), [(5, 0)]);
}
