//! An engine on a store of the test's choice, and a client that waits for its answers.

use std::sync::Arc;
use std::thread;

use stockade::engine::{Burst, Clock, Engine, EngineOptions, Source};
use stockade::journal::{Mark, Store};
use stockade_protocol::hello::Durability;

/// Identity of the data in these tests.
pub(crate) const STORE_ID: u64 = 0x5354_4f52;

/// Offers of the processor to others before a test gives up on an answer: the committer's thread must have died.
const PATIENCE: u64 = 1 << 26;

/// A journal in `store`, of which `witnessed` is known to be durable.
pub(crate) fn source(store: impl Store + 'static, witnessed: Option<Mark>) -> Source {
    let store = Box::new(store);
    Source { store, store_id: STORE_ID, witnessed, ledger: None, durability: Durability::Fsync }
}

/// Options for `cores` cores whose journal must not fail.
pub(crate) fn options(cores: usize, clock: impl Clock + 'static) -> EngineOptions {
    let on_failure = Arc::new(|reason: &str| panic!("the journal failed: {reason}"));
    EngineOptions { clock: Box::new(clock), ..EngineOptions::new(cores, on_failure) }
}

/// Decides `work` in a burst of `core`, and returns its answer when it may leave.
pub(crate) fn answered<T>(engine: &Engine, core: usize, work: impl FnOnce(&mut Burst<'_>) -> T) -> T {
    let mut burst = engine.burst(core);
    let answer = work(&mut burst);
    let epoch = burst.leave();
    wait_until("an answer may leave", || engine.journal().may_leave(epoch));
    answer
}

/// Offers the processor to others until `condition` holds.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let mut rounds = 0;
    while !condition() {
        rounds += 1;
        assert!(rounds < PATIENCE, "it never came to pass that {what}");
        thread::yield_now();
    }
}
