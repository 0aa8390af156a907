//! Data folders on the disk: what lies in them, byte by byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stockade::engine::{EngineOptions, OpenError, Running, StorageOptions, open};
use stockade_protocol::hello::Durability;

use super::clock::ManualClock;

/// Files by their path within a folder.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

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

/// All files in `folder`.
pub(crate) fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder can be read") {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file can be read");
                files.insert(path.strip_prefix(folder).expect("below the folder").to_owned(), bytes);
            }
        }
    }
    files
}

/// Writes `files` into a new folder.
pub(crate) fn restore(files: &Files, folder: &Path) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("room on the disk");
        fs::write(path, bytes).expect("room on the disk");
    }
}
