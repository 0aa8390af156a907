//! Consumers with a name: their cursors are kept, through the end of a connection and of the server.

use stockade_protocol::Status::{CursorInvalid, Done, Granted, Overloaded, RequestUnknown};
use stockade_protocol::claim::Claim;
use stockade_protocol::feed::{Acknowledged, ConsumerInfo, Event, Forget, Subscribe};
use stockade_protocol::hello::Page;
use stockade_protocol::{Opcode, Status};

use crate::support::consumer::{Consumer, behind};
use crate::support::link::Link;
use crate::support::patience::wait_until;
use crate::support::shop::{Shop, options, terms};

/// From the stored cursor, or from the oldest.
fn stored(name: &str, window: u32) -> Subscribe {
    Subscribe::from(0, 0, window, name).expect("a short name").stored()
}

fn sell(client: &mut Link, users: std::ops::Range<u64>) {
    let claims = users.map(|user| Claim::new(1, user, 1, 1)).collect::<Vec<_>>();
    assert!(client.claim(&claims).iter().all(|reply| reply.status() == Some(Granted)));
}

/// Name, cursor and connectedness of each.
fn listed(link: &mut Link, from: u32, limit: u32) -> Vec<(String, (u64, u32), bool)> {
    let page = Page { from: from.into(), limit: limit.into() };
    let infos = link.ask(Opcode::FeedList, &[page]).items::<ConsumerInfo>(Opcode::FeedList);
    let of =
        |info: &ConsumerInfo| (info.consumer().to_owned(), (info.epoch.get(), info.index.get()), info.is_connected());
    infos.iter().map(of).collect()
}

fn forget(link: &mut Link, name: &str) -> Option<Status> {
    let forget = Forget::new(name).expect("a short name");
    link.ask(Opcode::FeedForget, &[forget]).items::<Acknowledged>(Opcode::FeedForget)[0].status()
}

#[test]
fn the_cursor_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    sell(&mut client, 0..9);
    let mut consumer = Consumer::subscribed(shop.client(), &stored("mail", 100));
    let all = consumer.events(10);
    let cursor = behind(&all[3]);
    assert_eq!(consumer.acknowledge(cursor), Some(Done));
    assert_eq!(listed(&mut client, 0, 9), [("mail".to_owned(), cursor, true)]);
    drop((consumer, client, shop));

    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client();
    assert_eq!(listed(&mut client, 0, 9), [("mail".to_owned(), cursor, false)]);
    sell(&mut client, 20..22);
    let mut consumer = Consumer::subscribed(shop.client(), &stored("mail", 100));
    let events = consumer.events(8);
    assert_eq!(events[..6], all[4..], "what was not acknowledged is told again");
    let users = events[6..].iter().map(|event| event.user.get()).collect::<Vec<_>>();
    assert_eq!(users, [20, 21]);
    assert!(consumer.is_quiet());
    // Who does not ask for the stored cursor begins where it says.
    let again = Subscribe::from(all[8].epoch.get(), all[8].index.get(), 2, "mail").expect("a short name");
    assert_eq!(Consumer::subscribed(shop.client(), &again).events(2), all[8..]);
}

#[test]
fn it_is_kept_from_the_moment_of_the_subscription() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    sell(&mut client, 0..3);
    let (epoch, index) = behind(&Consumer::subscribed(shop.client(), &stored("", 9)).events(4)[3]);
    assert_eq!(listed(&mut client, 0, 9), [], "without a name nothing is kept");
    // Nothing happened there yet.
    let subscribe = Subscribe::from(epoch, index, 9, "mail").expect("a short name");
    drop(Consumer::subscribed(shop.client(), &subscribe));
    sell(&mut client, 10..12);
    let mut consumer = Consumer::subscribed(shop.client(), &stored("mail", 9));
    assert_eq!(consumer.events(2).iter().map(|event| event.user.get()).collect::<Vec<_>>(), [10, 11]);
}

#[test]
fn a_newer_subscription_of_the_name_ends_the_older() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    sell(&mut client, 0..5);
    let mut older = Consumer::subscribed(shop.client(), &stored("mail", 4));
    let mut other = Consumer::subscribed(shop.client(), &stored("other", 1));
    let first = older.events(4);
    assert_eq!(older.acknowledge(behind(&first[1])), Some(Done));
    let mut newer = Consumer::subscribed(shop.client(), &stored("mail", 100));
    assert_eq!(older.end(), Overloaded);
    let told = newer.events(4);
    assert_eq!(told[..2], first[2..], "from where the older one acknowledged");
    // The connection goes on, without the feed.
    assert_eq!(older.acknowledge(behind(&first[2])), Some(RequestUnknown));
    older.link.ping();
    sell(&mut client, 10..12);
    assert_eq!(newer.events(2).iter().map(|event| event.user.get()).collect::<Vec<_>>(), [10, 11]);
    older.link.ping();
    assert_eq!(other.events(1).len(), 1, "other names are other consumers");
    assert_eq!(other.ended, None);
    assert_eq!(newer.acknowledge(behind(&told[3])), Some(Done));
}

#[test]
fn an_acknowledgement_beyond_what_was_sent_is_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    sell(&mut client, 0..9);
    let mut consumer = Consumer::subscribed(shop.client(), &stored("mail", 3));
    let sent = consumer.events(3);
    assert_eq!(consumer.acknowledge(behind(&sent[0])), Some(Done));
    let further = consumer.events(1);
    let (epoch, index) = behind(&further[0]);
    assert_eq!(consumer.acknowledge((epoch, index + 1)), Some(CursorInvalid));
    assert_eq!(consumer.acknowledge((epoch + 1, 0)), Some(CursorInvalid));
    assert_eq!(listed(&mut client, 0, 9), [("mail".to_owned(), behind(&sent[0]), true)]);
}

#[test]
fn they_are_listed_and_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    sell(&mut client, 0..3);
    let names = ["a", "bills and letters", "\u{1F4EE}"];
    let mut consumers = names.map(|name| Consumer::subscribed(shop.client(), &stored(name, 9)));
    let of = |(name, _, connected): &(String, (u64, u32), bool)| (name.clone(), *connected);
    let all = listed(&mut client, 0, 9).iter().map(of).collect::<Vec<_>>();
    assert_eq!(all, names.map(|name| (name.to_owned(), true)), "in order of name");
    assert_eq!(listed(&mut client, 1, 1)[0].0, names[1]);
    assert_eq!(listed(&mut client, 3, 9), []);

    let last = consumers[1].events(4)[3];
    assert_eq!(consumers[1].acknowledge(behind(&last)), Some(Done));

    drop(consumers);
    wait_until("the connections are over", || listed(&mut client, 0, 9).iter().all(|(_, _, connected)| !connected));
    assert_eq!(forget(&mut client, names[1]), Some(Done));
    assert_eq!(forget(&mut client, names[1]), Some(RequestUnknown));
    assert_eq!(forget(&mut client, "nobody"), Some(RequestUnknown));
    assert_eq!(listed(&mut client, 0, 9).len(), 2);
    // It begins anew.
    let events: Vec<Event> = Consumer::subscribed(shop.client(), &stored(names[1], 9)).events(4);
    assert_eq!(events[3], last);
}
