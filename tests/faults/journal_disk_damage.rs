//! Damage on the disk: a log that was cut, a bit that flipped, a ledger that is torn. Either nothing is missing and the
//! engine starts, or it does not start, names the epoch, and leaves everything as it was.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::folder::{Files, files, restore, storage, try_open};
use crate::support::offer::{create, terms};
use crate::support::shop::answered;
use stockade::engine::{EngineOptions, OpenError, Running, open, verify};
use stockade::journal::ChainError;
use stockade_protocol::Status;
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::hello::Durability;
use tempfile::TempDir;

const BATCH: u64 = 1;

/// Groups in the journal: the creation, and one for each grant.
const GROUPS: u64 = 7;

/// A folder with a small journal in its log, as files; and a place for copies of it.
fn journal() -> (TempDir, Files) {
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("whole");
    let running = try_open(&folder, 1).expect("an empty folder");
    create(&running.engine, BATCH, &terms(100));
    for user in 1..GROUPS {
        assert_eq!(claim(&running, user), Status::Granted);
    }
    drop(running);
    let files = files(&folder);
    (home, files)
}

fn claim(running: &Running, user: u64) -> Status {
    let reply = answered(&running.engine, 0, |burst| burst.claim(&Claim::new(BATCH, user, 1, 1)));
    reply.status().expect("a known status")
}

/// The files of RocksDB's log.
fn log(files: &Files) -> PathBuf {
    let mut logs = files.keys().filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    let log = logs.next().expect("RocksDB has a log").clone();
    assert_eq!(logs.next(), None, "one log file");
    log
}

/// How many users' grants there are. None may be missing between others.
fn grants(running: &Running) -> u64 {
    let found = answered(&running.engine, 0, |burst| {
        let key = |user| RequestKey::new(BATCH, user, 1);
        (1..GROUPS).map(|user| burst.lookup(&key(user)).status() == Some(Status::Granted)).collect::<Vec<_>>()
    });
    let count = found.iter().take_while(|found| **found).count();
    assert!(found[count..].iter().all(|found| !found), "{found:?}");
    count as u64
}

/// What became of a copy of the folder: how many grants it has after a start, or why there was none.
fn outcome(home: &TempDir, name: &str, damaged: &Files) -> Result<u64, ChainError> {
    let folder = home.path().join(name);
    restore(damaged, &folder);
    let verification = verify(&folder).expect("the folder can be read");
    unchanged(&folder, damaged, "verify");
    let result = match try_open(&folder, 1) {
        Ok(running) => {
            let grants = grants(&running);
            assert_eq!(claim(&running, 1_000), Status::Granted, "{name}: work goes on");
            drop(running);
            assert_eq!(verify(&folder).expect("the folder can be read").findings, [], "{name}");
            Ok(grants)
        }
        Err(OpenError::Chain(error)) => {
            unchanged(&folder, damaged, "a refused start");
            Err(error)
        }
        Err(error) => panic!("{name}: {error}"),
    };
    let named = verification.findings.iter().any(|finding| finding.what.contains("acknowledged groups are missing"));
    assert_eq!(result.is_err(), named, "{name}: a start says {result:?}, verify says {verification:?}");
    std::fs::remove_dir_all(folder).expect("it was there");
    result
}

/// Everything is as it was, but for the number in the lock.
fn unchanged(folder: &Path, before: &Files, by: &str) {
    let after = files(folder);
    let others = |files: &Files| {
        files
            .iter()
            .filter(|(path, _)| *path != Path::new("LOCK"))
            .map(|(path, bytes)| (path.clone(), bytes.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(others(before), others(&after), "files and sizes after {by}");
    let changed = before.iter().filter(|(path, bytes)| *path != Path::new("LOCK") && after.get(*path) != Some(bytes));
    assert_eq!(changed.map(|(path, _)| path).collect::<Vec<_>>(), Vec::<&PathBuf>::new(), "changed by {by}");
}

#[test]
fn a_whole_journal_is_clean() {
    let (home, whole) = journal();
    assert_eq!(outcome(&home, "copy", &whole), Ok(GROUPS - 1));
}

#[test]
fn a_log_that_was_cut_is_missed() {
    let (home, whole) = journal();
    let log = log(&whole);
    let length = whole[&log].len();
    let mut missing = Vec::new();
    for bytes in (0..length).step_by(29).chain([length - 1]) {
        let mut damaged = whole.clone();
        damaged.get_mut(&log).expect("the log").truncate(bytes);
        match outcome(&home, &format!("cut-{bytes}"), &damaged) {
            Err(ChainError::Missing { last, witnessed }) => {
                assert_eq!(witnessed, GROUPS);
                missing.push(last);
            }
            other => panic!("cut after {bytes} bytes: {other:?}"),
        }
    }
    missing.dedup();
    assert_eq!(missing, (0..GROUPS).collect::<Vec<_>>(), "each number of groups was left once");
}

#[test]
fn a_flipped_bit_in_the_log_is_found() {
    let (home, whole) = journal();
    let log = log(&whole);
    let mut harmless = 0;
    let positions = (0..whole[&log].len()).step_by(17);
    let count = positions.len();
    for at in positions {
        let mut damaged = whole.clone();
        damaged.get_mut(&log).expect("the log")[at] ^= 1 << (at % 8);
        match outcome(&home, &format!("flip-{at}"), &damaged) {
            Ok(grants) => {
                assert_eq!(grants, GROUPS - 1, "byte {at}: it starts with everything or not at all");
                harmless += 1;
            }
            Err(ChainError::Missing { witnessed, .. }) => assert_eq!(witnessed, GROUPS),
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(harmless * 10 < count, "{harmless} of {count} flipped bits were not noticed");
}

#[test]
fn a_torn_ledger_does_not_stop_the_start() {
    let (home, whole) = journal();
    let ledger = Path::new("ledger");
    for slot in 0..2 {
        for at in [0, 4, 8, 16, 24, 40, 47] {
            let mut damaged = whole.clone();
            damaged.get_mut(ledger).expect("the ledger")[slot * 512 + at] ^= 4;
            assert_eq!(outcome(&home, &format!("slot-{slot}-{at}"), &damaged), Ok(GROUPS - 1));
        }
    }
    let mut damaged = whole.clone();
    damaged.get_mut(ledger).expect("the ledger").fill(0);
    assert_eq!(outcome(&home, "no-slot", &damaged), Ok(GROUPS - 1));
    damaged.get_mut(ledger).expect("the ledger").clear();
    assert_eq!(outcome(&home, "empty", &damaged), Ok(GROUPS - 1));
}

#[test]
fn one_slot_of_the_ledger_still_witnesses() {
    let (home, whole) = journal();
    let log = log(&whole);
    for slot in 0..2 {
        let mut damaged = whole.clone();
        damaged.get_mut(Path::new("ledger")).expect("the ledger")[slot * 512] ^= 1;
        damaged.get_mut(&log).expect("the log").clear();
        match outcome(&home, &format!("slot-{slot}"), &damaged) {
            Err(ChainError::Missing { last: 0, witnessed }) => assert!((GROUPS - 1..=GROUPS).contains(&witnessed)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_ledger_of_another_store_witnesses_nothing() {
    let (home, whole) = journal();
    let (_other_home, other) = journal();
    let mut damaged = whole.clone();
    damaged.insert("ledger".into(), other[Path::new("ledger")].clone());
    assert_eq!(outcome(&home, "foreign-ledger", &damaged), Ok(GROUPS - 1));
}

#[test]
fn with_durability_os_lost_groups_are_reported_and_the_work_goes_on() {
    let (home, whole) = journal();
    let (log, ledger) = (log(&whole), Path::new("ledger"));
    let mut damaged = whole.clone();
    let length = whole[&log].len();
    damaged.get_mut(&log).expect("the log").truncate(length / 2);
    let folder = home.path().join("os");
    restore(&damaged, &folder);
    let reopen = || {
        let options = EngineOptions::new(1, Arc::new(|reason: &str| panic!("the journal failed: {reason}")));
        open(&storage(&folder, Durability::Os), options).unwrap_or_else(|error| panic!("{error}"))
    };
    let running = reopen();
    let (lost, kept) = (running.report.lost_epochs, running.report.groups);
    assert!(lost > 0 && lost + kept == GROUPS, "{lost} + {kept}");
    let at_start = files(&folder)[ledger].clone();
    assert_eq!(claim(&running, 500), Status::Granted);
    drop(running);
    // Killed after the group was written and before the ledger was: the next start must not miss what was given up.
    std::fs::write(folder.join(ledger), at_start).expect("room on the disk");
    let running = reopen();
    assert_eq!((running.report.lost_epochs, running.report.groups), (0, kept + 1));
    assert_eq!(claim(&running, 501), Status::Granted);
    drop(running);
    assert_eq!(verify(&folder).expect("the folder can be read").findings, []);
}
