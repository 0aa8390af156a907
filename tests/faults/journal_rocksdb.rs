//! The journal on a real disk: what was answered is there after every restart, whatever the number of cores, and after
//! a kill at any answer.

use std::path::Path;
use std::sync::Arc;

use crate::support::folder::{files, restore, storage, try_open};
use crate::support::offer::{create, terms};
use crate::support::shop::answered;
use stockade::engine::{Engine, EngineOptions, Running, open, verify};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, AddStock, BatchInfo, State, Terms};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::hello::Durability;

const BATCH: u64 = 1;
const PAUSED: u64 = 2;

fn reopen(folder: &Path, cores: usize) -> Running {
    try_open(folder, cores).unwrap_or_else(|error| panic!("{error}"))
}

fn claim(engine: &Engine, core: usize, claim: Claim) -> ClaimReply {
    answered(engine, core, |burst| burst.claim(&claim))
}

fn show(engine: &Engine, batch: u64) -> BatchInfo {
    answered(engine, 0, |burst| burst.show(batch))
}

/// All that was granted is found again, with the same serials.
fn all_there(engine: &Engine, grants: &[(u64, ClaimReply)]) {
    for (user, granted) in grants {
        let found = answered(engine, 0, |burst| burst.lookup(&RequestKey::new(BATCH, *user, 1)));
        assert_eq!((found.status(), found.is_replayed()), (Some(Status::Granted), true), "user {user}");
        assert_eq!((found.serial, found.granted, found.run), (granted.serial, granted.granted, granted.run));
    }
    let units = grants.iter().map(|(_, granted)| u32::from(granted.granted)).sum::<u32>();
    assert_eq!(show(engine, BATCH).granted.get(), units);
}

#[test]
fn everything_is_kept_through_restarts_with_other_numbers_of_cores() {
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("new/data");
    let mut grants = Vec::new();
    let (mut store_id, mut groups) = (None, 0);
    for (cores, first_user) in [(1, 0), (4, 100), (2, 200), (3, 300)] {
        let running = reopen(&folder, cores);
        let engine = &running.engine;
        assert_eq!(*store_id.get_or_insert(engine.store_id()), engine.store_id(), "the data keep their identity");
        assert_eq!(running.report.groups, groups);
        all_there_or_create(engine, &grants);
        for user in first_user..first_user + 25 {
            let core = usize::try_from(user).expect("small") % cores;
            let quantity = 1 + u8::try_from(user % 3).expect("small");
            let granted = claim(engine, core, Claim::new(BATCH, user, 1, quantity));
            assert_eq!((granted.status(), granted.granted), (Some(Status::Granted), quantity));
            grants.push((user, granted));
        }
        let added = answered(engine, 0, |burst| burst.add_stock(&AddStock::new(BATCH, first_user, 10)));
        assert_eq!(added.status(), Some(Status::Done));
        groups += 26 + if first_user == 0 { 3 } else { 0 };
        drop(running);
    }
    let running = reopen(&folder, 2);
    all_there(&running.engine, &grants);
    assert_eq!(show(&running.engine, BATCH).total.get(), 1_040);
    assert_eq!(show(&running.engine, PAUSED).state(), Some(State::Paused));
    drop(running);
    let verification = verify(&folder).expect("the folder can be read");
    assert_eq!(verification.findings, []);
    assert_eq!((verification.groups, verification.grants), (groups, 100));
    assert_eq!(verification.last_epoch, verification.witnessed_epoch);
    assert_eq!(verification.batches[0], (BATCH, 1_040, show_units(&grants)));
}

fn show_units(grants: &[(u64, ClaimReply)]) -> u64 {
    grants.iter().map(|(_, granted)| u64::from(granted.granted)).sum()
}

fn all_there_or_create(engine: &Engine, grants: &[(u64, ClaimReply)]) {
    if !grants.is_empty() {
        return all_there(engine, grants);
    }
    create(engine, BATCH, &Terms { per_user: Some(3), ..terms(1_000) });
    create(engine, PAUSED, &terms(1));
    answered(engine, 0, |burst| burst.change(PAUSED, Action::Pause));
}

#[test]
fn a_kill_after_any_answer_loses_nothing() {
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("data");
    let running = reopen(&folder, 2);
    create(&running.engine, BATCH, &terms(50));
    let mut grants = Vec::new();
    for user in 0..12 {
        let granted = claim(&running.engine, usize::from(user % 2 == 1), Claim::new(BATCH, user, 1, 2));
        grants.push((user, granted));
        // What the process would leave behind if it died now.
        let copy = home.path().join(format!("after-{user}"));
        restore(&files(&folder), &copy);
        let revived = reopen(&copy, 2);
        all_there(&revived.engine, &grants);
        let again = claim(&revived.engine, 0, Claim::new(BATCH, user, 1, 2));
        assert!(again.is_replayed());
        drop(revived);
        assert_eq!(verify(&copy).expect("the folder can be read").findings, []);
    }
}

#[test]
fn groups_of_many_table_files_are_read_in_order() {
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("data");
    let mut first_user = 0;
    for _restart in 0..4 {
        let running = reopen(&folder, 2);
        if first_user == 0 {
            create(&running.engine, BATCH, &terms(1_000_000));
        }
        // More than one segment of a mebibyte: RocksDB flushes and compacts.
        for _group in 0..20 {
            answered(&running.engine, 0, |burst| {
                for user in first_user..first_user + 5_000 {
                    assert_eq!(burst.claim(&Claim::new(BATCH, user, 1, 1)).granted, 1);
                }
            });
            first_user += 5_000;
        }
    }
    let running = reopen(&folder, 1);
    assert_eq!(running.report.records, first_user);
    assert_eq!(u64::from(show(&running.engine, BATCH).granted.get()), first_user);
}

#[test]
fn durability_os_keeps_everything_when_only_the_process_dies() {
    let home = tempfile::tempdir().expect("room on the disk");
    let options = || EngineOptions::new(2, Arc::new(|reason: &str| panic!("the journal failed: {reason}")));
    let kept = storage(&home.path().join("data"), Durability::Os);
    let running = open(&kept, options()).expect("an empty folder");
    create(&running.engine, BATCH, &terms(5));
    let granted = claim(&running.engine, 0, Claim::new(BATCH, 1, 1, 1));
    drop(running);
    let running = open(&kept, options()).expect("a journal in order");
    all_there(&running.engine, &[(1, granted)]);
}

#[test]
fn durability_memory_keeps_nothing_and_touches_no_disk() {
    let home = tempfile::tempdir().expect("room on the disk");
    let options = EngineOptions::new(2, Arc::new(|reason: &str| panic!("the journal failed: {reason}")));
    let running = open(&storage(&home.path().join("data"), Durability::Memory), options).expect("nothing to open");
    create(&running.engine, BATCH, &terms(5));
    assert_eq!(claim(&running.engine, 0, Claim::new(BATCH, 1, 1, 1)).status(), Some(Status::Granted));
    assert_eq!((running.engine.store_id(), files(home.path()).len()), (0, 0));
}
