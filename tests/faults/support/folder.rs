//! Data folders on the disk: what lies in them, byte by byte.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use stockade::engine::{EngineOptions, OpenError, Running, StorageOptions, open};
use stockade_protocol::hello::Durability;

use super::clock::ManualClock;

/// Files by their path within a folder.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Pictures of a folder before it must stand still.
const PICTURES_MAX: u32 = 1_000;

/// How these tests keep a folder.
pub(crate) fn storage(folder: &Path, durability: Durability) -> StorageOptions {
    StorageOptions {
        folder: folder.to_owned(),
        durability,
        segment_bytes: 1 << 20,
        free_space_floor_bytes: 0,
        ballast_bytes: 0,
        checkpoint_dead_bytes: u64::MAX,
        index: false,
        feed_retained_bytes: 0,
    }
}

/// Opens a folder for `cores` cores.
pub(crate) fn try_open(folder: &Path, cores: usize) -> Result<Running, OpenError> {
    let on_failure = Arc::new(|reason: &str| panic!("the journal failed: {reason}"));
    let clock = Box::new(ManualClock::at(1_000));
    open(&storage(folder, Durability::Fsync), EngineOptions { clock, ..EngineOptions::new(cores, on_failure) })
}

/// Why the folder does not open.
pub(crate) fn refusal(folder: &Path) -> OpenError {
    match try_open(folder, 1) {
        Ok(_) => panic!("{} opened", folder.display()),
        Err(error) => error,
    }
}

/// All files in `folder`, as they were at one moment: the store may be at work in the background.
pub(crate) fn files(folder: &Path) -> Files {
    for _ in 0..PICTURES_MAX {
        let before = listing(folder);
        let files = before.keys().map(|path| Ok((path.clone(), fs::read(folder.join(path))?)));
        if let Ok(files) = files.collect::<io::Result<Files>>()
            && listing(folder) == before
        {
            return files;
        }
    }
    panic!("{} never stands still", folder.display());
}

/// What is in `folder`: lengths of files, and when they were written.
fn listing(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.expect("a folder can be listed").path();
            // What goes while we look is missing then, and the next look differs.
            match path.metadata() {
                Ok(what) if what.is_dir() => folders.push(path),
                Ok(what) => {
                    let within = path.strip_prefix(folder).expect("below the folder").to_owned();
                    found.insert(within, (what.len(), what.modified().expect("a time is kept")));
                }
                Err(_) => {}
            }
        }
    }
    found
}

/// Writes `files` into a new folder.
pub(crate) fn restore(files: &Files, folder: &Path) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("room on the disk");
        fs::write(path, bytes).expect("room on the disk");
    }
}
