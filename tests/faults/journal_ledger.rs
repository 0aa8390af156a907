//! The commit ledger follows the store and never runs ahead of it: what it witnesses is durable.

use std::path::Path;
use std::sync::Arc;

use crate::support::clock::ManualClock;
use crate::support::gate::GatedStore;
use crate::support::groups::Groups;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source, wait_until};
use parking_lot::Mutex;
use stockade::engine::{EngineOptions, Running, Source, start};
use stockade::journal::{Faults, Ledger, Mark, MemoryStore, Store};
use stockade_protocol::claim::Claim;

const BATCH: u64 = 1;

/// A journal in `store`, witnessed in the file at `path`.
fn witnessed_source(store: impl Store + 'static, path: &Path) -> Source {
    let kept = source(store, read(path));
    let ledger = Ledger::open(path, kept.store_id).expect("room on the disk");
    Source { ledger: Some(Arc::new(ledger)), ..kept }
}

fn read(path: &Path) -> Option<Mark> {
    Ledger::read(path, source(Groups::default(), None).store_id).expect("the file can be read")
}

fn claim(running: &Running, user: u64) {
    let reply = answered(&running.engine, 0, |burst| burst.claim(&Claim::new(BATCH, user, 1, 1)));
    assert_eq!(reply.granted, 1);
}

#[test]
fn a_group_is_witnessed_when_it_is_durable_and_not_before() {
    let home = tempfile::tempdir().expect("room on the disk");
    let (path, store) = (home.path().join("ledger"), GatedStore::default());
    let running = start(witnessed_source(store.clone(), &path), options(1, ManualClock::at(0))).expect("nothing yet");
    assert_eq!(read(&path), None);
    create(&running.engine, BATCH, &terms(10));
    for user in 0..5 {
        claim(&running, user);
        let durable = Groups::of(&store.store);
        let last = durable.mark(durable.groups.len() - 1);
        wait_until("the last group is witnessed", || read(&path) == Some(last));
        store.hold();
        let mut burst = running.engine.burst(0);
        burst.claim(&Claim::new(BATCH, user, 2, 1));
        let epoch = burst.leave();
        store.wait_until_held();
        assert_eq!(read(&path), Some(last), "the group of epoch {epoch} is not durable yet");
        store.release();
        wait_until("it is durable", || running.engine.journal().may_leave(epoch));
    }
    drop(running);
    let all = Groups::of(&store.store);
    assert_eq!(read(&path), Some(all.mark(all.groups.len() - 1)));
    assert!(start(witnessed_source(all, &path), options(1, ManualClock::at(0))).is_ok());
}

#[test]
fn a_group_whose_call_failed_is_not_witnessed() {
    for keeps_failed in [false, true] {
        // The creation takes two calls, the first claim fails in its sync.
        let (faults, home) = (
            Faults { fail_call: 4, keeps_failed, ..Faults::default() },
            tempfile::tempdir().expect("room on the disk"),
        );
        let (path, store) = (home.path().join("ledger"), MemoryStore::new(faults));
        let failures = Arc::new(Mutex::new(0));
        let told = Arc::clone(&failures);
        let options_failing = EngineOptions::new(1, Arc::new(move |_: &str| *told.lock() += 1));
        let running = start(witnessed_source(store.clone(), &path), options_failing).expect("nothing yet");
        create(&running.engine, BATCH, &terms(10));
        let mut burst = running.engine.burst(0);
        burst.claim(&Claim::new(BATCH, 1, 1, 1));
        let _epoch = burst.leave();
        drop(running);
        assert_eq!(*failures.lock(), 1);
        let written = Groups::of(&store);
        assert_eq!((written.groups.len(), read(&path)), (2, Some(written.mark(0))));
        for unsynced in [0, usize::MAX / 2] {
            let left = store.after_power_loss(unsynced);
            assert!(start(witnessed_source(left, &path), options(1, ManualClock::at(0))).is_ok());
        }
    }
}
