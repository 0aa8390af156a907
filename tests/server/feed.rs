//! The feed: every effect in order, each once as long as the connection lasts, and never more than the window allows.

use stockade::access::Access;
use stockade::server::{Server, ServerOptions};
use stockade_protocol::Status::{CursorInvalid, Done, Forbidden, Granted, Overloaded, RequestUnknown, Reserved};
use stockade_protocol::batch::{
    Action as BatchAction, AddStock, BatchInfo, Change as BatchChange, Edit, Fields, Terms,
};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon::{Action, Change};
use stockade_protocol::feed::{Event, Kind, Subscribe};
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::{Opcode, Status};

use crate::support::consumer::{Consumer, behind};
use crate::support::frame::frame;
use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, options, terms};

fn from_the_oldest(window: u32) -> Subscribe {
    Subscribe::from(0, 0, window, "").expect("a short name")
}

fn kinds(events: &[Event]) -> Vec<Kind> {
    events.iter().map(|event| event.kind().expect("a known kind")).collect()
}

fn rises(events: &[Event]) {
    let places = events.iter().map(|event| (event.epoch.get(), event.index.get())).collect::<Vec<_>>();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
}

/// Claims one unit for each of these users, in one frame.
fn sell(client: &mut Link, users: std::ops::Range<u64>) {
    let claims = users.map(|user| Claim::new(1, user, 1, 1)).collect::<Vec<_>>();
    assert!(client.claim(&claims).iter().all(|reply| reply.status() == Some(Granted)));
}

#[test]
fn no_more_than_the_window_is_ahead_of_the_acknowledgement() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    sell(&mut client, 0..20);
    let mut consumer = Consumer::subscribed(shop.client(), &from_the_oldest(3));
    // The creation, and a claim of each user: three at a time.
    let mut all = consumer.events(3);
    assert!(consumer.is_quiet(), "the window is full");
    assert_eq!(consumer.acknowledge(behind(&all[0])), Some(Done));
    all.extend(consumer.events(1));
    assert!(consumer.is_quiet());
    assert_eq!(consumer.acknowledge(behind(&all[0])), Some(Done), "the same place again");
    assert!(consumer.is_quiet());
    while all.len() < 21 {
        assert_eq!(consumer.acknowledge(behind(&all[all.len() - 1])), Some(Done));
        all.extend(consumer.events(3.min(21 - all.len())));
    }
    assert_eq!(consumer.acknowledge(behind(&all[20])), Some(Done));
    assert!(consumer.is_quiet(), "all was told");
    rises(&all);
    assert_eq!(kinds(&all), [&[Kind::BatchCreated][..], &[Kind::Granted; 20]].concat());
    let mut users = all[1..].iter().map(|event| event.user.get()).collect::<Vec<_>>();
    users.sort_unstable();
    assert_eq!(users, (0..20).collect::<Vec<_>>());

    // What happens from now on is told as it becomes durable.
    sell(&mut client, 100..102);
    assert_eq!(kinds(&consumer.events(2)), [Kind::Granted; 2]);
}

#[test]
fn every_kind_of_effect_is_told_once_and_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(100));
    let mut consumer = Consumer::subscribed(shop.client(), &from_the_oldest(1_000));
    let key = |request| [RequestKey::new(1, 7, request)];
    let serial = client.claim(&[Claim::new(1, 7, 1, 2)])[0].serial.get();
    let reserved = [2, 3].map(|request| Reserve::new(1, 7, request, 1, 3_600));
    assert_eq!(statuses(&client.reserve(&reserved)), [Reserved; 2]);
    assert_eq!(statuses(&client.extend(&[Extend::new(1, 7, 2, 60)])), [Reserved]);
    assert_eq!(statuses(&client.settle(Opcode::Confirm, &key(2))), [Granted]);
    assert_eq!(statuses(&client.settle(Opcode::Cancel, &key(3))), [Done]);
    assert_eq!(statuses(&client.settle(Opcode::Cancel, &key(4))), [Done]);
    for (unit, action) in [
        (0, Action::Lock),
        (0, Action::Unlock),
        (0, Action::Return),
        (1, Action::Lock),
        (1, Action::Redeem),
        (1, Action::Restore),
        (1, Action::Void),
    ] {
        let change = Change::new(1, 7, serial + unit, action, 5);
        assert_eq!(client.change_coupon(change).status(), Some(Done), "{action:?}");
    }
    let edit = Edit::new(1, Fields::NAME, &Terms { name: "new".to_owned(), ..terms(1) }, 0).expect("a short name");
    let infos = [
        client.answers::<_, BatchInfo>(Opcode::BatchAddStock, &[AddStock::new(1, 1, 9)])[0],
        client.answers::<_, BatchInfo>(Opcode::BatchWithdraw, &[AddStock::new(1, 2, 4)])[0],
        client.answers::<_, BatchInfo>(Opcode::BatchEdit, &[edit])[0],
        client.answers::<_, BatchInfo>(Opcode::BatchChange, &[BatchChange::new(1, BatchAction::End)])[0],
        client.answers::<_, BatchInfo>(Opcode::BatchChange, &[BatchChange::new(1, BatchAction::Close)])[0],
        client.answers::<_, BatchInfo>(Opcode::BatchChange, &[BatchChange::new(1, BatchAction::Purge)])[0],
    ];
    assert!(infos.iter().all(|info| info.status() == Some(Done)), "{infos:?}");
    let expected = [
        (Kind::BatchCreated, 100),
        (Kind::Granted, 0),
        (Kind::Reserved, 3_600),
        (Kind::Reserved, 3_600),
        (Kind::Extended, 60),
        (Kind::Confirmed, 0),
        (Kind::Cancelled, 100),
        (Kind::CancelledAhead, 0),
        (Kind::Locked, 0),
        (Kind::Unlocked, 0),
        (Kind::Returned, 101),
        (Kind::Locked, 0),
        (Kind::Redeemed, 0),
        (Kind::Restored, 2_147_483_647),
        (Kind::Voided, 0),
        (Kind::BatchAdded, 9),
        (Kind::BatchWithdrawn, 4),
        (Kind::BatchEdited, 1),
        (Kind::BatchChanged, 5),
        (Kind::BatchChanged, 6),
        (Kind::BatchPurged, 0),
    ];
    let events = consumer.events(expected.len());
    let told = events.iter().map(|event| (event.kind().expect("a known kind"), event.value.get())).collect::<Vec<_>>();
    assert_eq!(told, expected);
    rises(&events);
    assert!(events.iter().all(|event| event.batch.get() == 1 && event.time_ms.get() > 0));
    assert_eq!((events[1].units, events[1].serial.get(), events[1].user.get()), (2, serial, 7));
    assert!(consumer.is_quiet());
}

#[test]
fn an_acknowledgement_names_what_was_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    sell(&mut client, 0..20);
    let mut consumer = Consumer::subscribed(shop.client(), &from_the_oldest(5));
    let sent = consumer.events(5);
    let (epoch, last) = behind(&sent[4]);
    for beyond in [(epoch, last + 1), (epoch + 1, 0), (u64::MAX, u32::MAX)] {
        assert_eq!(consumer.acknowledge(beyond), Some(CursorInvalid), "{beyond:?} was not sent");
    }
    assert!(consumer.is_quiet(), "a refused acknowledgement moves nothing");
    assert_eq!(consumer.acknowledge(behind(&sent[3])), Some(Done));
    assert_eq!(consumer.acknowledge(behind(&sent[2])), Some(CursorInvalid), "before what was acknowledged");
    assert_eq!(consumer.events(4).len(), 4);
    consumer.subscription += 1;
    assert_eq!(consumer.acknowledge((epoch, last)), Some(RequestUnknown), "another subscription");
}

#[test]
fn a_subscription_may_begin_anywhere_that_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    sell(&mut client, 0..5);
    let all = Consumer::subscribed(shop.client(), &from_the_oldest(100)).events(6);
    for skipped in 0..6 {
        let first = &all[skipped];
        let subscribe = Subscribe::from(first.epoch.get(), first.index.get(), 100, "").expect("a short name");
        let mut consumer = Consumer::subscribed(shop.client(), &subscribe);
        assert_eq!(consumer.events(6 - skipped), all[skipped..], "each event is the same to everybody");
    }
    let never = Subscribe::from(u64::MAX, 0, 100, "").expect("a short name");
    assert_eq!(Consumer::asking(shop.client(), &never).err(), Some(CursorInvalid));
}

#[test]
fn a_connection_has_one_subscription() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(1_000));
    let mut link = shop.client();
    for correlation in [1, 2] {
        link.send(&frame(Opcode::FeedSubscribe, correlation, &[from_the_oldest(100)]));
    }
    let mut seen = Vec::new();
    // Each stands, the first is ended by the second, and each may tell of the creation.
    while !seen.contains(&(2, Ok(1))) {
        let reply = link.reply();
        let events = reply.fault().map_or_else(|| Ok(reply.items::<Event>(Opcode::FeedSubscribe).len()), Err);
        seen.push((reply.correlation, events));
    }
    let of = |subscription| seen.iter().filter(move |(of, _)| *of == subscription).map(|(_, events)| *events);
    assert_eq!(of(1).filter(|events| *events != Ok(1)).collect::<Vec<_>>(), [Ok(0), Err(Overloaded)]);
    assert_eq!(of(1).next_back(), Some(Err(Overloaded)), "nothing comes after its end");
    assert_eq!(of(2).collect::<Vec<_>>(), [Ok(0), Ok(1)]);
    sell(&mut client, 0..3);
    let reply = link.reply();
    assert_eq!(reply.correlation, 2);
    link.ping_after(|reply| assert_eq!(reply.correlation, 2));
}

#[test]
fn a_server_that_leaves_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let drain_timeout = std::time::Duration::from_mins(1);
    let mut shop = Shop::kept(folder.path(), ServerOptions { drain_timeout, ..options() });
    let mut client = shop.client_with_batch(1, &terms(1_000));
    let mut consumer = Consumer::subscribed(shop.client(), &from_the_oldest(100));
    assert_eq!(kinds(&consumer.events(1)), [Kind::BatchCreated]);
    sell(&mut client, 0..3);
    assert_eq!(consumer.events(3).len(), 3);
    // Nothing is owed to it, whatever its window has room for.
    let server = shop.server.take();
    let leaving = std::thread::spawn(move || server.map(Server::shutdown));
    consumer.link.must_end();
    client.must_end();
    drop((consumer, client));
    leaving.join().expect("the server has left");
}

#[test]
fn it_is_for_operators() {
    let folder = tempfile::tempdir().expect("a folder");
    let access = Access::new(vec!["till".to_owned()], vec!["owner".to_owned()]);
    let shop = Shop::kept(folder.path(), ServerOptions { access, ..options() });
    let till = Link::greeted(shop.address(), "till");
    assert_eq!(Consumer::asking(till, &from_the_oldest(1)).err(), Some(Forbidden));
    assert_eq!(Consumer::asking(Link::greeted(shop.address(), "owner"), &from_the_oldest(1)).err(), None::<Status>);
}

#[test]
fn who_reads_nothing_holds_up_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = shop.client_with_batch(1, &terms(300_000));
    // Of megabytes, and of all that the other one has to pass.
    let mut deaf = shop.client();
    for user in 0..25 {
        let claims = (0..4_096).map(|request| Claim::new(1, user, request, 1)).collect::<Vec<_>>();
        assert!(client.claim(&claims).iter().all(|reply| reply.status() == Some(Granted)));
        if user == 0 {
            deaf.send(&frame(Opcode::FeedSubscribe, 1, &[from_the_oldest(65_536)]));
        }
    }
    let mut consumer = Consumer::subscribed(shop.client(), &from_the_oldest(65_536));
    let mut seen = 0;
    while seen < 100_000 {
        let events = consumer.events_of_a_frame();
        seen += events.len();
        assert_eq!(consumer.acknowledge(behind(&events[events.len() - 1])), Some(Done));
    }
    client.ping();
}
