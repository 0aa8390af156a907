//! While a group is written and not durable: what takes is visible and nobody is told; what gives is invisible; and who
//! was refused because of a take waits for it.

use crate::support::clock::ManualClock;
use crate::support::gate::GatedStore;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source, wait_until};
use stockade::engine::{Burst, Engine, Running, start};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, AddStock, Create, List, State, Terms};
use stockade_protocol::claim::{Claim, RequestKey};

const BATCH: u64 = 1;

/// An engine of two cores with one batch.
fn shop(stock: u32, per_user: Option<u32>) -> (GatedStore, Running) {
    let store = GatedStore::default();
    let running = start(source(store.clone(), None), options(2, ManualClock::at(0))).expect("an empty store");
    let created = create(&running.engine, BATCH, &Terms { per_user, ..terms(stock) });
    assert_eq!(created.status(), Some(Status::Done));
    (store, running)
}

/// Decides `work` in a burst of its own. Its answer waits for the epoch.
fn decided<T>(engine: &Engine, core: usize, work: impl FnOnce(&mut Burst<'_>) -> T) -> (T, u64) {
    let mut burst = engine.burst(core);
    let answer = work(&mut burst);
    (answer, burst.leave())
}

/// The same while its group cannot become durable: returns when it is written.
fn undurable<T>(store: &GatedStore, engine: &Engine, work: impl FnOnce(&mut Burst<'_>) -> T) -> (T, u64) {
    store.hold();
    let (answer, epoch) = decided(engine, 0, work);
    store.wait_until_held();
    assert!(!engine.journal().may_leave(epoch), "its group is not durable");
    (answer, epoch)
}

fn claim(burst: &mut Burst<'_>, user: u64, quantity: u8) -> Status {
    burst.claim(&Claim::new(BATCH, user, 1, quantity)).status().expect("a known status")
}

/// What a crash in this moment leaves: an engine on the synced groups.
fn after_a_crash(store: &GatedStore) -> Running {
    start(source(store.store.after_power_loss(0), None), options(2, ManualClock::at(0))).expect("a journal in order")
}

fn numbers(engine: &Engine) -> (u32, u32, u32) {
    let info = answered(engine, 0, |burst| burst.show(BATCH));
    (info.total.get(), info.granted.get(), info.remaining.get())
}

#[test]
fn added_stock_is_not_sold_before_it_is_durable() {
    let (store, running) = shop(1, None);
    let engine = &running.engine;
    assert_eq!(answered(engine, 0, |burst| claim(burst, 1, 1)), Status::Granted);
    let (added, added_epoch) = undurable(&store, engine, |burst| burst.add_stock(&AddStock::new(BATCH, 1, 5)));
    assert_eq!((added.status(), added.total.get(), added.remaining.get()), (Some(Status::Done), 6, 5));
    for core in [0, 1] {
        assert_eq!(decided(engine, core, |burst| claim(burst, 2, 1)).0, Status::SoldOut);
    }
    assert_eq!(numbers(&after_a_crash(&store).engine), (1, 1, 0));
    store.release();
    wait_until("the addition is answered", || engine.journal().may_leave(added_epoch));
    // Granted from the addition, and lost before it is durable: the unit is there again after the restart.
    let (granted, _) = undurable(&store, engine, |burst| claim(burst, 2, 1));
    assert_eq!(granted, Status::Granted);
    assert_eq!(numbers(&after_a_crash(&store).engine), (6, 1, 5));
    store.release();
    assert_eq!(numbers(engine), (6, 2, 4));
}

#[test]
fn an_addition_and_the_grants_from_it_are_lost_together() {
    let (store, running) = shop(1, None);
    let engine = &running.engine;
    answered(engine, 0, |burst| burst.add_stock(&AddStock::new(BATCH, 1, 3)));
    for user in 0..4 {
        assert_eq!(answered(engine, 1, |burst| claim(burst, user, 1)), Status::Granted);
    }
    let log = &store.store;
    for bytes in 0..=log.len() {
        let rest = log.after_power_loss(0);
        rest.truncate(bytes);
        let running = start(source(rest, None), options(1, ManualClock::at(0))).expect("a prefix of the log");
        let info = answered(&running.engine, 0, |burst| burst.show(BATCH));
        assert_eq!(info.granted.get() + info.remaining.get(), info.total.get());
        assert!(info.granted.get() <= 1 || info.total.get() == 4, "{bytes} bytes: {info:?}");
    }
}

#[test]
fn a_new_batch_is_unknown_before_it_is_durable() {
    let (store, running) = shop(1, None);
    let engine = &running.engine;
    let creation = |stock| Create::new(2, &terms(stock)).expect("the name fits");
    let (created, epoch) = undurable(&store, engine, |burst| burst.create(&creation(5)));
    assert_eq!(created.status(), Some(Status::Done));
    let ((again, other), again_epoch) =
        decided(engine, 1, |burst| (burst.create(&creation(5)), burst.create(&creation(6))));
    assert_eq!((again.status(), other.status()), (Some(Status::Done), Some(Status::BatchConflict)));
    assert!(!engine.journal().may_leave(again_epoch), "a copy of the creation waits for it");
    let all_unknown = |burst: &mut Burst<'_>| {
        let key = RequestKey::new(2, 1, 1);
        let claim = burst.claim(&Claim::new(2, 1, 1, 1)).status();
        let changed = burst.change(2, Action::Pause).status();
        let added = burst.add_stock(&AddStock::new(2, 1, 1)).status();
        let shown = burst.show(2).status();
        let found = [claim, burst.lookup(&key).status(), changed, added, shown, burst.serials(&key).err()];
        assert_eq!(found, [Some(Status::BatchUnknown); 6]);
        assert_eq!(burst.list(&List::new(0, 9)).len(), 1);
    };
    decided(engine, 0, all_unknown);
    decided(engine, 1, all_unknown);
    assert_eq!(after_a_crash(&store).report.batches, 1);
    store.release();
    wait_until("both are answered", || engine.journal().may_leave(epoch.max(again_epoch)));
    let granted = answered(engine, 1, |burst| burst.claim(&Claim::new(2, 1, 1, 1)));
    assert_eq!(granted.status(), Some(Status::Granted));
    assert_eq!(answered(engine, 1, |burst| burst.list(&List::new(0, 9)).len()), 2);
}

#[test]
fn a_pause_bites_at_once_and_is_answered_when_it_is_durable() {
    let (store, running) = shop(5, None);
    let engine = &running.engine;
    let (paused, epoch) = undurable(&store, engine, |burst| burst.change(BATCH, Action::Pause));
    assert_eq!((paused.status(), paused.state()), (Some(Status::Done), Some(State::Paused)));
    let (refused, refused_epoch) = decided(engine, 1, |burst| claim(burst, 1, 1));
    assert_eq!(refused, Status::Paused);
    let journal = engine.journal();
    assert!(!journal.may_leave(epoch) && !journal.may_leave(refused_epoch), "the pause may still be lost");
    let crashed = after_a_crash(&store);
    assert_eq!(answered(&crashed.engine, 0, |burst| claim(burst, 1, 1)), Status::Granted);
    store.release();
    wait_until("both are answered", || journal.may_leave(epoch.max(refused_epoch)));
}

#[test]
fn a_resume_permits_when_it_is_durable() {
    let (store, running) = shop(5, None);
    let engine = &running.engine;
    answered(engine, 0, |burst| burst.change(BATCH, Action::Pause));
    let (resumed, epoch) = undurable(&store, engine, |burst| burst.change(BATCH, Action::Resume));
    assert_eq!(resumed.state(), Some(State::Active));
    for core in [0, 1] {
        assert_eq!(decided(engine, core, |burst| claim(burst, 1, 1)).0, Status::Paused);
    }
    store.release();
    wait_until("the resume is answered", || engine.journal().may_leave(epoch));
    assert_eq!(answered(engine, 1, |burst| claim(burst, 1, 1)), Status::Granted);
}

#[test]
fn a_pause_that_overtakes_a_resume_stays() {
    let (store, running) = shop(5, None);
    let engine = &running.engine;
    answered(engine, 0, |burst| burst.change(BATCH, Action::Pause));
    undurable(&store, engine, |burst| burst.change(BATCH, Action::Resume));
    let (paused, epoch) = decided(engine, 1, |burst| burst.change(BATCH, Action::Pause));
    assert_eq!(paused.state(), Some(State::Paused));
    store.release();
    wait_until("the pause is answered", || engine.journal().may_leave(epoch));
    assert_eq!(answered(engine, 0, |burst| claim(burst, 1, 1)), Status::Paused);
}

#[test]
fn a_close_gives_the_users_back_when_it_is_durable() {
    let (store, running) = shop(5, None);
    let engine = &running.engine;
    answered(engine, 0, |burst| claim(burst, 1, 2));
    answered(engine, 0, |burst| burst.change(BATCH, Action::End));
    let key = RequestKey::new(BATCH, 1, 1);
    let (closed, epoch) = undurable(&store, engine, |burst| burst.change(BATCH, Action::Close));
    assert_eq!(closed.state(), Some(State::Closed));
    assert_eq!(decided(engine, 1, |burst| burst.lookup(&key).status()).0, Some(Status::Granted));
    assert_eq!(decided(engine, 1, |burst| claim(burst, 2, 1)).0, Status::Closed);
    store.release();
    wait_until("the close is answered", || engine.journal().may_leave(epoch));
    assert_eq!(answered(engine, 1, |burst| burst.lookup(&key).status()), Some(Status::Closed));
    assert_eq!(answered(engine, 1, |burst| claim(burst, 1, 2)), Status::Closed);
    assert_eq!(numbers(engine), (5, 2, 3));
}

#[test]
fn what_saw_an_undurable_grant_waits_for_it() {
    let (store, running) = shop(2, Some(2));
    let engine = &running.engine;
    let (granted, epoch) = undurable(&store, engine, |burst| claim(burst, 1, 2));
    assert_eq!(granted, Status::Granted);
    let looks: [fn(&mut Burst<'_>) -> Option<Status>; 6] = [
        |burst| burst.claim(&Claim::new(BATCH, 2, 1, 1)).status(),
        |burst| burst.claim(&Claim::new(BATCH, 1, 2, 1)).status(),
        |burst| burst.claim(&Claim::new(BATCH, 1, 1, 2)).status(),
        |burst| burst.claim(&Claim::new(BATCH, 1, 1, 1)).status(),
        |burst| burst.lookup(&RequestKey::new(BATCH, 1, 1)).status(),
        |burst| burst.show(BATCH).status(),
    ];
    let looked = looks.map(|look| decided(engine, 1, look));
    let answers = looked.map(|(answer, _)| answer.expect("a known status"));
    let wanted = [
        Status::SoldOut,
        Status::LimitReached,
        Status::Granted,
        Status::RequestConflict,
        Status::Granted,
        Status::Done,
    ];
    assert_eq!(answers, wanted);
    for (answer, waits_for) in looked {
        assert!(waits_for >= epoch && !engine.journal().may_leave(waits_for), "{answer:?} must wait");
    }
    store.release();
    for (_, waits_for) in looked {
        wait_until("it is answered", || engine.journal().may_leave(waits_for));
    }
}

#[test]
fn refusals_when_all_is_quiet_leave_at_once_and_touch_nothing() {
    let (store, running) = shop(3, Some(2));
    let engine = &running.engine;
    for user in [1, 2] {
        answered(engine, 0, |burst| claim(burst, user, if user == 1 { 2 } else { 1 }));
    }
    let (calls, current) = (store.store.calls(), engine.journal().current());
    for round in 0..1_000 {
        let core = usize::from(round % 2 == 1);
        let (answers, epoch) = decided(engine, core, |burst| {
            let sold_out = burst.claim(&Claim::new(BATCH, 9, round, 1)).status();
            let none_left = burst.claim(&Claim::new(BATCH, 9, round, 3).up_to()).status();
            let too_few = burst.claim(&Claim::new(BATCH, 2, round + 2, 1)).status();
            let limit = burst.claim(&Claim::new(BATCH, 1, round + 2, 1)).status();
            [sold_out, none_left, too_few, limit, burst.claim(&Claim::new(2, 1, 1, 1)).status()]
        });
        let sold_out = Some(Status::SoldOut);
        let wanted = [sold_out, sold_out, sold_out, Some(Status::LimitReached), Some(Status::BatchUnknown)];
        assert_eq!(answers, wanted);
        assert!(engine.journal().may_leave(epoch), "there is nothing to wait for");
    }
    assert_eq!((store.store.calls(), engine.journal().current()), (calls, current), "nobody was bothered");
}
