//! Checkpoints in RocksDB: table files that are written beside the store and moved into it whole. Nothing of them goes
//! through the log, so a draft does not compete with the journal for its sync.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use rocksdb::{
    DB, Direction, FlushOptions, IngestExternalFileOptions, IteratorMode, Options, SstFileWriter, WriteOptions,
};

use super::{CHECKPOINTS, HEAD, HEADS, JOURNAL, checkpoints_options, no_family, read_ahead, store_error};
use crate::journal::store::{CheckpointStore, Reader, StoreError, Visit};
use crate::types::Epoch;

/// Bytes of groups after which a draft goes on in another file.
const FILE_BYTES: usize = 64 << 20;

static DRAFT_OPTIONS: LazyLock<Options> = LazyLock::new(|| {
    let mut options = checkpoints_options();
    options.set_use_fsync(false);
    // Written out as it grows: a burst of many megabytes would stand in the way of the log's sync.
    options.set_bytes_per_sync(1 << 20);
    options
});

/// Checkpoints of an open RocksDB.
pub struct RocksCheckpoints {
    db: Arc<DB>,
    folder: PathBuf,
    draft: Mutex<Draft>,
}

#[derive(Default)]
struct Draft {
    generation: u64,
    /// All files, the one that is being written last.
    files: Vec<PathBuf>,
    open: Option<(SstFileWriter<'static>, usize)>,
}

impl RocksCheckpoints {
    /// Drafts lie in `folder`, on the store's file system. None that was given up stays.
    pub(super) fn new(db: Arc<DB>, folder: &Path) -> Result<Self, StoreError> {
        remove_folder(folder)?;
        Ok(Self { db, folder: folder.to_owned(), draft: Mutex::default() })
    }

    fn delete_files(&self, family: &str, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let family = self.db.cf_handle(family).ok_or_else(no_family)?;
        self.db.delete_file_in_range_cf(&family, from, to).map_err(store_error)
    }
}

impl Reader for RocksCheckpoints {
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        super::groups(&self.db, after, visit)
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        super::head(&self.db)
    }

    fn for_each_of_checkpoint(&self, generation: u64, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        groups(&self.db, generation, after, visit)
    }
}

impl CheckpointStore for RocksCheckpoints {
    fn last_generation(&self) -> Result<u64, StoreError> {
        let family = self.db.cf_handle(CHECKPOINTS).ok_or_else(no_family)?;
        let last = self.db.iterator_cf_opt(&family, read_ahead(), IteratorMode::End).next();
        let Some(entry) = last else { return Ok(0) };
        let (key, _group) = entry.map_err(store_error)?;
        Ok(read_key(&key)?.0)
    }

    fn begin(&self, generation: u64) -> Result<(), StoreError> {
        *self.draft.lock() = Draft { generation, ..Draft::default() };
        remove_folder(&self.folder)?;
        fs::create_dir(&self.folder).map_err(store_error)
    }

    fn append(&self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        let draft = &mut *self.draft.lock();
        if draft.open.as_ref().is_some_and(|(_, bytes)| *bytes >= FILE_BYTES) {
            close(draft)?;
        }
        if draft.open.is_none() {
            let path = self.folder.join(format!("{:06}.sst", draft.files.len()));
            let writer = SstFileWriter::create(&DRAFT_OPTIONS);
            writer.open(&path).map_err(store_error)?;
            draft.files.push(path);
            draft.open = Some((writer, 0));
        }
        let key = key(draft.generation, epoch);
        let (writer, bytes) = draft.open.as_mut().expect("it was opened");
        *bytes += group.len();
        writer.put(key, group).map_err(store_error)
    }

    fn finish(&self) -> Result<(), StoreError> {
        let draft = &mut *self.draft.lock();
        close(draft)?;
        let family = self.db.cf_handle(CHECKPOINTS).ok_or_else(no_family)?;
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        options.set_snapshot_consistency(false);
        let files = std::mem::take(&mut draft.files);
        self.db.ingest_external_file_cf_opts(&family, &options, files).map_err(store_error)?;
        remove_folder(&self.folder)
    }

    fn install(&self, head: &[u8]) -> Result<(), StoreError> {
        let family = self.db.cf_handle(HEADS).ok_or_else(no_family)?;
        let mut synced = WriteOptions::default();
        // One log holds groups and heads: all groups written so far are synced with it.
        synced.set_sync(true);
        self.db.put_cf_opt(&family, HEAD, head, &synced).map_err(store_error)?;
        // Otherwise the log would be kept from here on for the sake of this one record.
        let mut at_leisure = FlushOptions::default();
        at_leisure.set_wait(false);
        self.db.flush_cf_opt(&family, &at_leisure).map_err(store_error)
    }

    /// Deletes whole files, and marks nothing as deleted: what stays in a file that reaches further is not read any
    /// more, and goes with the next checkpoint. (A mark would make RocksDB write files anew that it only moves now.)
    fn clear(&self, generations: &[u64], up_to: Epoch) -> Result<(), StoreError> {
        self.delete_files(JOURNAL, &1_u64.to_be_bytes(), &up_to.to_be_bytes())?;
        let mut from = 0;
        for generation in generations {
            self.delete_files(CHECKPOINTS, &key(from, 0), &key(*generation, 0))?;
            from = generation + 1;
        }
        self.delete_files(CHECKPOINTS, &key(from, 0), &key(u64::MAX, u64::MAX))
    }
}

pub(super) fn groups(db: &DB, generation: u64, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
    let Some(family) = db.cf_handle(CHECKPOINTS) else { return Ok(()) };
    let first = key(generation, after + 1);
    for entry in db.iterator_cf_opt(&family, read_ahead(), IteratorMode::From(&first, Direction::Forward)) {
        let (key, group) = entry.map_err(store_error)?;
        let (found, epoch) = read_key(&key)?;
        if found != generation || !visit(epoch, &group) {
            break;
        }
    }
    Ok(())
}

/// Ends the file that is being written; it is synced.
fn close(draft: &mut Draft) -> Result<(), StoreError> {
    match draft.open.take() {
        Some((mut writer, _bytes)) => writer.finish().map_err(store_error),
        None => Ok(()),
    }
}

fn key(generation: u64, epoch: Epoch) -> [u8; 16] {
    (u128::from(generation) << 64 | u128::from(epoch)).to_be_bytes()
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of a key")]
fn read_key(key: &[u8]) -> Result<(u64, Epoch), StoreError> {
    let key = <[u8; 16]>::try_from(key).map(u128::from_be_bytes);
    let key = key.map_err(|_| StoreError { reason: "a checkpoint has a key that is none of ours".into() })?;
    Ok(((key >> 64) as u64, key as u64))
}

fn remove_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError { reason: format!("{}: {error}", folder.display()) })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
