//! Checkpoints: what a restart finds behind one, what it finds when any call of one fails, and what it finds when one
//! is damaged.

use crate::support::books::Books;
use crate::support::clock::ManualClock;
use crate::support::inspection::differences;
use crate::support::offer::{create, terms};
use crate::support::shop::{STORE_ID, answered, options, source};
use stockade::engine::{OpenError, Running, start};
use stockade::journal::{
    ChainError, CheckpointStore, Depth, Faults, Head, MemoryStore, ReplayError, TakeError, Taken, Usage, take,
};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, AddStock, Terms};
use stockade_protocol::claim::Claim;

/// Lives on.
pub(crate) const LIVE: u64 = 1;
/// Sells, ends and closes.
pub(crate) const SHORT: u64 = 2;
/// Closes without a claim.
const UNUSED: u64 = 3;

/// Epochs and groups.
pub(crate) type Groups = Vec<(u64, Vec<u8>)>;

const DAY_MS: u64 = 86_400_000;

fn open(store: &MemoryStore, now_ms: u64) -> Running {
    start(source(store.clone(), None), options(2, ManualClock::at(now_ms))).unwrap_or_else(|error| panic!("{error}"))
}

/// So many claims of one batch by users from `first` on, some of several units; each in a group of its own.
pub(crate) fn sell(running: &Running, batch: u64, first: u64, claims: u64) {
    for user in first..first + claims {
        let core = usize::try_from(user % 2).expect("small");
        let quantity = 1 + u8::try_from(user % 3).expect("small");
        let reply = answered(&running.engine, core, |burst| burst.claim(&Claim::new(batch, user, 9, quantity)));
        assert_eq!(reply.status(), Some(Status::Granted), "{batch}: {user}");
    }
}

pub(crate) fn close(running: &Running, batch: u64) {
    for action in [Action::End, Action::Close] {
        let info = answered(&running.engine, 0, |burst| burst.change(batch, action));
        assert_eq!(info.status(), Some(Status::Done));
    }
}

/// A store with a batch that lives and two that have closed.
pub(crate) fn shop(faults: Faults) -> (MemoryStore, Running) {
    let store = MemoryStore::new(faults);
    let running = open(&store, DAY_MS);
    for batch in [LIVE, SHORT, UNUSED] {
        create(&running.engine, batch, &Terms { per_user: Some(6), ..terms(100) });
    }
    sell(&running, LIVE, 0, 10);
    sell(&running, SHORT, 0, 12);
    let added = answered(&running.engine, 1, |burst| burst.add_stock(&AddStock::new(SHORT, 5, 11)));
    assert_eq!(added.status(), Some(Status::Done));
    close(&running, SHORT);
    close(&running, UNUSED);
    sell(&running, LIVE, 20, 5);
    (store, running)
}

pub(crate) fn checkpoint(store: &MemoryStore, running: &Running, depth: Depth) -> Result<Taken, TakeError> {
    let (engine, durable) = (&running.engine, running.engine.journal().durable());
    take(store, STORE_ID, (durable, depth), engine.usage(), &|_, _| true).map(|taken| taken.expect("not given up"))
}

/// The same, and what it replaced is gone.
pub(crate) fn settled(store: &MemoryStore, running: &Running, depth: Depth) -> Taken {
    let taken = checkpoint(store, running, depth).unwrap_or_else(|error| panic!("{error:?}"));
    store.clear(&taken.head.generations(), taken.head.replaced.epoch).expect("the store does not fail");
    taken
}

pub(crate) fn refusal(store: &MemoryStore) -> OpenError {
    match start(source(store.clone(), None), options(1, ManualClock::at(0))) {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

/// A restart of this store is what its whole history says.
pub(crate) fn is_all_there(store: &MemoryStore, context: &str) -> Running {
    let running = start(source(store.clone(), None), options(3, ManualClock::at(0)));
    let running = running.unwrap_or_else(|error| panic!("{context}: {error}"));
    let books = Books::read(store);
    assert_eq!(books.violations, Vec::<String>::new(), "{context}");
    assert_eq!(differences(&running.engine, &books), Vec::<String>::new(), "{context}");
    running
}

#[test]
fn closed_claims_are_left_out_and_nothing_else() {
    let (store, running) = shop(Faults::default());
    let taken = settled(&store, &running, Depth::Whole);
    assert!(taken.after_bytes < taken.before_bytes / 3, "many small groups became one: {taken:?}");
    // The journal goes on behind it.
    sell(&running, LIVE, 30, 4);
    let stored = running.engine.usage().stored_bytes();
    drop(running);

    let running = is_all_there(&store, "after one checkpoint");
    assert_eq!(running.report.records, 10 + 5 + 4);
    assert_eq!((running.report.checkpoint_epoch, running.report.bytes), (taken.head.replaced.epoch, stored));
    assert_eq!(running.engine.usage().stored_bytes(), stored, "known again after a restart");
    let short = answered(&running.engine, 0, |burst| burst.show(SHORT));
    assert_eq!((short.granted.get(), short.total.get()), (24, 111));
    assert!(running.engine.now_ms() >= DAY_MS);

    // The next one stands on the one before.
    close(&running, LIVE);
    sell_another(&running);
    settled(&store, &running, Depth::Whole);
    drop(running);
    let running = is_all_there(&store, "after two checkpoints");
    assert_eq!(running.report.records, 3);
    // And one with nothing new in it changes nothing.
    let (before, again) = (running.report.last_epoch, settled(&store, &running, Depth::Whole));
    assert_eq!((again.before_bytes, again.head.replaced.epoch), (again.after_bytes, before));
    drop(running);
    let running = is_all_there(&store, "after three checkpoints");
    sell(&running, 7, 100, 2);
    drop(running);
    is_all_there(&store, "and some claims");
}

fn sell_another(running: &Running) {
    create(&running.engine, 7, &terms(50));
    sell(running, 7, 0, 3);
}

#[test]
fn a_year_between_two_claims_is_kept_to_the_millisecond() {
    let store = MemoryStore::new(Faults::default());
    for now_ms in [DAY_MS, 400 * DAY_MS, 800 * DAY_MS + 7] {
        let running = open(&store, now_ms);
        create(&running.engine, LIVE, &terms(100));
        sell(&running, LIVE, now_ms, 2);
        settled(&store, &running, Depth::Whole);
    }
    let running = is_all_there(&store, "after years");
    assert_eq!(running.engine.now_ms(), 800 * DAY_MS + 7);
}

#[test]
fn whichever_call_fails_a_restart_finds_the_one_or_the_other() {
    for keeps_failed in [false, true] {
        let mut failed = 0;
        for fail_checkpoint_call in 1.. {
            let (store, running) = shop(Faults { fail_checkpoint_call, keeps_failed, ..Faults::default() });
            let result = checkpoint(&store, &running, Depth::Whole);
            let in_doubt = matches!(&result, Err(TakeError::InDoubt(ReplayError::Store(_))));
            let cleared =
                result.as_ref().map(|taken| store.clear(&taken.head.generations(), taken.head.replaced.epoch));
            // Claims go on, whatever became of it.
            sell(&running, LIVE, 40, 3);
            drop(running);
            let context = format!("call {fail_checkpoint_call}, kept {keeps_failed}, {result:?}");
            for lost in [0, usize::MAX] {
                let rest = if lost == 0 { store.after_power_loss(0) } else { store.clone() };
                let running = is_all_there(&rest, &context);
                let installed = running.report.checkpoint_epoch > 0;
                assert_eq!(installed, result.is_ok() || (in_doubt && keeps_failed), "{context}");
                // The next one is not disturbed by what that one left.
                let rest = rest.after_power_loss(0);
                settled(&rest, &running, Depth::Whole);
                drop(running);
                let running = is_all_there(&rest, &context);
                assert_eq!(running.report.records, 18, "{context}");
            }
            if cleared.is_ok_and(|cleared| cleared.is_ok()) {
                break;
            }
            failed += 1;
        }
        assert_eq!(failed, 5, "begin, append, finish, install and clear can fail");
    }
}

#[test]
fn a_damaged_head_stops_the_start() {
    let (store, running) = shop(Faults::default());
    settled(&store, &running, Depth::Whole);
    drop(running);
    let length = store.damage_checkpoint(|head, _| head.as_ref().map_or(0, Vec::len));
    assert!(length > 0);
    for bit in 0..length * 8 {
        let damaged = store.after_power_loss(0);
        damaged.damage_checkpoint(|head, _| head.as_mut().expect("installed")[bit / 8] ^= 1 << (bit % 8));
        assert!(matches!(refusal(&damaged), OpenError::Chain(ChainError::Head)), "bit {bit}");
    }
}

#[test]
fn a_journal_without_the_checkpoint_before_it_does_not_start() {
    let (store, running) = shop(Faults::default());
    settled(&store, &running, Depth::Whole);
    sell(&running, LIVE, 50, 1);
    drop(running);
    store.damage_checkpoint(|head, _| *head = None);
    assert!(matches!(refusal(&store), OpenError::Chain(ChainError::Broken { after: 0, .. })));
}

#[test]
fn a_damaged_checkpoint_stops_the_start() {
    let (store, running) = shop(Faults::default());
    settled(&store, &running, Depth::Whole);
    let generation = settled(&store, &running, Depth::Whole).head.generation;
    drop(running);
    let damage = |change: &dyn Fn(&mut Groups)| {
        let damaged = store.after_power_loss(0);
        damaged.damage_checkpoint(|_, kept| change(kept.get_mut(&generation).expect("installed")));
        refusal(&damaged)
    };
    let length = store.damage_checkpoint(|_, kept| kept[&generation][0].1.len());
    for byte in 0..length {
        let found = damage(&|groups| groups[0].1[byte] ^= 1 << (byte % 8));
        assert!(matches!(found, OpenError::Chain(ChainError::Group { .. })), "byte {byte}: {found}");
    }
    let gone = damage(&|groups| groups.clear());
    assert!(matches!(gone, OpenError::Chain(ChainError::Checkpoint { last: 0, .. })), "{gone}");
    let doubled = damage(&|groups| groups.push((groups[0].0 + 1, groups[0].1.clone())));
    assert!(matches!(doubled, OpenError::Chain(ChainError::Broken { .. })), "{doubled}");
}

#[test]
fn the_groups_of_another_checkpoint_do_not_fit() {
    let (store, running) = shop(Faults::default());
    let first = checkpoint(&store, &running, Depth::Whole).expect("taken").head;
    sell(&running, LIVE, 60, 1);
    let second = checkpoint(&store, &running, Depth::Whole).expect("taken").head;
    drop(running);
    is_all_there(&store, "both are kept");
    store.damage_checkpoint(|_, kept| {
        let other = kept[&first.generation].clone();
        kept.insert(second.generation, other);
    });
    let found = refusal(&store);
    assert!(matches!(found, OpenError::Chain(ChainError::Broken { after: 0, .. })), "{found}");
}

#[test]
fn a_checkpoint_that_the_ledger_contradicts_stops_the_start() {
    let (store, running) = shop(Faults::default());
    let replaced = settled(&store, &running, Depth::Whole).head.replaced;
    drop(running);
    let mut other = replaced;
    other.hash[0] ^= 1;
    let started = |mark| start(source(store.after_power_loss(0), Some(mark)), options(1, ManualClock::at(0)));
    assert!(started(replaced).is_ok());
    let found = started(other).err().expect("another group was witnessed");
    assert!(matches!(found, OpenError::Chain(ChainError::Exchanged { .. })), "{found}");
    other.epoch += 1;
    let found = started(other).err().expect("a later group was witnessed");
    assert!(matches!(found, OpenError::Chain(ChainError::Missing { .. })), "{found}");
}

#[test]
fn claims_that_a_checkpoint_left_out_of_a_live_batch_are_missed() {
    let (store, running) = shop(Faults::default());
    // A mistake of the engine: it says that the batch has closed.
    running.engine.usage().closed(LIVE, 1, 15);
    settled(&store, &running, Depth::Whole);
    drop(running);
    match refusal(&store) {
        OpenError::Violation(violation) => assert_eq!(violation.batch, Some(LIVE), "{violation}"),
        error => panic!("{error}"),
    }
}

#[test]
fn a_batch_that_closes_at_the_end_is_left_in() {
    // Claims of the same and of the next epoch may follow in the journal.
    let (store, running) = shop(Faults::default());
    sell_another(&running);
    close(&running, 7);
    let durable = running.engine.journal().durable();
    let usage = Usage::default();
    usage.closed(7, durable, 3);
    take(&store, STORE_ID, (durable, Depth::Whole), &usage, &|_, _| true).expect("taken");
    drop(running);
    assert_eq!(is_all_there(&store, "closed in the last epoch").report.records, 10 + 12 + 5 + 3);
}

#[test]
fn a_checkpoint_given_up_leaves_nothing_behind() {
    let (store, running) = shop(Faults::default());
    let engine = &running.engine;
    let rounds = std::cell::Cell::new(0);
    let goes_on = |_, _| rounds.replace(rounds.get() + 1) != 5;
    let taken = take(&store, STORE_ID, (engine.journal().durable(), Depth::Whole), engine.usage(), &goes_on);
    assert!(matches!(taken, Ok(None)), "{taken:?}");
    drop(running);
    assert_eq!(is_all_there(&store, "given up").report.checkpoint_epoch, 0);
}

#[test]
fn a_head_is_read_as_it_was_written() {
    let (store, running) = shop(Faults::default());
    let head = checkpoint(&store, &running, Depth::Whole).expect("taken").head;
    assert_eq!(Head::decode(&head.encode()), Some(head));
    assert_eq!(Head::decode(&head.encode()[1..]), None);
    assert_eq!(Head::decode(&[]), None);
}
