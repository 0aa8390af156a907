//! The bounds of an engine: batches, and claims of one core in one group.

use crate::support::clock::ManualClock;
use crate::support::gate::GatedStore;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source, wait_until};
use stockade::engine::{EngineOptions, Running, start};
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::batch::List;
use stockade_protocol::claim::Claim;

fn open(store: &MemoryStore, batches_max: usize) -> Running {
    let options = EngineOptions { batches_max, ..options(1, ManualClock::at(0)) };
    start(source(store.clone(), None), options).expect("a journal in order")
}

#[test]
fn as_many_batches_as_configured_and_no_more() {
    let store = MemoryStore::new(Faults::default());
    let running = open(&store, 3);
    for batch in [30, 10, 20] {
        assert_eq!(create(&running.engine, batch, &terms(1)).status(), Some(Status::Done));
    }
    let full = |running: &Running| {
        let refused = create(&running.engine, 40, &terms(1));
        assert_eq!((refused.status(), refused.state()), (Some(Status::Overloaded), None));
        assert_eq!(create(&running.engine, 10, &terms(1)).status(), Some(Status::Done), "a copy");
        assert_eq!(running.engine.batches(), 3);
    };
    full(&running);
    drop(running);
    let running = open(&store, 3);
    full(&running);
    drop(running);
    // Fewer than there are: they all stay.
    full(&open(&store, 1));
    assert_eq!(create(&open(&store, 4).engine, 40, &terms(1)).status(), Some(Status::Done));
}

#[test]
fn batches_are_listed_in_pages_in_order_of_id() {
    let store = MemoryStore::new(Faults::default());
    let running = open(&store, 100);
    let ids = [u64::MAX, 0, 7, 3, 5];
    for batch in ids {
        create(&running.engine, batch, &terms(1));
    }
    let page = |running: &Running, from: u64, limit: u32| {
        let infos = answered(&running.engine, 0, |burst| burst.list(&List::new(from, limit)));
        infos.iter().map(|info| info.batch.get()).collect::<Vec<_>>()
    };
    let pages = |running: &Running| {
        assert_eq!(page(running, 0, 2), [0, 3]);
        assert_eq!(page(running, 4, 2), [5, 7]);
        assert_eq!(page(running, 8, 2), [u64::MAX]);
        assert_eq!(page(running, 0, 1_024), [0, 3, 5, 7, u64::MAX]);
    };
    pages(&running);
    drop(running);
    pages(&open(&store, 100));
}

#[test]
fn a_core_knows_how_much_room_its_group_has() {
    let store = GatedStore::default();
    let options = EngineOptions { group_records_max: 10, ..options(2, ManualClock::at(0)) };
    let running = start(source(store.clone(), None), options).expect("an empty store");
    create(&running.engine, 1, &terms(100));
    let engine = &running.engine;
    // The committer is busy with this group, so that the next one fills up.
    store.hold();
    let mut burst = engine.burst(1);
    burst.claim(&Claim::new(1, 1, 0, 1));
    let _epoch = burst.leave();
    store.wait_until_held();
    let (mut rooms, mut last) = (Vec::new(), 0);
    for request in 1..=4 {
        let mut burst = engine.burst(0);
        rooms.push(burst.room());
        for second in [0, 100] {
            assert_eq!(burst.claim(&Claim::new(1, 1, request + second, 1)).status(), Some(Status::Granted));
        }
        last = burst.leave();
    }
    assert_eq!(rooms, [5, 3, 1, 0], "five records for each of two cores");
    assert_eq!(engine.burst(1).room(), 5, "the other core has room of its own");
    store.release();
    wait_until("the group is durable", || engine.journal().may_leave(last));
    assert_eq!(engine.burst(0).room(), 5);
}
