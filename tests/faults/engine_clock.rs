//! Windows are exact to the millisecond, and time never goes back: not with the clock, not after a restart.

use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source};
use stockade::engine::{Engine, Running, start};
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, State, Terms};
use stockade_protocol::claim::Claim;

const BATCH: u64 = 1;
const START_MS: u64 = 1_000;
const END_MS: u64 = 2_000;

fn open(store: &MemoryStore, clock: &ManualClock) -> Running {
    start(source(store.clone(), None), options(2, clock.clone())).expect("a journal in order")
}

fn shop(now_ms: u64, draft: bool) -> (MemoryStore, ManualClock, Running) {
    let (store, clock) = (MemoryStore::new(Faults::default()), ManualClock::at(now_ms));
    let running = open(&store, &clock);
    let windowed = Terms { starts_ms: Some(START_MS), ends_ms: Some(END_MS), draft, ..terms(100) };
    let info = create(&running.engine, BATCH, &windowed);
    assert_eq!((info.status(), info.created_ms.get()), (Some(Status::Done), now_ms));
    (store, clock, running)
}

/// What a new claim of `user` is answered now, and the state that is shown.
fn now(engine: &Engine, user: u64) -> (Option<Status>, Option<State>) {
    let claim = answered(engine, 0, |burst| burst.claim(&Claim::new(BATCH, user, 1, 1)));
    (claim.status(), answered(engine, 1, |burst| burst.show(BATCH)).state())
}

#[test]
fn a_window_opens_and_closes_at_its_very_millisecond() {
    let (store, clock, running) = shop(0, false);
    let moments = [
        (START_MS - 1, Status::NotStarted, State::Scheduled),
        (START_MS, Status::Granted, State::Active),
        (END_MS - 1, Status::Granted, State::Active),
        (END_MS, Status::Ended, State::Ended),
    ];
    let mut running = running;
    for (user, (now_ms, answer, state)) in (0..).zip(moments) {
        clock.set(now_ms);
        assert_eq!(now(&running.engine, user), (Some(answer), Some(state)), "at {now_ms}");
        drop(running);
        running = open(&store, &clock);
        let again = now(&running.engine, 100 + user);
        assert_eq!(again, (Some(answer), Some(state)), "at {now_ms}, after a restart");
    }
}

#[test]
fn a_clock_that_goes_back_is_not_followed() {
    let (_store, clock, running) = shop(START_MS, false);
    let engine = &running.engine;
    assert_eq!(now(engine, 1).0, Some(Status::Granted));
    clock.set(0);
    assert_eq!((now(engine, 2).0, engine.now_ms()), (Some(Status::Granted), START_MS));
    clock.set(END_MS);
    assert_eq!(now(engine, 3).0, Some(Status::Ended));
    clock.set(START_MS);
    assert_eq!((now(engine, 4).0, engine.now_ms()), (Some(Status::Ended), END_MS), "an ended sale stays ended");
}

#[test]
fn all_of_a_burst_is_decided_at_one_time() {
    let (_store, clock, running) = shop(START_MS, false);
    let mut burst = running.engine.burst(0);
    assert_eq!(burst.claim(&Claim::new(BATCH, 1, 1, 1)).status(), Some(Status::Granted));
    clock.set(END_MS);
    assert_eq!(burst.claim(&Claim::new(BATCH, 2, 1, 1)).status(), Some(Status::Granted));
    assert_eq!(burst.now_ms(), START_MS);
    let _epoch = burst.leave();
    assert_eq!(now(&running.engine, 3).0, Some(Status::Ended));
}

#[test]
fn time_goes_on_where_the_journal_ends() {
    let (store, clock, running) = shop(START_MS, false);
    clock.set(START_MS + 500);
    assert_eq!(now(&running.engine, 1).0, Some(Status::Granted));
    clock.set(START_MS + 600);
    answered(&running.engine, 0, |burst| burst.change(BATCH, Action::Pause));
    drop(running);
    clock.set(0);
    let running = open(&store, &clock);
    assert_eq!(running.engine.now_ms(), START_MS + 600);
    answered(&running.engine, 0, |burst| burst.change(BATCH, Action::Resume));
    assert_eq!(now(&running.engine, 2).0, Some(Status::Granted), "the sale does not begin anew");
    assert_eq!(now(&running.engine, 1).0, Some(Status::Granted), "a copy");
}

#[test]
fn bursts_of_one_group_keep_their_own_times() {
    let (store, clock, running) = shop(START_MS, false);
    let mut claims = 0;
    let mut last = 0;
    for later_ms in [0, 3, 7] {
        clock.set(START_MS + later_ms);
        let mut burst = running.engine.burst(0);
        claims += 1;
        assert_eq!(burst.claim(&Claim::new(BATCH, claims, 1, 1)).status(), Some(Status::Granted));
        last = burst.leave();
    }
    crate::support::shop::wait_until("all are answered", || running.engine.journal().may_leave(last));
    drop(running);
    let running = open(&store, &ManualClock::at(0));
    assert_eq!((running.engine.now_ms(), running.report.records), (START_MS + 7, claims));
}

#[test]
fn drafts_and_paused_batches_end_with_their_window() {
    let (store, clock, running) = shop(0, true);
    assert_eq!(now(&running.engine, 1), (Some(Status::BatchDraft), Some(State::Draft)));
    clock.set(START_MS);
    assert_eq!(now(&running.engine, 1), (Some(Status::BatchDraft), Some(State::Draft)));
    clock.set(END_MS);
    assert_eq!(now(&running.engine, 1), (Some(Status::Ended), Some(State::Ended)));
    drop((store, running));

    let (_store, clock, running) = shop(0, false);
    answered(&running.engine, 0, |burst| burst.change(BATCH, Action::Pause));
    for now_ms in [0, START_MS, END_MS - 1] {
        clock.set(now_ms);
        assert_eq!(now(&running.engine, 1), (Some(Status::Paused), Some(State::Paused)));
    }
    clock.set(END_MS);
    assert_eq!(now(&running.engine, 1), (Some(Status::Ended), Some(State::Ended)));
}
