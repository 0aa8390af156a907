//! Wallets: all that a user has, newest first, page by page, as of an epoch that the client names.

use stockade::access::Access;
use stockade::server::ServerOptions;
use stockade_protocol::Status::{CursorInvalid, Done, Granted, Reserved};
use stockade_protocol::batch::{Action as BatchAction, BatchInfo, Change as BatchChange};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon::{Action, Change, State};
use stockade_protocol::reservation::Reserve;
use stockade_protocol::wallet::{Cursor, WalletItem, WalletQuery};
use stockade_protocol::{Opcode, Status};

use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, creation, options, terms};

/// Batch, request, serial and state of each.
fn told(items: &[WalletItem]) -> Vec<(u64, u64, State)> {
    items.iter().map(|item| (item.batch.get(), item.request.get(), item.state().expect("a known state"))).collect()
}

/// The page of a query behind this place.
fn behind(mut query: WalletQuery, cursor: Cursor) -> WalletQuery {
    query.cursor = cursor;
    query
}

/// All pages of a query, `limit` at a time; each but the last is full.
fn pages(link: &mut Link, mut query: WalletQuery) -> Vec<WalletItem> {
    let (mut all, limit) = (Vec::new(), usize::from(query.limit.get()));
    loop {
        let page = link.wallet(query);
        assert!(page.len() <= limit);
        all.extend_from_slice(&page);
        let Some(last) = page.last().filter(|_| page.len() == limit) else { return all };
        query.cursor = last.cursor;
    }
}

fn refusal(link: &mut Link, query: WalletQuery) -> Option<Status> {
    let refused = link.ask(Opcode::Wallet, &[query]).fault();
    link.ping();
    refused
}

/// Batches 1 and 2, and user 1 with seven units of five requests, in this order.
fn stocked(shop: &Shop) -> Link {
    let mut client = shop.client_with_batch(1, &terms(100));
    let created = client.answers::<_, BatchInfo>(Opcode::BatchCreate, &[creation(2, &terms(100))]);
    assert_eq!(created[0].status(), Some(Done));
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, 10, 2), Claim::new(2, 1, 11, 1)])), [Granted; 2]);
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 2, 10, 3)])), [Granted], "another user's");
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, 12, 1)])), [Granted]);
    assert_eq!(statuses(&client.reserve(&[Reserve::new(2, 1, 13, 2, 3_600)])), [Reserved]);
    assert_eq!(statuses(&client.claim(&[Claim::new(2, 1, 14, 1)])), [Granted]);
    client
}

#[test]
fn newest_first_whatever_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = stocked(&shop);
    let all = client.wallet(WalletQuery::new(1, &[], 1_024));
    let expected = [
        (2, 14, State::Granted),
        (2, 13, State::Reserved),
        (2, 13, State::Reserved),
        (1, 12, State::Granted),
        (2, 11, State::Granted),
        (1, 10, State::Granted),
        (1, 10, State::Granted),
    ];
    assert_eq!(told(&all), expected);
    for limit in [1, 2, 3, 6, 7, 8] {
        assert_eq!(pages(&mut client, WalletQuery::new(1, &[], limit)), all, "pages of {limit}");
    }
    assert!(all.windows(2).all(|pair| pair[0].taken_ms >= pair[1].taken_ms));
    assert_eq!(client.wallet(WalletQuery::new(3, &[], 9)), [], "a user who has nothing");
}

#[test]
fn what_comes_meanwhile_moves_no_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = stocked(&shop);
    let before = client.wallet(WalletQuery::new(1, &[], 9));
    let mut query = WalletQuery::new(1, &[], 2);
    let first = client.wallet(query);
    assert_eq!(statuses(&client.claim(&[Claim::new(1, 1, 20, 2)])), [Granted]);
    query.cursor = first[1].cursor;
    assert_eq!(client.wallet(query), before[2..4]);
    assert_eq!(
        told(&client.wallet(WalletQuery::new(1, &[], 3))),
        [(1, 20, State::Granted), (1, 20, State::Granted), (2, 14, State::Granted)]
    );
}

#[test]
fn states_are_told_and_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = stocked(&shop);
    let serial = |client: &mut Link, request| client.lookup(1, 1, request).serial.get();
    let (ten, twelve) = (serial(&mut client, 10), serial(&mut client, 12));
    let change = |serial, action, order| Change::new(1, 1, serial, action, order);
    for change in [
        change(ten, Action::Lock, 5),
        change(ten, Action::Redeem, 5),
        change(ten + 1, Action::Lock, 6),
        change(twelve, Action::Return, 0),
    ] {
        assert_eq!(client.change_coupon(change).status(), Some(Done), "{change:?}");
    }
    assert_eq!(statuses(&client.settle(Opcode::Cancel, &[RequestKey::new(2, 1, 13)])), [Done]);
    assert_eq!(
        told(&client.wallet(WalletQuery::new(1, &[], 9))),
        [
            (2, 14, State::Granted),
            (2, 13, State::Cancelled),
            (2, 13, State::Cancelled),
            (1, 12, State::Returned),
            (2, 11, State::Granted),
            (1, 10, State::Locked),
            (1, 10, State::Redeemed),
        ]
    );
    let of = |client: &mut Link, states: &[State]| {
        pages(client, WalletQuery::new(1, states, 1)).iter().map(|item| item.request.get()).collect::<Vec<_>>()
    };
    assert_eq!(of(&mut client, &[State::Granted]), [14, 11]);
    assert_eq!(of(&mut client, &[State::Redeemed, State::Locked]), [10, 10]);
    assert!(of(&mut client, &[State::Lapsed]).is_empty());
    let orders = client.wallet(WalletQuery::new(1, &[State::Locked, State::Redeemed], 9));
    assert_eq!(orders.iter().map(|item| item.order.get()).collect::<Vec<_>>(), [6, 5], "told to operators");
}

#[test]
fn a_cursor_is_its_own_querys() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = stocked(&shop);
    let query = WalletQuery::new(1, &[State::Granted], 1);
    let cursor = client.wallet(query)[0].cursor;
    let with = |query: WalletQuery| behind(query, cursor);
    assert_eq!(refusal(&mut client, with(query)), None);
    assert_eq!(refusal(&mut client, with(WalletQuery::new(1, &[State::Granted], 7))), None, "another limit");
    let others = [
        WalletQuery::new(2, &[State::Granted], 1),
        WalletQuery::new(1, &[], 1),
        WalletQuery::new(1, &[State::Granted, State::Locked], 1),
    ];
    for other in others {
        assert_eq!(refusal(&mut client, with(other)), Some(CursorInvalid), "{other:?}");
    }
    let mut bent = cursor;
    bent.check.set(cursor.check.get() ^ 0x100);
    assert_eq!(refusal(&mut client, behind(query, bent)), Some(CursorInvalid));
}

#[test]
fn an_answers_effect_is_seen_by_whoever_names_its_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let (mut writer, mut reader) = (shop.client_with_batch(1, &terms(1_000)), shop.client());
    for request in 0..100 {
        let reply = writer.claim(&[Claim::new(1, 1, request, 1)])[0];
        let mut query = WalletQuery::new(1, &[], 1);
        query.see_epoch = reply.epoch;
        let newest = reader.wallet(query);
        assert_eq!((newest[0].request.get(), newest[0].serial), (request, reply.serial));
    }
    let mut ahead = WalletQuery::new(1, &[], 1);
    ahead.see_epoch = u64::MAX.into();
    assert_eq!(refusal(&mut reader, ahead), Some(CursorInvalid), "an epoch that was never given out");
}

#[test]
fn closed_batches_stay_and_purged_ones_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::kept(folder.path(), options());
    let mut client = stocked(&shop);
    let mut change = |action| {
        let infos = client.answers::<_, BatchInfo>(Opcode::BatchChange, &[BatchChange::new(1, action)]);
        assert_eq!(infos[0].status(), Some(Done), "{action:?}");
        client.wallet(WalletQuery::new(1, &[], 9)).iter().filter(|item| item.batch.get() == 1).count()
    };
    assert_eq!(change(BatchAction::End), 3);
    assert_eq!(change(BatchAction::Close), 3);
    assert_eq!(change(BatchAction::Purge), 0);
    assert_eq!(client.wallet(WalletQuery::new(1, &[], 9)).len(), 4);
}

#[test]
fn orders_are_told_to_operators_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let access = Access::new(vec!["till".to_owned()], vec!["owner".to_owned()]);
    let shop = Shop::kept(folder.path(), ServerOptions { access, ..options() });
    let mut owner = Link::greeted(shop.address(), "owner");
    let mut till = Link::greeted(shop.address(), "till");
    let created = owner.answers::<_, BatchInfo>(Opcode::BatchCreate, &[creation(1, &terms(10))]);
    assert_eq!(created[0].status(), Some(Done));
    let serial = till.claim(&[Claim::new(1, 1, 1, 1)])[0].serial.get();
    assert_eq!(till.change_coupon(Change::new(1, 1, serial, Action::Lock, 5)).status(), Some(Done));
    let query = WalletQuery::new(1, &[], 9);
    let orders = |link: &mut Link| link.wallet(query).iter().map(|item| item.order.get()).collect::<Vec<_>>();
    assert_eq!((orders(&mut owner), orders(&mut till)), (vec![5], vec![0]));
}
