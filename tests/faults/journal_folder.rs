//! A data folder that cannot be used is refused with its reason, and nothing in it changes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::alone::in_another_process;
use crate::support::folder::{Files, files, refusal, try_open};
use crate::support::offer::{create, terms};
use stockade::engine::{OpenError, verify};
use stockade::journal::FolderError;
use stockade_protocol::Status;
use tempfile::TempDir;

/// Where the other process finds the folder.
const FOLDER_VARIABLE: &str = "STOCKADE_TEST_FOLDER";

/// What the other process says when the folder is in use.
const IN_USE: &str = "in use by process";

/// A folder with one batch in it, that nobody uses.
fn used() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("data");
    let running = try_open(&folder, 1).expect("an empty folder");
    assert_eq!(create(&running.engine, 1, &terms(1)).status(), Some(Status::Done));
    drop(running);
    (home, folder)
}

/// The folder is refused by a start, and by `verify`, and is the same afterwards, but for the number in its lock.
fn refused(folder: &Path) -> (FolderError, FolderError) {
    let unlocked = |mut files: Files| {
        files.remove(Path::new("LOCK"));
        files
    };
    let before = unlocked(files(folder));
    let start = match refusal(folder) {
        OpenError::Folder(error) => error,
        error => panic!("not because of the folder: {error}"),
    };
    let verification = verify(folder).expect_err("a start refuses it, too");
    let after = unlocked(files(folder));
    let changed = before.iter().filter(|(path, bytes)| after.get(*path) != Some(bytes)).map(|(path, _)| path);
    assert_eq!(changed.collect::<Vec<_>>(), Vec::<&PathBuf>::new(), "changed by: {start}");
    assert_eq!(before.len(), after.len(), "{:?} after: {start}", after.keys());
    (start, verification)
}

#[test]
fn a_folder_in_use_is_refused() {
    let (_home, folder) = used();
    let running = try_open(&folder, 1).expect("nobody uses it");
    let before = files(&folder);
    for error in [refusal(&folder), OpenError::Folder(verify(&folder).expect_err("it is in use"))] {
        match error {
            OpenError::Folder(FolderError::InUse(path, holder)) => {
                assert_eq!((path, holder), (folder.clone(), std::process::id().to_string()));
            }
            error => panic!("not because of the other: {error}"),
        }
    }
    assert_eq!(files(&folder), before);
    drop(running);
    assert!(try_open(&folder, 1).is_ok(), "the lock goes with its holder");
}

#[test]
fn a_folder_in_use_is_refused_to_another_process() {
    let (_home, folder) = used();
    let test = concat!(module_path!(), "::opens_the_folder_of_another_test");
    let other = || in_another_process(test, &[(FOLDER_VARIABLE, folder.as_os_str())]);
    let running = try_open(&folder, 1).expect("nobody uses it");
    let refused = other();
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&format!("{IN_USE} {}", std::process::id())), "{said}");
    drop(running);
    assert!(other().status.success());
}

#[test]
#[ignore = "the other process of another test"]
fn opens_the_folder_of_another_test() {
    let folder = std::env::var_os(FOLDER_VARIABLE).expect("the other test names the folder");
    if let Err(error) = try_open(Path::new(&folder), 1) {
        panic!("{error}");
    }
}

#[test]
fn a_newer_format_is_refused() {
    let (_home, folder) = used();
    fs::write(folder.join("FORMAT"), "stockade-data 3\nsomething new\n").expect("room on the disk");
    let (start, verification) = refused(&folder);
    assert!(matches!(start, FolderError::NewerFormat(_, 3)), "{start}");
    assert!(matches!(verification, FolderError::NewerFormat(_, 3)), "{verification}");
    fs::remove_file(folder.join("LOCK")).expect("there was a lock");
    refused(&folder);
    assert!(!folder.join("LOCK").exists(), "not even a lock is left");
}

#[test]
fn a_damaged_format_is_refused() {
    let (_home, folder) = used();
    let whole = fs::read_to_string(folder.join("FORMAT")).expect("there is a format");
    let without_id = whole.lines().next().expect("a first line");
    for damaged in ["", "stockade-data", "stockade-data x\nstore-id 1\n", without_id, "store-id 1\n"] {
        fs::write(folder.join("FORMAT"), damaged).expect("room on the disk");
        let (start, _) = refused(&folder);
        assert!(matches!(start, FolderError::FormatDamaged(_)), "{start}");
    }
    fs::write(folder.join("FORMAT"), whole).expect("room on the disk");
    assert!(try_open(&folder, 1).is_ok());
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let home = tempfile::tempdir().expect("room on the disk");
    for file in ["photo.jpg", "rocksdb/CURRENT", ".hidden"] {
        let folder = home.path().join(file.replace('/', "-"));
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("room on the disk");
        fs::write(&path, "mine").expect("room on the disk");
        let (start, verification) = refused(&folder);
        assert!(matches!(start, FolderError::NotOurs(_)), "{start}");
        assert!(matches!(verification, FolderError::NotOurs(_)), "{verification}");
        assert_eq!(files(&folder).len(), 1, "not even a lock is left");
    }
}

#[test]
fn a_folder_that_is_not_there_is_created_by_a_start_only() {
    let home = tempfile::tempdir().expect("room on the disk");
    let folder = home.path().join("a/b/c");
    let error = verify(&folder).expect_err("there is nothing to verify");
    assert!(matches!(error, FolderError::NotFound(_)), "{error}");
    assert!(!home.path().join("a").exists());
    assert!(try_open(&folder, 1).is_ok());
    let file = home.path().join("file");
    fs::write(&file, "mine").expect("room on the disk");
    assert!(matches!(refusal(&file), OpenError::Folder(FolderError::Io(..))));
}

#[test]
fn a_store_that_is_gone_is_missed() {
    let (_home, folder) = used();
    fs::remove_dir_all(folder.join("rocksdb")).expect("there was a store");
    let (start, _) = refused(&folder);
    match start {
        FolderError::StoreMissing(path, mark) => assert_eq!((path, mark.epoch), (folder, 1)),
        error => panic!("{error}"),
    }
}

#[test]
fn a_store_that_lost_its_first_file_is_missed() {
    let (_home, folder) = used();
    fs::remove_file(folder.join("rocksdb/CURRENT")).expect("there was a store");
    let (start, _) = refused(&folder);
    assert!(matches!(start, FolderError::StoreMissing(..)), "{start}");
}

#[test]
fn a_first_start_that_was_interrupted_is_begun_again() {
    let home = tempfile::tempdir().expect("room on the disk");
    // Killed while the format was written.
    let early = home.path().join("early");
    fs::create_dir(&early).expect("room on the disk");
    fs::write(early.join("LOCK"), "1").expect("room on the disk");
    fs::write(early.join("FORMAT.new"), "stockade-da").expect("room on the disk");
    // Killed while RocksDB was created: it is there, and has no journal.
    let (_home, late) = used();
    fs::remove_dir_all(late.join("rocksdb")).expect("there was a store");
    fs::remove_file(late.join("ledger")).expect("there was a ledger");
    drop(rocksdb::DB::open_default(late.join("rocksdb")).expect("room on the disk"));
    for folder in [early, late] {
        let running = try_open(&folder, 1).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert_eq!(create(&running.engine, 1, &terms(1)).status(), Some(Status::Done));
        drop(running);
        assert_eq!(try_open(&folder, 1).expect("a journal in order").report.groups, 1);
    }
}

#[test]
fn an_older_format_is_refused() {
    let (_home, folder) = used();
    let text = fs::read_to_string(folder.join("FORMAT")).expect("it was written");
    fs::write(folder.join("FORMAT"), text.replace("stockade-data 2", "stockade-data 1")).expect("room on the disk");
    let (start, verification) = refused(&folder);
    assert!(matches!(start, FolderError::OlderFormat(_, 1)), "{start}");
    assert!(matches!(verification, FolderError::OlderFormat(_, 1)), "{verification}");
}
