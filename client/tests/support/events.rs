//! The feed as a scripted server gives it: events, and subscriptions that stand.

use stockade_client::{Client, Event, Feed, FeedStart, Place};
use stockade_protocol::Opcode;
use stockade_protocol::feed::{self, Acknowledge, Kind};

use super::{FakeServer, Peer, Received, play};

/// The event with this place.
pub(crate) fn event(epoch: u64, index: u32) -> feed::Event {
    let mut event = feed::Event::new(Kind::Granted, 4, 1_000);
    (event.epoch, event.index) = (epoch.into(), index.into());
    (event.user, event.request, event.order) = (9.into(), 7.into(), 88.into());
    (event.units, event.client, event.serial, event.value) = (3, 8.into(), 30.into(), 5.into());
    event
}

pub(crate) fn place(epoch: u64, index: u32) -> Place {
    Place { epoch, index }
}

pub(crate) fn places(events: &[Event]) -> Vec<(u64, u32)> {
    events.iter().map(|event| (event.place.epoch, event.place.index)).collect()
}

/// A subscription from the oldest event on that stands: the feed, the server's end, and the frame that asked for it.
pub(crate) async fn subscribed(server: &FakeServer, client: &Client, window: u32) -> (Feed, Peer, Received) {
    let (feed, (peer, asked)) = play(client.subscribe(FeedStart::Oldest, window, "mails"), stands(server)).await;
    (feed.expect("it stands"), peer, asked)
}

/// Accepts a connection and the subscription on it.
pub(crate) async fn stands(server: &FakeServer) -> (Peer, Received) {
    let mut peer = server.accept().await;
    let asked = peer.frame().await;
    assert_eq!(asked.opcode, Opcode::FeedSubscribe);
    peer.reply::<feed::Event>(&asked, &[]).await;
    (peer, asked)
}

/// The next frame, which acknowledges: the place that it names.
pub(crate) async fn acknowledged(peer: &mut Peer, subscription: &Received) -> (Received, (u64, u32)) {
    let frame = peer.frame().await;
    let [item] = frame.items::<Acknowledge>() else { panic!("{:?} with {} items", frame.opcode, frame.count) };
    assert_eq!((frame.opcode, item.subscription.get()), (Opcode::FeedAcknowledge, subscription.correlation));
    assert_ne!(frame.correlation, subscription.correlation);
    let place = (item.epoch.get(), item.index.get());
    (frame, place)
}
