//! A burst that began earlier may decide later: its records then lie in an earlier group than those of what it came
//! after. A restart must find what was decided last.

use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source, wait_until};
use stockade::engine::{Burst, Engine, Running, start};
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, AddStock, BatchInfo, State};
use stockade_protocol::claim::{Claim, RequestKey};

const BATCH: u64 = 1;
const OTHER: u64 = 2;

fn open(store: &MemoryStore) -> Running {
    start(source(store.clone(), None), options(2, ManualClock::at(1_000))).expect("a journal in order")
}

fn shop(store: &MemoryStore) -> Running {
    let running = open(store);
    for batch in [BATCH, OTHER] {
        let info = create(&running.engine, batch, &terms(10));
        assert_eq!(info.status(), Some(Status::Done));
    }
    running
}

/// Core 0 enters an epoch, core 1 the next one and does `first`; then core 0 does `second`. Returns when both are
/// answered.
fn against_the_order<T, U>(
    engine: &Engine,
    first: impl FnOnce(&mut Burst<'_>) -> T,
    second: impl FnOnce(&mut Burst<'_>) -> U,
) -> (T, U) {
    let mut earlier = engine.burst(0);
    let mut elsewhere = engine.burst(1);
    let taken = elsewhere.claim(&Claim::new(OTHER, 1, engine.journal().current(), 1));
    assert_eq!(taken.status(), Some(Status::Granted));
    let _epoch = elsewhere.leave();
    // The committer closes the epoch and waits for core 0.
    wait_until("the next epoch begins", || engine.journal().current() > earlier.epoch());
    let mut later = engine.burst(1);
    assert!(later.epoch() > earlier.epoch());
    let first = first(&mut later);
    let later_epoch = later.leave();
    let second = second(&mut earlier);
    let earlier_epoch = earlier.leave();
    wait_until("both are answered", || engine.journal().may_leave(earlier_epoch.max(later_epoch)));
    (first, second)
}

fn show(engine: &Engine) -> BatchInfo {
    answered(engine, 0, |burst| burst.show(BATCH))
}

#[test]
fn an_end_that_came_after_a_pause_stays_after_a_restart() {
    let store = MemoryStore::new(Faults::default());
    let running = shop(&store);
    let (pause, end) = against_the_order(
        &running.engine,
        |burst| burst.change(BATCH, Action::Pause),
        |burst| burst.change(BATCH, Action::End),
    );
    assert_eq!((pause.state(), end.state()), (Some(State::Paused), Some(State::Ended)));
    drop(running);
    assert_eq!(show(&open(&store).engine).state(), Some(State::Ended));
}

#[test]
fn a_resume_that_came_after_a_pause_stays_after_a_restart() {
    let store = MemoryStore::new(Faults::default());
    let running = shop(&store);
    let (pause, resume) = against_the_order(
        &running.engine,
        |burst| burst.change(BATCH, Action::Pause),
        |burst| burst.change(BATCH, Action::Resume),
    );
    assert_eq!((pause.state(), resume.state()), (Some(State::Paused), Some(State::Active)));
    assert_eq!(show(&running.engine).state(), Some(State::Active));
    drop(running);
    assert_eq!(show(&open(&store).engine).state(), Some(State::Active));
}

#[test]
fn a_close_that_came_after_a_grant_does_not_forbid_the_restart() {
    let store = MemoryStore::new(Faults::default());
    let running = shop(&store);
    let (granted, closed) = against_the_order(
        &running.engine,
        |burst| burst.claim(&Claim::new(BATCH, 1, 1, 2)),
        |burst| {
            let ended = burst.change(BATCH, Action::End);
            assert_eq!(ended.status(), Some(Status::Done));
            burst.change(BATCH, Action::Close)
        },
    );
    assert_eq!((granted.status(), closed.state()), (Some(Status::Granted), Some(State::Closed)));
    let before = show(&running.engine);
    drop(running);
    let running = open(&store);
    let after = show(&running.engine);
    assert_eq!((before.granted.get(), before.state()), (2, Some(State::Closed)));
    assert_eq!((after.granted, after.remaining, after.state()), (before.granted, before.remaining, before.state()));
    let looked_up = answered(&running.engine, 0, |burst| burst.lookup(&RequestKey::new(BATCH, 1, 1)));
    assert_eq!(looked_up.status(), Some(Status::Closed));
}

#[test]
fn a_close_that_came_after_an_end_stays_after_a_restart() {
    let store = MemoryStore::new(Faults::default());
    let running = shop(&store);
    let (ended, closed) = against_the_order(
        &running.engine,
        |burst| burst.change(BATCH, Action::End),
        |burst| burst.change(BATCH, Action::Close),
    );
    assert_eq!((ended.state(), closed.state()), (Some(State::Ended), Some(State::Closed)));
    drop(running);
    assert_eq!(show(&open(&store).engine).state(), Some(State::Closed));
}

#[test]
fn additions_bring_the_serials_that_they_were_decided_to_bring() {
    let store = MemoryStore::new(Faults::default());
    let running = shop(&store);
    let (first, second) = against_the_order(
        &running.engine,
        |burst| burst.add_stock(&AddStock::new(BATCH, 1, 5)),
        |burst| burst.add_stock(&AddStock::new(BATCH, 2, 7)),
    );
    assert_eq!((first.total.get(), second.total.get()), (15, 22));
    // All 22 units, so that every serial of both is granted.
    let granted = answered(&running.engine, 0, |burst| burst.claim(&Claim::new(BATCH, 1, 1, 22)));
    assert_eq!((granted.status(), granted.granted), (Some(Status::Granted), 22));
    drop(running);
    let info = show(&open(&store).engine);
    assert_eq!((info.total.get(), info.granted.get(), info.remaining.get()), (22, 22, 0));
}
