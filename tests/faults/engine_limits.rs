//! A user never holds more than the batch allows: under attack from two cores, with copies, across restarts.

use std::sync::Barrier;
use std::thread;

use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source};
use stockade::engine::{Engine, Running, start};
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::batch::Terms;
use stockade_protocol::claim::{Claim, ClaimReply};

const BATCH: u64 = 1;
const ROUNDS: u64 = 1_000;

fn open(store: &MemoryStore) -> Running {
    start(source(store.clone(), None), options(2, ManualClock::at(0))).expect("a journal in order")
}

fn shop(stock: u32, limit: u32) -> (MemoryStore, Running) {
    let store = MemoryStore::new(Faults::default());
    let running = open(&store);
    create(&running.engine, BATCH, &Terms { per_user: Some(limit), ..terms(stock) });
    (store, running)
}

/// Two cores claim at the same moment, a thousand times. Returns the pairs of answers.
fn duel(engine: &Engine, claim: impl Fn(u64, usize) -> Claim + Sync) -> Vec<[ClaimReply; 2]> {
    let start = Barrier::new(2);
    let fight = |core: usize| {
        let round = |round| {
            start.wait();
            let mut burst = engine.burst(core);
            let reply = burst.claim(&claim(round, core));
            let _epoch = burst.leave();
            reply
        };
        (0..ROUNDS).map(round).collect::<Vec<_>>()
    };
    let (one, two) = thread::scope(|scope| {
        let other = scope.spawn(|| fight(1));
        (fight(0), other.join().expect("no panic"))
    });
    one.into_iter().zip(two).map(|(one, two)| [one, two]).collect()
}

fn granted(engine: &Engine) -> u32 {
    answered(engine, 0, |burst| burst.show(BATCH)).granted.get()
}

#[test]
fn two_requests_of_one_user_at_once_get_one_grant() {
    let (store, running) = shop(5_000, 1);
    let answers = duel(&running.engine, |round, core| Claim::new(BATCH, round, core as u64, 1));
    for pair in &answers {
        let mut statuses = pair.map(|reply| reply.status());
        statuses.sort();
        assert_eq!(statuses, [Some(Status::Granted), Some(Status::LimitReached)]);
        assert_eq!(pair.map(|reply| reply.user_units.get()), [1, 1]);
    }
    assert_eq!(u64::from(granted(&running.engine)), ROUNDS);
    drop(running);
    assert_eq!(u64::from(granted(&open(&store).engine)), ROUNDS);
}

#[test]
fn two_copies_of_one_request_at_once_have_one_effect() {
    let (_store, running) = shop(5_000, 9);
    let answers = duel(&running.engine, |round, _| Claim::new(BATCH, round, 1, 2));
    for [one, two] in &answers {
        assert_eq!((one.status(), two.status()), (Some(Status::Granted), Some(Status::Granted)));
        assert_eq!((one.serial, one.granted), (two.serial, two.granted));
        assert!(one.is_replayed() != two.is_replayed());
    }
    assert_eq!(u64::from(granted(&running.engine)), 2 * ROUNDS);
}

#[test]
fn two_questions_under_one_request_at_once_have_one_effect() {
    let (_store, running) = shop(5_000, 9);
    let quantity = |core: usize| if core == 0 { 1 } else { 3 };
    let answers = duel(&running.engine, |round, core| Claim::new(BATCH, round, 1, quantity(core)));
    let mut units = 0;
    for pair in &answers {
        let mut statuses = pair.map(|reply| reply.status());
        statuses.sort();
        assert_eq!(statuses, [Some(Status::Granted), Some(Status::RequestConflict)]);
        units += pair.iter().map(|reply| u32::from(reply.granted)).sum::<u32>();
    }
    assert_eq!(granted(&running.engine), units);
}

#[test]
fn the_limit_counts_units_and_up_to_fills_it() {
    let (store, running) = shop(100, 5);
    let claim = |engine: &Engine, claim: Claim| answered(engine, 0, |burst| burst.claim(&claim));
    let engine = &running.engine;
    let outcome = |reply: ClaimReply| (reply.status(), reply.granted, reply.user_units.get());
    let refused = |units| (Some(Status::LimitReached), 0, units);
    assert_eq!(outcome(claim(engine, Claim::new(BATCH, 1, 0, 6))), refused(0));
    assert_eq!(outcome(claim(engine, Claim::new(BATCH, 1, 1, 3))), (Some(Status::Granted), 3, 3));
    assert_eq!(outcome(claim(engine, Claim::new(BATCH, 1, 2, 3))), refused(3));
    assert_eq!(granted(engine), 3, "a refused claim takes nothing");
    drop(running);
    let running = open(&store);
    let engine = &running.engine;
    assert_eq!(outcome(claim(engine, Claim::new(BATCH, 1, 2, 3))), refused(3));
    assert_eq!(outcome(claim(engine, Claim::new(BATCH, 1, 3, 3).up_to())), (Some(Status::Granted), 2, 5));
    assert_eq!(outcome(claim(engine, Claim::new(BATCH, 1, 4, 1).up_to())), refused(5));
    assert_eq!(outcome(claim(engine, Claim::new(BATCH, 2, 1, 255).up_to())), (Some(Status::Granted), 5, 5));
    assert_eq!(granted(engine), 10);
}

#[test]
fn a_user_of_many_requests_is_limited_too() {
    let (store, running) = shop(200, 100);
    let claim =
        |engine: &Engine, request: u64| answered(engine, 1, |burst| burst.claim(&Claim::new(BATCH, 1, request, 1)));
    let granted_to = |engine: &Engine, requests: std::ops::Range<u64>| {
        requests.filter(|request| claim(engine, *request).status() == Some(Status::Granted)).count()
    };
    assert_eq!(granted_to(&running.engine, 0..60), 60);
    drop(running);
    let running = open(&store);
    assert_eq!(granted_to(&running.engine, 60..150), 40);
    assert_eq!(granted_to(&running.engine, 0..60), 60, "copies");
    assert_eq!(granted(&running.engine), 100);
}
