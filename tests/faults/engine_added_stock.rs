//! Added stock: once for each request id, never beyond the last serial, sold like the rest, and there after a restart.

use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source};
use stockade::engine::{Engine, Running, start};
use stockade::journal::{Faults, MemoryStore};
use stockade::limits::SUPPLIES_MAX;
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, AddStock, BatchInfo, Terms};
use stockade_protocol::claim::Claim;

const BATCH: u64 = 1;

fn open(store: &MemoryStore) -> Running {
    start(source(store.clone(), None), options(2, ManualClock::at(0))).expect("a journal in order")
}

fn shop(terms: &Terms) -> (MemoryStore, Running) {
    let store = MemoryStore::new(Faults::default());
    let running = open(&store);
    create(&running.engine, BATCH, terms);
    (store, running)
}

fn add(engine: &Engine, request: u64, units: u32) -> BatchInfo {
    answered(engine, 1, |burst| burst.add_stock(&AddStock::new(BATCH, request, units)))
}

fn outcome(info: &BatchInfo) -> (Option<Status>, u32) {
    (info.status(), info.total.get())
}

#[test]
fn an_addition_has_one_effect_however_often_it_is_sent() {
    let (store, running) = shop(&terms(3));
    let copies = |engine: &Engine| {
        assert_eq!(outcome(&add(engine, 1, 5)), (Some(Status::Done), 8));
        assert_eq!(outcome(&add(engine, 1, 6)), (Some(Status::BatchConflict), 8));
    };
    copies(&running.engine);
    copies(&running.engine);
    drop(running);
    let running = open(&store);
    copies(&running.engine);
    assert_eq!(outcome(&add(&running.engine, 2, 5)), (Some(Status::Done), 13));
    // Within one burst, before the first is durable.
    let (first, second) = answered(&running.engine, 0, |burst| {
        (burst.add_stock(&AddStock::new(BATCH, 3, 1)), burst.add_stock(&AddStock::new(BATCH, 3, 1)))
    });
    assert_eq!((outcome(&first), outcome(&second)), ((Some(Status::Done), 14), (Some(Status::Done), 14)));
}

#[test]
fn added_units_end_a_sell_out_and_have_new_serials() {
    let (store, running) = shop(&terms(2));
    let engine = &running.engine;
    let claim = |engine: &Engine, user: u64, quantity: u8| {
        answered(engine, 0, |burst| burst.claim(&Claim::new(BATCH, user, 1, quantity)))
    };
    assert_eq!(claim(engine, 1, 2).serial.get(), 0);
    assert_eq!(claim(engine, 2, 1).status(), Some(Status::SoldOut));
    assert_eq!(add(engine, 1, 3).remaining.get(), 3);
    let granted = claim(engine, 2, 3);
    assert_eq!((granted.status(), granted.serial.get()), (Some(Status::Granted), 2));
    drop(running);
    assert_eq!(claim(&open(&store).engine, 3, 1).status(), Some(Status::SoldOut));
}

#[test]
fn nothing_is_added_where_nothing_may_be() {
    let (_store, running) = shop(&terms(2));
    let engine = &running.engine;
    assert_eq!(add(engine, 1, 0).status(), Some(Status::QuantityInvalid));
    assert_eq!(outcome(&add(engine, 1, u32::MAX - 1)), (Some(Status::StockOverflow), 2));
    assert_eq!(outcome(&add(engine, 1, u32::MAX - 2)), (Some(Status::Done), u32::MAX));
    let unknown = answered(engine, 0, |burst| burst.add_stock(&AddStock::new(9, 1, 1)));
    assert_eq!((unknown.status(), unknown.state()), (Some(Status::BatchUnknown), None));
}

#[test]
fn a_batch_takes_additions_until_it_ends() {
    let (_store, running) = shop(&Terms { draft: true, ..terms(1) });
    let engine = &running.engine;
    assert_eq!(outcome(&add(engine, 0, 1)), (Some(Status::Done), 2));
    let steps = [
        (Action::Activate, Some(Status::Done), 3),
        (Action::Pause, Some(Status::Done), 4),
        (Action::End, Some(Status::Ended), 4),
        (Action::Close, Some(Status::Closed), 4),
    ];
    for (request, (action, status, total)) in (1..).zip(steps) {
        answered(engine, 0, |burst| burst.change(BATCH, action));
        assert_eq!(outcome(&add(engine, request, 1)), (status, total), "after {action:?}");
    }
}

#[test]
fn as_many_additions_as_are_remembered_and_no_more() {
    let (store, running) = shop(&terms(1));
    let most = SUPPLIES_MAX as u64;
    let added = answered(&running.engine, 0, |burst| {
        (0..most)
            .filter(|request| burst.add_stock(&AddStock::new(BATCH, *request, 1)).status() == Some(Status::Done))
            .count()
    });
    assert_eq!(added, SUPPLIES_MAX);
    let total = 1 + u32::try_from(SUPPLIES_MAX).expect("a few thousand");
    let full = |engine: &Engine| {
        assert_eq!(outcome(&add(engine, most, 1)), (Some(Status::StockOverflow), total));
        assert_eq!(outcome(&add(engine, most - 1, 1)), (Some(Status::Done), total), "a copy");
    };
    full(&running.engine);
    drop(running);
    full(&open(&store).engine);
}
