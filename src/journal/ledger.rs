//! The commit ledger: a small file that remembers the last group known to be durable.
//!
//! A hash chain cannot miss its own end: a log that was cut at a record boundary looks like a shorter log. The ledger
//! witnesses the end from outside. It is written after a group is durable, so it never runs ahead; a start that finds
//! less than it witnesses halts.
//!
//! Two slots of 512 bytes are written in turns, so that a torn write leaves the other one:
//!
//! ```text
//! offset  0  magic     4 bytes  "SKLG"
//!         4  format    u32      1
//!         8  store_id  u64
//!        16  epoch     u64
//!        24  hash     16 bytes  of the group
//!        40  check     u64      XXH3-64 of the 40 bytes before
//!        48  zeros
//! ```

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::group::Hash;
use crate::types::Epoch;

const SLOT_BYTES: usize = 512;
const SLOTS: usize = 2;
const MAGIC: [u8; 4] = *b"SKLG";
const FORMAT: u32 = 1;

/// A group, named by its epoch and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its epoch; 0 before the first group.
    pub epoch: Epoch,
    /// Its hash.
    pub hash: Hash,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Slot {
    magic: [u8; 4],
    format: U32,
    store_id: U64,
    epoch: U64,
    hash: Hash,
    check: U64,
    zeros: [u8; SLOT_BYTES - 48],
}

const _: () = assert!(size_of::<Slot>() == SLOT_BYTES);
const CHECKED_BYTES: usize = 40;

/// The open ledger of one data folder.
pub struct Ledger {
    file: File,
    store_id: u64,
    /// Marks written, so that the slots take turns. Committer only.
    writes: AtomicU64,
    /// Whether something was written since the last sync.
    unsynced: AtomicBool,
}

impl Ledger {
    /// Opens the ledger, or creates it with both slots in place, so that later writes change no metadata.
    ///
    /// # Errors
    /// When the file cannot be opened or created.
    pub fn open(path: &Path, store_id: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if file.metadata()?.len() < (SLOTS * SLOT_BYTES) as u64 {
            file.write_all_at(&[0; SLOT_BYTES * SLOTS], 0)?;
            file.sync_all()?;
        }
        Ok(Self { file, store_id, writes: AtomicU64::new(0), unsynced: AtomicBool::new(false) })
    }

    /// The newest mark in the ledger file at `path`, or none if there is no file or it holds none of this store.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path, store_id: u64) -> io::Result<Option<Mark>> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let marks = bytes.chunks_exact(SLOT_BYTES).filter_map(|bytes| mark_in(bytes, store_id));
        Ok(marks.max_by_key(|mark| mark.epoch))
    }

    /// Witnesses a durable group.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, mark: Mark) -> io::Result<()> {
        let mut slot = Slot {
            magic: MAGIC,
            format: U32::new(FORMAT),
            store_id: U64::new(self.store_id),
            epoch: U64::new(mark.epoch),
            hash: mark.hash,
            check: U64::ZERO,
            zeros: [0; SLOT_BYTES - 48],
        };
        slot.check = U64::new(xxh3_64(&slot.as_bytes()[..CHECKED_BYTES]));
        let turn = self.writes.fetch_add(1, Ordering::Relaxed) % SLOTS as u64;
        self.file.write_all_at(slot.as_bytes(), turn * SLOT_BYTES as u64)?;
        self.unsynced.store(true, Ordering::Release);
        Ok(())
    }

    /// Forgets what was witnessed after `mark`: those groups are lost, which durability `os` allows, and must not be
    /// missed at the next start. When it is interrupted, the next start does it again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget_after(&self, mark: Mark) -> io::Result<()> {
        (0..SLOTS).try_for_each(|_slot| self.write(mark))
    }

    /// Makes the marks written so far survive the loss of power. Any thread; does nothing when nothing was written.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> io::Result<()> {
        if self.unsynced.swap(false, Ordering::AcqRel) { self.file.sync_data() } else { Ok(()) }
    }
}

fn mark_in(bytes: &[u8], store_id: u64) -> Option<Mark> {
    let slot = Slot::ref_from_bytes(bytes).ok()?;
    let intact = slot.magic == MAGIC
        && slot.format.get() == FORMAT
        && slot.check.get() == xxh3_64(&bytes[..CHECKED_BYTES])
        && slot.store_id.get() == store_id;
    intact.then(|| Mark { epoch: slot.epoch.get(), hash: slot.hash })
}
