//! How much a claim takes: nothing for zero, all or nothing, or what there is; and what has to be asked first.

use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source};
use stockade::engine::{Engine, Running, start};
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::batch::{AddStock, Create, Terms};
use stockade_protocol::claim::{Claim, ClaimReply};

const BATCH: u64 = 1;

fn open(store: &MemoryStore, cores: usize) -> Running {
    start(source(store.clone(), None), options(cores, ManualClock::at(0))).expect("a journal in order")
}

fn shop(cores: usize, stock: u32) -> (MemoryStore, Running) {
    let store = MemoryStore::new(Faults::default());
    let running = open(&store, cores);
    create(&running.engine, BATCH, &terms(stock));
    (store, running)
}

fn claim(engine: &Engine, core: usize, claim: Claim) -> ClaimReply {
    answered(engine, core, |burst| burst.claim(&claim))
}

fn outcome(reply: ClaimReply) -> (Option<Status>, u8) {
    (reply.status(), reply.granted)
}

#[test]
fn a_quantity_of_zero_is_invalid_and_takes_nothing() {
    let (store, running) = shop(1, 5);
    let engine = &running.engine;
    let calls = store.calls();
    for zero in [Claim::new(BATCH, 1, 1, 0), Claim::new(BATCH, 1, 1, 0).up_to(), Claim::new(9, 1, 1, 0)] {
        assert_eq!(outcome(claim(engine, 0, zero)), (Some(Status::QuantityInvalid), 0));
    }
    assert_eq!(store.calls(), calls);
    assert_eq!(outcome(claim(engine, 0, Claim::new(BATCH, 1, 1, 1))), (Some(Status::Granted), 1));
    assert_eq!(outcome(claim(engine, 0, Claim::new(BATCH, 1, 1, 0))), (Some(Status::QuantityInvalid), 0));
}

#[test]
fn an_unknown_batch_has_nothing() {
    let (_store, running) = shop(1, 5);
    assert_eq!(outcome(claim(&running.engine, 0, Claim::new(2, 1, 1, 1))), (Some(Status::BatchUnknown), 0));
}

#[test]
fn all_or_nothing_gathers_from_every_core_and_leaves_no_crumb_behind() {
    for cores in 1..=5 {
        let (store, running) = shop(cores, 7);
        let engine = &running.engine;
        let last = cores - 1;
        assert_eq!(outcome(claim(engine, last, Claim::new(BATCH, 1, 1, 8))), (Some(Status::SoldOut), 0));
        assert_eq!(outcome(claim(engine, last, Claim::new(BATCH, 1, 1, 6))), (Some(Status::Granted), 6));
        assert_eq!(outcome(claim(engine, 0, Claim::new(BATCH, 2, 1, 2))), (Some(Status::SoldOut), 0));
        assert_eq!(outcome(claim(engine, 0, Claim::new(BATCH, 2, 2, 1))), (Some(Status::Granted), 1));
        drop(running);
        let running = open(&store, 1);
        assert_eq!(outcome(claim(&running.engine, 0, Claim::new(BATCH, 3, 1, 1).up_to())), (Some(Status::SoldOut), 0));
    }
}

#[test]
fn up_to_takes_what_there_is() {
    for cores in 1..=4 {
        let (_store, running) = shop(cores, 7);
        let engine = &running.engine;
        assert_eq!(outcome(claim(engine, 0, Claim::new(BATCH, 1, 1, 4).up_to())), (Some(Status::Granted), 4));
        assert_eq!(outcome(claim(engine, 0, Claim::new(BATCH, 2, 1, 255).up_to())), (Some(Status::Granted), 3));
        assert_eq!(outcome(claim(engine, 0, Claim::new(BATCH, 3, 1, 255).up_to())), (Some(Status::SoldOut), 0));
    }
}

#[test]
fn the_largest_quantity_and_the_largest_stock_go_through() {
    let (store, running) = shop(3, u32::MAX);
    let granted = claim(&running.engine, 2, Claim::new(BATCH, 1, 1, u8::MAX));
    assert_eq!(outcome(granted), (Some(Status::Granted), u8::MAX));
    drop(running);
    let running = open(&store, 2);
    let info = answered(&running.engine, 0, |burst| burst.show(BATCH));
    assert_eq!((info.total.get(), info.granted.get(), info.remaining.get()), (u32::MAX, 255, u32::MAX - 255));
    let added = answered(&running.engine, 0, |burst| burst.add_stock(&AddStock::new(BATCH, 1, 1)));
    assert_eq!(added.status(), Some(Status::StockOverflow));
}

#[test]
fn every_serial_is_given_out_once() {
    let (_store, running) = shop(3, 100);
    answered(&running.engine, 0, |burst| burst.add_stock(&AddStock::new(BATCH, 1, 50)));
    let mut serials = Vec::new();
    for request in 0.. {
        let core = usize::try_from(request % 3).expect("small");
        let quantity = 1 + u8::try_from(request % 4).expect("small");
        let (reply, runs) = answered(&running.engine, core, |burst| {
            let asked = Claim::new(BATCH, 1, request, quantity).up_to();
            let key = stockade_protocol::claim::RequestKey::new(BATCH, 1, request);
            (burst.claim(&asked), burst.serials(&key))
        });
        let Ok(runs) = runs else {
            assert_eq!(reply.status(), Some(Status::SoldOut));
            break;
        };
        serials.extend(runs.iter().flat_map(|run| run.first..run.end()));
    }
    serials.sort_unstable();
    assert_eq!(serials, (0..150).collect::<Vec<u32>>());
}

#[test]
fn terms_that_cannot_be_are_refused_and_leave_nothing() {
    let (store, running) = shop(1, 5);
    let engine = &running.engine;
    let (calls, batches) = (store.calls(), engine.batches());
    let window = |starts_ms, ends_ms| Terms { starts_ms: Some(starts_ms), ends_ms: Some(ends_ms), ..terms(1) };
    for (batch, wrong) in (10..).zip([terms(0), window(5, 5), window(6, 5)]) {
        let info = create(engine, batch, &wrong);
        assert_eq!((info.status(), info.state()), (Some(Status::TermsInvalid), None));
    }
    assert_eq!((store.calls(), engine.batches()), (calls, batches));
}

#[test]
fn a_batch_is_created_once() {
    let (store, running) = shop(1, 5);
    let before = answered(&running.engine, 0, |burst| burst.show(BATCH));
    let again = |engine: &Engine, wanted: Status, terms: &Terms| {
        let info = create(engine, BATCH, terms);
        assert_eq!((info.status(), info.total, info.name()), (Some(wanted), before.total, before.name()));
    };
    let others = [
        terms(6),
        Terms { per_user: Some(1), ..terms(5) },
        Terms { starts_ms: Some(1), ..terms(5) },
        Terms { ends_ms: Some(1), ..terms(5) },
        Terms { draft: true, ..terms(5) },
        Terms { name: "another".into(), ..terms(5) },
    ];
    let all = |engine: &Engine| {
        again(engine, Status::Done, &terms(5));
        others.iter().for_each(|other| again(engine, Status::BatchConflict, other));
    };
    all(&running.engine);
    drop(running);
    all(&open(&store, 2).engine);
    let create = Create::new(BATCH, &terms(5)).expect("the name fits");
    assert!(create.is_well_formed());
}
