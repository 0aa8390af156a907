//! Room on the disk: below the floor no new claim is taken; a ballast file can be deleted in need.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Watches the free space of the file system that holds the data.
pub struct Space {
    folder: PathBuf,
    floor_bytes: u64,
    below: AtomicBool,
    /// [`UNKNOWN`] until the file system has answered once.
    free_bytes: AtomicU64,
}

/// No file system has so many bytes.
const UNKNOWN: u64 = u64::MAX;

impl Space {
    /// Watches the file system of `folder`; claims stop when less than `floor_bytes` are free.
    #[must_use]
    pub fn new(folder: &Path, floor_bytes: u64) -> Self {
        let (below, free_bytes) = (AtomicBool::new(false), AtomicU64::new(UNKNOWN));
        Self { folder: folder.to_owned(), floor_bytes, below, free_bytes }
    }

    /// Looks again. Returns whether that changed if claims are taken.
    ///
    /// # Errors
    /// When the file system does not answer.
    pub fn look(&self) -> io::Result<bool> {
        let status = statvfs(&self.folder)?;
        let free = status.f_bavail.saturating_mul(status.f_frsize);
        self.free_bytes.store(free, Ordering::Relaxed);
        let below = free < self.floor_bytes;
        Ok(self.below.swap(below, Ordering::Relaxed) != below)
    }

    /// Whether there was too little room at the last look.
    #[must_use]
    pub fn is_below_floor(&self) -> bool {
        self.below.load(Ordering::Relaxed)
    }

    /// Bytes free at the last look that the file system answered; `None` before the first.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        Some(self.free_bytes.load(Ordering::Relaxed)).filter(|free| *free != UNKNOWN)
    }
}

/// Creates the ballast file at `path` if it is not there: `bytes` of disk that an operator can give back by deleting
/// it, when a full disk keeps the store from opening.
///
/// # Errors
/// When the disk has no room for it; then no file remains.
pub(super) fn create_ballast(path: &Path, bytes: u64) -> io::Result<()> {
    if bytes == 0 || path.exists() {
        return Ok(());
    }
    let file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let result = fallocate(&file, FallocateFlags::empty(), 0, bytes);
    if let Err(error) = result {
        std::fs::remove_file(path)?;
        return Err(error.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_unknown_until_the_file_system_answers() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let space = Space::new(&data, 0);
        assert!(space.look().is_err(), "there is no such folder yet");
        assert_eq!(space.free_bytes(), None);
        std::fs::create_dir(&data).expect("a folder");
        assert_eq!(space.look().ok(), Some(false));
        let known = space.free_bytes();
        assert!(known.is_some());
        std::fs::remove_dir(&data).expect("it is empty");
        assert!(space.look().is_err());
        assert_eq!(space.free_bytes(), known, "what was known stays");
    }
}
