//! The n-th call of the store fails, for every n, with and without having done its work: nothing leaves any more, the
//! process is told once, and the restart finds all that was answered.

use std::sync::Arc;

use crate::support::audit::objection;
use crate::support::board::Board;
use crate::support::books::Books;
use crate::support::clock::ManualClock;
use crate::support::crowd::{BATCHES, DAWN_MS, operation, shopping, terms};
use crate::support::inspection::{differences, retry};
use crate::support::rng::Rng;
use crate::support::shop::{options, source, wait_until};
use crate::support::trade::{Request, Trade, answer};
use parking_lot::Mutex;
use stockade::engine::{Engine, EngineOptions, start};
use stockade::journal::{Faults, MemoryStore};

const CORES: usize = 2;
const BURSTS: usize = 25;
const SEEDS: u64 = 4;

/// What was decided, and which of it was sent.
#[derive(Default)]
struct Talk {
    sent: Vec<Trade>,
    pending: Vec<Trade>,
    board: Board,
}

impl Talk {
    fn burst(&mut self, engine: &Engine, core: usize, requests: Vec<Request>) {
        let known = requests.iter().map(|request| self.board.before(request)).collect::<Vec<_>>();
        let mut burst = engine.burst(core);
        let now_ms = burst.now_ms();
        let decided = requests.into_iter().zip(known).map(|(request, known)| {
            let answer = answer(&mut burst, &request);
            Trade { request, answer, known, now_ms, epoch: 0 }
        });
        let mut decided = decided.collect::<Vec<_>>();
        let epoch = burst.leave();
        decided.iter_mut().for_each(|trade| trade.epoch = epoch);
        self.pending.append(&mut decided);
    }

    fn send(&mut self, engine: &Engine) {
        let leaves = |trade: &mut Trade| engine.journal().may_leave(trade.epoch);
        for trade in self.pending.extract_if(.., leaves) {
            self.board.tell(&trade, false);
            self.sent.push(trade);
        }
    }
}

/// Decides all bursts of a seed. Some wait for their answers, some do not.
fn talk(engine: &Engine, seed: u64) -> Talk {
    let (mut rng, mut talk) = (Rng::new(seed), Talk::default());
    for index in 0..BURSTS {
        let mut requests = match index {
            0 => BATCHES.iter().map(|batch| Request::Create(*batch, terms(seed, *batch))).collect(),
            _ => Vec::new(),
        };
        for _ in 0..=rng.below(4) {
            let batch = BATCHES[usize::try_from(rng.below(4)).expect("one of four")];
            let operate = rng.chance(25);
            requests.push(if operate { operation(&mut rng, seed, batch) } else { shopping(&mut rng, None) });
        }
        talk.burst(engine, index % CORES, requests);
        if index < 3 || rng.chance(80) {
            let last = talk.pending.last().map_or(0, |trade| trade.epoch);
            let journal = engine.journal();
            wait_until("an answer or a failure comes", || journal.may_leave(last) || journal.failure().is_some());
        }
        talk.send(engine);
    }
    talk
}

/// One run whose n-th call fails. Returns the calls that were made.
fn run(seed: u64, faults: Faults) -> u64 {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&failures);
    let on_failure = Arc::new(move |reason: &str| told.lock().push(reason.to_owned()));
    let options_failing =
        EngineOptions { clock: Box::new(ManualClock::at(DAWN_MS)), ..EngineOptions::new(CORES, on_failure) };
    let store = MemoryStore::new(faults);
    let running = start(source(store.clone(), None), options_failing).expect("an empty store");
    let engine = Arc::clone(&running.engine);
    let talk = talk(&engine, seed);
    // The committer has done what it could.
    drop(running);
    let calls = store.calls();
    let context = format!("seed {seed}, {faults:?}");
    if calls < faults.fail_call || faults.fail_call == 0 {
        assert_eq!(*failures.lock(), Vec::<String>::new(), "{context}");
    } else {
        let reason = format!("a group could not be made durable: injected failure of call {}", faults.fail_call);
        assert_eq!(*failures.lock(), std::slice::from_ref(&reason), "{context}");
        assert_eq!(engine.journal().failure(), Some(reason.as_str()), "{context}");
        let last = talk.pending.iter().chain(&talk.sent).map(|trade| trade.epoch).max().unwrap_or(0);
        assert!((0..=last).all(|epoch| !engine.journal().may_leave(epoch)), "{context}");
        assert_eq!(calls, faults.fail_call, "nothing is tried after a failure: {context}");
    }
    // What the disk may hold now: between all that was written and what was surely synced.
    for unsynced in [0, store.unsynced_bytes() / 2, store.unsynced_bytes()] {
        restart(&talk, &store.after_power_loss(unsynced), &context);
    }
    calls
}

/// All that was sent holds, and a copy of what was not has one effect.
fn restart(talk: &Talk, store: &MemoryStore, context: &str) {
    let books = Books::read(store);
    let mut wrong = books.violations.clone();
    wrong.extend(talk.sent.iter().filter_map(|trade| objection(&books, trade)));
    let running = start(source(store.clone(), None), options(CORES, ManualClock::at(DAWN_MS)));
    let running = running.unwrap_or_else(|error| panic!("{context}: {error}"));
    wrong.extend(differences(&running.engine, &books));
    let (copies, strange) = retry(&running.engine, &books, &talk.pending);
    wrong.extend(strange);
    drop(running);
    let books = Books::read(store);
    wrong.extend(books.violations.clone());
    wrong.extend(copies.iter().chain(&talk.sent).filter_map(|trade| objection(&books, trade)));
    assert!(wrong.is_empty(), "{context}:\n{}", wrong.join("\n"));
}

#[test]
fn after_any_failed_call_nothing_leaves_and_nothing_answered_is_lost() {
    for seed in 0..SEEDS {
        let all = run(seed, Faults::default());
        assert!(all > 15, "{all} calls are too few to be a test");
        for keeps_failed in [false, true] {
            let mut fail_call = 0;
            loop {
                fail_call += 1;
                if run(seed, Faults { fail_call, keeps_failed, ..Faults::default() }) < fail_call {
                    break;
                }
            }
            assert!(fail_call > 15, "only {fail_call} calls failed");
        }
    }
}
