//! Groups in RocksDB: one key per group. The only file that knows RocksDB.

mod checkpoints;

pub use checkpoints::RocksCheckpoints;

use std::path::Path;
use std::sync::Arc;

use rocksdb::{
    ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode, Direction, IteratorMode, LogLevel, Options, Range,
    ReadOptions, WriteBatch, WriteOptions,
};

use super::store::{Reader, Store, StoreError, Visit};
use crate::types::Epoch;

/// Column family of the groups. Key: epoch, 8 bytes big-endian.
const JOURNAL: &str = "journal";

/// Column family of the checkpoint's head, under one key. Not among the groups: a key that is written again would be in
/// each of their files, which then overlap, and RocksDB would write them anew instead of moving them.
const HEADS: &str = rocksdb::DEFAULT_COLUMN_FAMILY_NAME;
const HEAD: &[u8] = b"checkpoint";

/// Column family of the checkpoints. Key: generation and epoch, each 8 bytes big-endian. Files come into it whole,
/// never through the log, so that no log is kept for its sake.
const CHECKPOINTS: &str = "checkpoints";

/// Logs that wait to be written over. One is enough: a segment is flushed long before the next one is full.
const LOGS_KEPT: usize = 1;

/// Bytes that flushing may write a second, and microseconds whose share of that it may write at once: the log's syncs
/// wait for what the disk was given before. Twice what full load brings.
const FLUSH_BYTES_PER_SECOND: i64 = 256 << 20;
const FLUSH_PERIOD_US: i64 = 4_000;

/// What the store is opened with.
#[derive(Clone, Copy, Debug)]
pub struct RocksOptions {
    /// Bytes of groups that collect in memory before they become a table file. A restart after a crash reads up to this
    /// much from the log.
    pub segment_bytes: usize,
    /// Whether each group is synced before the next one is written. Only then are logs written over: if a loss of power
    /// could take the end of one log and leave the next, a log that ends in old bytes would not show the hole.
    pub synced: bool,
}

/// An open RocksDB.
pub struct RocksStore {
    db: Arc<DB>,
    write: WriteOptions,
}

impl RocksStore {
    /// Opens the store in `folder`, and creates it if `create`.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn open(folder: &Path, options: RocksOptions, create: bool) -> Result<Self, StoreError> {
        let mut database = database_options();
        database.create_if_missing(create);
        if options.synced {
            // A log that is written over keeps its length, so its sync needs no commit of the file system's own
            // journal: 125 µs instead of 205 here (22 November 2026), and less is written.
            database.set_recycle_log_file_num(LOGS_KEPT);
        }
        // The checkpoints' family is younger than some folders.
        database.create_missing_column_families(true);
        let families = [
            ColumnFamilyDescriptor::new(JOURNAL, journal_options(options)),
            ColumnFamilyDescriptor::new(CHECKPOINTS, checkpoints_options()),
        ];
        let db = DB::open_cf_descriptors(&database, folder, families).map_err(store_error)?;
        Ok(Self::of(db))
    }

    /// Whether the RocksDB in `folder` has groups to read. One whose creation was interrupted has not.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn has_journal(folder: &Path) -> Result<bool, StoreError> {
        let families = DB::list_cf(&Options::default(), folder).map_err(store_error)?;
        Ok(families.iter().any(|family| family == JOURNAL))
    }

    /// Opens the store for reading; changes nothing on the disk.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn open_read_only(folder: &Path) -> Result<Self, StoreError> {
        let mut database = database_options();
        database.set_max_open_files(256);
        let there_are = DB::list_cf(&Options::default(), folder).map_err(store_error)?;
        let families = [JOURNAL, CHECKPOINTS].into_iter().filter(|name| there_are.iter().any(|family| family == name));
        let db = DB::open_cf_for_read_only(&database, folder, families, false).map_err(store_error)?;
        Ok(Self::of(db))
    }

    /// A handle for checkpoints; their drafts lie in the folder `drafts`, on the same file system.
    ///
    /// # Errors
    /// When the folder cannot be made, or cleared of a draft that was given up.
    pub fn checkpoints(&self, drafts: &Path) -> Result<RocksCheckpoints, StoreError> {
        RocksCheckpoints::new(Arc::clone(&self.db), drafts)
    }

    /// Another handle, for a thread that only reads.
    #[must_use]
    pub fn reader(&self) -> Box<dyn Reader + Send> {
        Box::new(self.again())
    }

    /// Another handle.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { db: Arc::clone(&self.db), write: WriteOptions::default() }
    }

    fn of(db: DB) -> Self {
        // Not synced here: the committer syncs as its durability mode says.
        Self { db: Arc::new(db), write: WriteOptions::default() }
    }
}

impl Store for RocksStore {
    fn write(&mut self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        let family = self.db.cf_handle(JOURNAL).ok_or_else(no_family)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(&family, epoch.to_be_bytes(), group);
        self.db.write_opt(batch, &self.write).map_err(store_error)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.db.flush_wal(true).map_err(store_error)
    }
}

impl Reader for RocksStore {
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        groups(&self.db, after, visit)
    }

    /// Of table files alone: what is in memory is less than a segment or two.
    fn bytes_after(&self, after: Epoch) -> Result<u64, StoreError> {
        let family = self.db.cf_handle(JOURNAL).ok_or_else(no_family)?;
        let (first, last) = ((after + 1).to_be_bytes(), u64::MAX.to_be_bytes());
        Ok(self.db.get_approximate_sizes_cf(&family, &[Range::new(&first, &last)]).iter().sum())
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        head(&self.db)
    }

    fn for_each_of_checkpoint(&self, generation: u64, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        checkpoints::groups(&self.db, generation, after, visit)
    }
}

fn groups(db: &DB, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
    let family = db.cf_handle(JOURNAL).ok_or_else(no_family)?;
    let first = (after + 1).to_be_bytes();
    for entry in db.iterator_cf_opt(&family, read_ahead(), IteratorMode::From(&first, Direction::Forward)) {
        let (key, group) = entry.map_err(store_error)?;
        let key = <[u8; 8]>::try_from(key.as_ref());
        let key = key.map_err(|_| StoreError { reason: "the journal has a key that is not an epoch".into() })?;
        if !visit(Epoch::from_be_bytes(key), &group) {
            break;
        }
    }
    Ok(())
}

fn head(db: &DB) -> Result<Option<Vec<u8>>, StoreError> {
    let family = db.cf_handle(HEADS).ok_or_else(no_family)?;
    db.get_cf(&family, HEAD).map_err(store_error)
}

/// For reading much, once, in order.
fn read_ahead() -> ReadOptions {
    let mut read = ReadOptions::default();
    read.fill_cache(false);
    read.set_readahead_size(4 << 20);
    read
}

fn database_options() -> Options {
    let mut options = Options::default();
    // A torn last record is the normal trace of a crash and is dropped; what is missing beyond that, the hash chain and
    // the ledger notice. The strict mode refuses to open after an ordinary kill, the lenient one skips damage.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_paranoid_checks(true);
    // fdatasync, not fsync: the log's length is part of what fdatasync makes durable.
    options.set_use_fsync(false);
    // One thread writes: none of the machinery for concurrent writers helps.
    options.set_allow_concurrent_memtable_write(false);
    options.set_enable_write_thread_adaptive_yield(false);
    // Table files are synced as they grow, so that a finished flush does not stand in the way of the log's sync.
    options.set_bytes_per_sync(1 << 20);
    options.set_ratelimiter(FLUSH_BYTES_PER_SECOND, FLUSH_PERIOD_US, 10);
    // One flushes, two move table files. RocksDB's stores share their threads, and the index's takes no more than one
    // of those two: while it merges, which may take a minute, the other one is the journal's.
    options.set_max_background_jobs(3);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(16 << 20);
    options.set_log_level(LogLevel::Warn);
    options
}

fn journal_options(tuned: RocksOptions) -> Options {
    let mut options = Options::default();
    options.set_write_buffer_size(tuned.segment_bytes);
    // One fills, one is flushed, one is spare: a slow flush does not stop claims at once.
    options.set_max_write_buffer_number(3);
    // User and request ids are random to us: nothing to compress.
    options.set_compression_type(DBCompressionType::None);
    // Keys only rise, so compaction only moves files; their size is that of a segment.
    options.set_target_file_size_base(tuned.segment_bytes as u64);
    // RocksDB slows writes down when table files wait to be merged, for the sake of readers. Here they are only moved,
    // and read once, at a start.
    options.set_level_zero_slowdown_writes_trigger(i32::MAX);
    options.set_level_zero_stop_writes_trigger(i32::MAX);
    options.set_soft_pending_compaction_bytes_limit(0);
    options.set_hard_pending_compaction_bytes_limit(0);
    options
}

fn checkpoints_options() -> Options {
    let mut options = Options::default();
    options.set_compression_type(DBCompressionType::None);
    // Nothing is ever merged: a checkpoint's files come and go as a whole.
    options.set_disable_auto_compactions(true);
    options
}

fn store_error(error: impl std::fmt::Display) -> StoreError {
    StoreError { reason: error.to_string() }
}

fn no_family() -> StoreError {
    StoreError { reason: "the store has no journal".into() }
}
