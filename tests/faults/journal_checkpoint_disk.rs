//! Checkpoints on a real disk: they give space back, and a crash between any two steps leaves a folder that starts and
//! holds the same.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::support::clock::ManualClock;
use crate::support::folder::{Files, files, restore, storage, try_open};
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, wait_until};
use crate::support::wrapped::{Around, Wrapped};
use stockade::engine::{Engine, EngineOptions, StorageOptions, Verification, open, verify};
use stockade::journal::{CheckpointStore, Depth, Folder, RocksOptions, StoreError, Usage, take};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo, State};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::hello::Durability;

const LIVE: u64 = 1;
const SHORT: u64 = 2;
const CLAIMS: u32 = 400;

/// One burst of claims by so many users.
fn sell(engine: &Engine, batch: u64, users: std::ops::Range<u32>) {
    let granted = answered(engine, 0, |burst| {
        let claims = users.clone().map(|user| burst.claim(&Claim::new(batch, u64::from(user), 1, 1)));
        claims.filter(|reply| reply.status() == Some(Status::Granted)).count()
    });
    assert_eq!(granted, users.len());
}

fn close(engine: &Engine, batch: u64) {
    for action in [Action::End, Action::Close] {
        assert_eq!(answered(engine, 0, |burst| burst.change(batch, action)).status(), Some(Status::Done));
    }
}

/// What a restart shows.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    batches: Vec<(u64, u32, u32, Option<State>)>,
    live_serials: Vec<u32>,
}

fn shown(engine: &Engine) -> Shown {
    let brief = |info: BatchInfo| (info.batch.get(), info.total.get(), info.granted.get(), info.state());
    let batches = [LIVE, SHORT].map(|batch| brief(answered(engine, 0, |burst| burst.show(batch))));
    let serial = |user: u32| {
        let reply = answered(engine, 0, |burst| burst.lookup(&RequestKey::new(LIVE, u64::from(user), 1)));
        assert_eq!(reply.status(), Some(Status::Granted));
        reply.serial.get()
    };
    Shown { batches: batches.into(), live_serials: (0..CLAIMS).map(serial).collect() }
}

/// Takes a picture of the folder after each call.
struct Pictures<'a> {
    folder: &'a Path,
    taken: RefCell<Vec<(&'static str, Files)>>,
}

impl Around for Pictures<'_> {
    fn around(&self, call: &'static str, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let result = work();
        self.taken.borrow_mut().push((call, files(self.folder)));
        result
    }
}

fn verified(folder: &Path, context: &str) -> Verification {
    let verification = verify(folder).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(verification.findings, [], "{context}");
    verification
}

#[test]
fn a_crash_after_any_step_of_a_checkpoint_changes_nothing() {
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("data");
    let running = try_open(&folder, 2).expect("a new folder");
    let engine = &running.engine;
    for batch in [LIVE, SHORT] {
        create(engine, batch, &terms(1_000));
    }
    sell(engine, LIVE, 0..CLAIMS);
    sell(engine, SHORT, 0..1_000);
    close(engine, SHORT);
    sell(engine, LIVE, CLAIMS..CLAIMS + 1);
    let (expected, durable) = (shown(engine), engine.journal().durable());
    drop(running);

    // Each has something to replace: a base, a second part upon it, and all of it.
    let usage = Usage::default();
    usage.closed(SHORT, durable - 2, 1_000);
    let pictures = {
        let open = Folder::open(&folder).expect("nobody uses it");
        let store = open.store(RocksOptions { segment_bytes: 1 << 20, synced: true }).expect("it opens");
        let store = store.checkpoints(&open.drafts()).expect("room on the disk");
        let photographed = Wrapped { store, around: Pictures { folder: &folder, taken: RefCell::default() } };
        for up_to in [(durable - 4, Depth::Whole), (durable, Depth::Recent), (durable, Depth::Whole)] {
            let taken = take(&photographed, open.store_id(), up_to, &usage, &|_, _| true);
            let head = taken.expect("it works").expect("there are groups").head;
            photographed.clear(&head.generations(), head.replaced.epoch).expect("it works");
        }
        photographed.around.taken.into_inner()
    };
    let calls = pictures.iter().map(|(call, _)| *call).collect::<Vec<_>>();
    assert_eq!(calls, ["begin", "append", "finish", "install", "clear"].repeat(3));

    for (index, (call, picture)) in pictures.iter().enumerate() {
        let context = format!("{index}, after {call}");
        let copy = home.path().join(format!("copy-{index}"));
        restore(picture, &copy);
        let verification = verified(&copy, &context);
        let installed = index >= 3;
        assert_eq!(verification.checkpoint_epoch > 0, installed, "{context}");
        let counted = verification.counted_units;
        assert_eq!(verification.grants + counted, 1_401, "{context}");
        assert!((index < 13 || counted == 1_000) && (index >= 8 || counted == 0), "{context}: {counted}");
        for _ in 0..2 {
            let running = try_open(&copy, 1).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!(shown(&running.engine), expected, "{context}");
        }
        assert!(!copy.join("drafts").exists(), "{context}: a draft that was given up is removed");
    }
}

fn disk_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let sizes = entries.map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => disk_bytes(&entry.path()),
        // A file may go while we look.
        Ok(_) | Err(_) => entry.metadata().map_or(0, |metadata| metadata.len()),
    });
    sizes.sum()
}

#[test]
fn many_short_batches_take_no_more_disk_than_few() {
    const ROUND_CLAIMS: u32 = 20_000;
    const ROUNDS: u64 = 120;
    // A segment and what is dead when a checkpoint begins.
    const MEBIBYTE: u64 = 1 << 20;
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("data");
    let storage = StorageOptions { checkpoint_dead_bytes: MEBIBYTE, ..storage(&folder, Durability::Os) };
    let on_failure = Arc::new(|reason: &str| panic!("the journal failed: {reason}"));
    let clock = Box::new(ManualClock::at(1_000));
    let running = open(&storage, EngineOptions { clock, ..EngineOptions::new(1, on_failure) }).expect("a new folder");
    let engine = &running.engine;
    create(engine, LIVE, &terms(CLAIMS));
    create(engine, SHORT, &terms(1));
    sell(engine, LIVE, 0..CLAIMS);
    let mut written = 0;
    for batch in 10..10 + ROUNDS {
        create(engine, batch, &terms(ROUND_CLAIMS));
        sell(engine, batch, 0..ROUND_CLAIMS);
        close(engine, batch);
        written += u64::from(ROUND_CLAIMS) * 16;
        let stored = || engine.usage().stored_bytes();
        wait_until("checkpoints keep up", || stored() < 4 * MEBIBYTE);
    }
    let taken = engine.metrics().checkpoint.taken.load(Ordering::Relaxed);
    let expected = shown(engine);
    drop(running);
    let kept = disk_bytes(&folder);
    // Some segments wait until RocksDB has moved them down to where whole files can be deleted.
    assert!(written > 36 * MEBIBYTE && kept < 16 * MEBIBYTE, "{kept} of {written} bytes are kept, {taken} checkpoints");
    assert!(taken >= 8, "{taken} checkpoints");

    let verification = verified(&folder, "after all rounds");
    assert!(verification.checkpoint_epoch > 0);
    let running = try_open(&folder, 3).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown(&running.engine), expected);
    let last = answered(&running.engine, 0, |burst| burst.show(10 + ROUNDS - 1));
    assert_eq!((last.granted.get(), last.total.get()), (ROUND_CLAIMS, ROUND_CLAIMS));
}
