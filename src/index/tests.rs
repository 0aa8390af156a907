//! Readers while segments become files, and while those are merged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;
use std::time::Duration;

use stockade_protocol::feed::{Event, Kind};
use zerocopy::little_endian::{U32, U64};

use super::indexer::seal_all;
use super::segment::Segment;
use super::{Index, Kept};
use crate::pace::Pace;
use crate::types::{BatchId, Epoch, UserId};

const BATCH: BatchId = 4;
const USERS: u64 = 40;
const DAY: i32 = 3;

fn open(folder: &Path) -> Index {
    Index::open(folder, &Kept { store_id: 1, last: Epoch::MAX, head: None }).expect("a folder")
}

/// Each user is granted a coupon in an epoch; serials are those of the epoch's hundred.
fn add(index: &Index, epoch: Epoch) {
    let mut tail = index.tail.write();
    for user in 0..USERS {
        let mut event = Event::new(Kind::Granted, BATCH, epoch);
        (event.epoch, event.user, event.request) = (U64::new(epoch), U64::new(user), U64::new(epoch));
        event.serial = U32::new(serial(epoch, user));
        event.units = 1;
        tail.open.add(&event, index.store.bucket(user), DAY);
    }
    tail.open.reaches(epoch);
}

fn serial(epoch: Epoch, user: UserId) -> u32 {
    u32::try_from(epoch * 100 + user).expect("a small one")
}

/// Readers see the events of these epochs, each once, and nothing else.
fn assert_told(index: &Index, epochs: &[Epoch], when: &str) {
    for user in 0..USERS {
        let events = index.of_user(user).expect("it can be read");
        let told = events.iter().map(|event| event.epoch.get()).collect::<Vec<_>>();
        assert_eq!(told, epochs, "{when}: the events of user {user}");
        for &epoch in epochs {
            assert_eq!(index.owner(BATCH, serial(epoch, user)), Ok(Some(user)), "{when}: one owner");
        }
    }
    let owners = index.owners(BATCH, 0, usize::MAX).expect("they can be read");
    let serials = owners.iter().map(|taken| taken.serial).collect::<Vec<_>>();
    let all = epochs.iter().flat_map(|epoch| (0..USERS).map(|user| serial(*epoch, user))).collect::<Vec<_>>();
    assert_eq!(serials, all, "{when}: all owners");
    let days = index.days(BATCH).expect("they can be read");
    assert_eq!(days.whole().granted.get(), epochs.len() as u64 * USERS, "{when}: the numbers");
}

#[test]
fn readers_see_each_event_once_while_its_segment_becomes_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = open(folder.path());
    let mut epochs = Vec::new();
    for round in 0..3 {
        let (first, second) = (10 * round + 1, 10 * round + 2);
        add(&index, first);
        add(&index, second);
        epochs.extend([first, second]);
        assert_told(&index, &epochs, "all in memory");

        let full = Arc::new(std::mem::replace(&mut index.tail.write().open, Segment::new()));
        index.tail.write().sealing = Some(Arc::clone(&full));
        add(&index, 10 * round + 3);
        epochs.push(10 * round + 3);
        assert_told(&index, &epochs, "no file yet");
        index.store.seal(&full, &Pace::over(Duration::ZERO)).expect("a file");
        assert_told(&index, &epochs, "in a file and in memory");
        index.tail.write().sealing = None;
        assert_told(&index, &epochs, "in a file");
    }
}

/// Makes a file of what there is.
fn seal(index: &Index) {
    let full = std::mem::replace(&mut index.tail.write().open, Segment::new());
    index.store.seal(&full, &Pace::over(Duration::ZERO)).expect("a file");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("packs")).expect("it is there");
    entries.map(|entry| entry.expect("a file").path()).collect()
}

/// An index whose files were merged, and copies of the files that they are made of.
fn merged(folder: &Path, copies: &Path) -> (Index, Vec<Epoch>) {
    let index = open(folder);
    let epochs = (1..=9).collect::<Vec<_>>();
    for epoch in &epochs {
        add(&index, *epoch);
        seal(&index);
    }
    for file in files(folder) {
        fs::copy(&file, copies.join(file.file_name().expect("it has one"))).expect("a copy");
    }
    index.store.merge_packs().expect("they can be merged");
    (index, epochs)
}

#[test]
fn merged_files_tell_the_same_and_whatever_a_kill_leaves_is_told_once() {
    let (folder, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let (folder, copies) = (folder.path(), copies.path());
    let (index, epochs) = merged(folder, copies);
    assert_told(&index, &epochs, "merged");
    let whole = files(folder);
    assert_eq!(whole.len(), 1, "{whole:?}");
    drop(index);

    // Killed before the parts were removed, while a draft was written, and before the mark knew of the newest file.
    for copy in fs::read_dir(copies).expect("it is there").map(|entry| entry.expect("a file").path()) {
        fs::copy(&copy, folder.join("packs").join(copy.file_name().expect("it has one"))).expect("a copy");
    }
    fs::write(folder.join("packs/9-12.packs.draft"), "half a file").expect("a draft");
    fs::copy(&whole[0], folder.join("packs/9-12.packs")).expect("a file too new");
    let index = open(folder);
    assert_told(&index, &epochs, "opened again");
    assert_eq!(files(folder), whole);
    drop(index);

    // A file that is missing: the journal tells what it has again, and the others stay.
    fs::remove_file(&whole[0]).expect("it is there");
    assert_eq!(open(folder).through(), 0, "made anew");
    fs::remove_dir_all(folder.with_extension("damaged-1")).expect("what was there stays until it is removed");
}

#[test]
fn damage_is_told_with_the_file_that_has_it() {
    let (folder, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let (index, _) = merged(folder.path(), copies.path());
    let path = files(folder.path()).pop().expect("there is one");
    let mut bytes = fs::read(&path).expect("it can be read");
    let first = bytes[0];
    bytes[0] = first ^ 1;
    fs::write(&path, &bytes).expect("it can be written");
    let told = (0..USERS).filter_map(|user| index.of_user(user).err()).collect::<Vec<_>>();
    assert!(!told.is_empty() && told.len() < 40, "one bucket is damaged: {told:?}");
    let text = told[0].to_string();
    assert!(text.contains("packs") && text.contains("damaged"), "{text}");
    drop(index);
    bytes[0] = first;
    bytes.pop();
    fs::write(&path, &bytes).expect("it can be written");
    assert_eq!(open(folder.path()).through(), 0, "its end is missing: made anew");
    let aside = folder.path().with_extension("damaged-1");
    assert!(aside.join("packs").join(path.file_name().expect("it has one")).is_file(), "what was damaged stays");
    fs::remove_dir_all(aside).expect("until it is removed");
}

#[test]
fn an_index_that_the_system_does_not_give_is_not_removed() {
    let (folder, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let (index, epochs) = merged(folder.path(), copies.path());
    drop(index);
    let (path, away) = (folder.path().join("drafts"), copies.path().join("drafts"));
    fs::rename(&path, &away).expect("it can be moved");
    fs::write(&path, "no folder").expect("it can be written");
    let refused = Index::open(folder.path(), &Kept { store_id: 1, last: Epoch::MAX, head: None });
    assert!(refused.is_err(), "a file is where a folder must be");
    fs::remove_file(&path).expect("it is there");
    fs::rename(&away, &path).expect("it can be moved back");
    assert_told(&open(folder.path()), &epochs, "nothing was lost");
}

#[test]
fn a_file_that_cannot_be_written_is_tried_again_and_readers_see_all_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = open(folder.path());
    add(&index, 1);
    let full = Arc::new(std::mem::replace(&mut index.tail.write().open, Segment::new()));
    index.tail.write().sealing = Some(Arc::clone(&full));
    let drafts = folder.path().join("drafts");
    fs::remove_dir_all(&drafts).expect("it is there");
    fs::write(&drafts, "no folder").expect("it can be written");
    let ((full_ones, segments), (more, written)) = (sync_channel(1), channel());
    let index = &index;
    thread::scope(|threads| {
        threads.spawn(move || seal_all(index, &segments, &more));
        full_ones.send(full).expect("the sealer listens");
        // Its packs are written, and thrown away again: then it has tried.
        while files(folder.path()).is_empty() {
            thread::yield_now();
        }
        assert_told(index, &[1], "it was tried in vain");
        assert_eq!(index.sealed(), 0);
        fs::remove_file(&drafts).expect("it is there");
        fs::create_dir(&drafts).expect("a folder again");
        written.recv().expect("a file is told to the merger");
        drop(full_ones);
    });
    assert_eq!(index.sealed(), 1);
    assert!(index.tail.read().sealing.is_none());
    assert_told(index, &[1], "in a file");
}

#[test]
fn a_damaged_bucket_keeps_no_other_from_being_merged() {
    let (folder, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let (index, epochs) = merged(folder.path(), copies.path());
    let path = files(folder.path()).pop().expect("there is one");
    let mut bytes = fs::read(&path).expect("it can be read");
    bytes[0] ^= 1;
    fs::write(&path, &bytes).expect("it can be written");
    let unreadable = || (0..USERS).filter(|user| index.of_user(*user).is_err()).collect::<Vec<_>>();
    let before = unreadable();
    let files_before = files(folder.path()).len();
    for epoch in 11..=30 {
        add(&index, epoch);
        seal(&index);
    }
    index.store.merge_packs().expect("they are merged");
    assert!(!before.is_empty() && files(folder.path()).len() < files_before + 20, "some were merged");
    assert_eq!(unreadable(), before, "those of one bucket");
    let (whole, all) = ((0..USERS).find(|user| !before.contains(user)).expect("one"), epochs.len() + 20);
    assert_eq!(index.of_user(whole).expect("whole").len(), all);
}

#[test]
fn what_was_purged_is_left_out_when_files_are_merged() {
    let (folder, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let (index, epochs) = merged(folder.path(), copies.path());
    let mut purge = Event::new(Kind::BatchPurged, BATCH, 10);
    purge.epoch = U64::new(10);
    index.purged.lock().insert(BATCH, 10);
    index.tail.write().open.add(&purge, 0, DAY);
    index.tail.write().open.reaches(10);
    assert_told(&index, &[], "purged in memory");
    seal(&index);
    // So many that the first files are merged with others of their size.
    let more = (11..=80).collect::<Vec<_>>();
    for epoch in &more {
        add(&index, *epoch);
        seal(&index);
        index.store.merge_packs().expect("they can be merged");
    }
    assert_told(&index, &more, "the batch's id was used again");
    let bytes = files(folder.path()).iter().map(|file| fs::metadata(file).expect("it is there").len()).sum::<u64>();
    let packs = bytes - 8 * (super::BUCKETS as u64 + 1) * files(folder.path()).len() as u64;
    let a_user = packs / (USERS * more.len() as u64);
    assert!(epochs.len() == 9 && a_user < 100, "{packs} bytes are left, {a_user} for each event");
}
