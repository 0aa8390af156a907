//! The index's files: packs of users' events ([`super::packs`]), and for the rest a RocksDB of its own, without a log.
//! Whole table files come in, each with the epoch up to which it reaches, and only when the packs up to it are on disk:
//! so after any crash there are all events up to some epoch, and the journal has the others.
//!
//! ```text
//! d  batch  day          numbers of a day; RocksDB adds them up
//! m                      mark: store id, keys of the buckets' hash, epoch
//! p  batch               epoch of the last purge
//! s  batch  block  epoch owners of serials: see owner.rs
//! ```
//!
//! Keys are big-endian, values little-endian. The epoch in a key is that of the file.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rocksdb::compaction_filter::Decision;
use rocksdb::{
    DB, DBCompactionStyle, DBCompressionType, FlushOptions, IngestExternalFileOptions, LogLevel, MergeOperands,
    Options, SstFileWriter, UniversalCompactOptions, WriteOptions,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;
use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::BUCKETS;
use super::counts::Counts;
use super::error::{IndexError, index_error};
use super::packs::{Pack, PackFiles};
use super::segment::Segment;
use super::view::View;
use crate::journal::Head;
use crate::pace::Pace;
use crate::stock::Day;
use crate::types::{BatchId, Epoch, UserId};

/// What the journal has.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Identity of the data.
    pub store_id: u64,
    /// The newest epoch.
    pub last: Epoch,
    /// The checkpoint, if there is one.
    pub head: Option<Head>,
}

impl Kept {
    fn generation(&self) -> u64 {
        self.head.map_or(0, |head| head.generation)
    }
}

/// Epochs of purges, by batch.
pub(super) type Purges = HashMap<BatchId, Epoch>;

/// Bytes of files read that are kept in memory; the system's cache has the others.
const CACHE_BYTES: usize = 64 << 20;

/// Bytes that merging may write a second: the disk is the journal's first.
const MERGE_BYTES_PER_SECOND: i64 = 64 << 20;

/// Microseconds whose share of that it may write at once.
const MERGE_PERIOD_US: i64 = 10_000;

/// Files from which on some are merged: a reader looks into each, and fewer cost more merging.
const FILES: i32 = 8;

const MARK: &[u8] = b"m";

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Mark {
    format: U64,
    /// Identity of the data that it was made of.
    store_id: U64,
    /// The checkpoint with which the reading began.
    generation: U64,
    seed: U64,
    sealed: U64,
}

const FORMAT: u64 = 3;

/// See the module.
pub(super) struct IndexStore {
    db: DB,
    drafts: PathBuf,
    /// Its seed is that of the hash that picks a user's bucket: nobody can choose ids that share one.
    mark: Mark,
    packs: PackFiles,
    /// For merges, which throw away what belongs to nobody.
    purges: Arc<Mutex<Purges>>,
    stopping: AtomicBool,
}

impl IndexStore {
    /// Opens the files, and tells up to which epoch they reach.
    pub(super) fn open(folder: &Path, journal: &Kept) -> Result<(Self, Epoch), IndexError> {
        let purges = Arc::<Mutex<Purges>>::default();
        let db = DB::open(&options(&purges), folder).map_err(store_error)?;
        let mark = if let Some(bytes) = db.get(MARK).map_err(store_error)? {
            Mark::read_from_bytes(&bytes).map_err(|_| IndexError::damage("its mark is damaged"))?
        } else {
            let seed = RandomState::new().hash_one(folder);
            let mark = Mark {
                format: U64::new(FORMAT),
                store_id: U64::new(journal.store_id),
                generation: U64::new(journal.generation()),
                seed: U64::new(seed),
                sealed: U64::ZERO,
            };
            let mut unlogged = WriteOptions::default();
            unlogged.disable_wal(true);
            db.put_opt(MARK, mark.as_bytes(), &unlogged).map_err(index_error)?;
            db.flush_opt(&FlushOptions::default()).map_err(index_error)?;
            mark
        };
        check(&mark, journal)?;
        let drafts = folder.join("drafts");
        std::fs::create_dir_all(&drafts).map_err(index_error)?;
        let sealed = mark.sealed.get();
        let packs = PackFiles::open(folder.join("packs"), sealed)?;
        Ok((Self { db, drafts, mark, packs, purges, stopping: AtomicBool::new(false) }, sealed))
    }

    pub(super) fn packs(&self) -> &PackFiles {
        &self.packs
    }

    /// Merges packs for as long as there are enough to merge.
    pub(super) fn merge_packs(&self) -> Result<(), IndexError> {
        let purges = self.purges.lock().clone();
        let is_of_nobody = |pack: &Pack<'_>| {
            let gone = |batch, epoch| is_gone(&purges, batch, epoch);
            !purges.is_empty() && pack.all(gone)
        };
        while self.packs.merge(is_of_nobody, &self.stopping)? {}
        Ok(())
    }

    /// Merges no more packs, and tries nothing again.
    pub(super) fn stop_merging_packs(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Waits as long as that, unless [`IndexStore::stop_merging_packs`] was called before.
    pub(super) fn is_stopping_within(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        while !self.stopping.load(Ordering::Relaxed) && Instant::now() < until {
            // sleep: a file could not be written; nobody waits for the next attempt.
            thread::sleep(pause / 100);
        }
        self.stopping.load(Ordering::Relaxed)
    }

    /// Merges nothing else any more. No more files may come in.
    pub(super) fn stop(&self) {
        self.db.cancel_all_background_work(true);
    }

    /// The bucket of a user.
    pub(super) fn bucket(&self, user: UserId) -> usize {
        let hash = xxh3_64_with_seed(&user.to_le_bytes(), self.mark.seed.get());
        usize::try_from(hash).unwrap_or(0) & (BUCKETS - 1)
    }

    /// All purges in the files.
    pub(super) fn purged(&self) -> Result<Purges, IndexError> {
        let mut purged = Purges::new();
        let view = self.view();
        view.scan(b"p", |key, value| {
            let (batch, epoch) = (key.first_chunk::<8>(), value.first_chunk::<8>());
            if let (Some(batch), Some(epoch)) = (batch, epoch) {
                purged.insert(BatchId::from_be_bytes(*batch), Epoch::from_le_bytes(*epoch));
            }
            true
        })?;
        self.purges.lock().extend(&purged);
        Ok(purged)
    }

    pub(super) fn view(&self) -> View<'_> {
        let snapshot = self.db.snapshot();
        let mark = snapshot.get(MARK).ok().flatten();
        let sealed = mark.and_then(|bytes| Mark::read_from_bytes(&bytes).ok()).map_or(0, |mark| mark.sealed.get());
        View { snapshot, sealed }
    }

    /// Makes files of a segment, and takes them in.
    pub(super) fn seal(&self, segment: &Segment, pace: &Pace) -> Result<(), IndexError> {
        let epoch = segment.last_epoch();
        let packs = self.packs.write(epoch, |writer| {
            segment.for_each_pack(
                |user| self.bucket(user),
                |bucket, pack| {
                    if !self.stopping.load(Ordering::Relaxed) {
                        pace.keep(bucket as u64, BUCKETS as u64);
                    }
                    writer.write(bucket, pack)
                },
            )
        })?;
        let path = self.drafts.join("segment.sst");
        // A kill between the linking of a file into the store and the end of its draft's name leaves the store's own
        // file by another name: it must not be written over.
        remove_file(&path)?;
        let options = file_options();
        let mut writer = SstFileWriter::create(&options);
        writer.open(&path).map_err(index_error)?;
        self.write_days(segment, &mut writer)?;
        let mark = Mark { sealed: U64::new(epoch), ..self.mark };
        writer.put(MARK, mark.as_bytes()).map_err(index_error)?;
        for (batch, purged) in segment.purged() {
            writer.put(key(b'p', &batch.to_be_bytes(), &[]), purged.to_le_bytes()).map_err(index_error)?;
        }
        for ((batch, block), owners) in segment.sorted_owners() {
            let place = [&batch.to_be_bytes()[..], &block.to_be_bytes()].concat();
            writer.put(key(b's', &place, &epoch.to_be_bytes()), owners.as_bytes()).map_err(index_error)?;
        }
        writer.finish().map_err(index_error)?;
        drop(writer);
        let mut ingest = IngestExternalFileOptions::default();
        ingest.set_move_files(true);
        self.db.ingest_external_file_opts(&ingest, vec![path]).map_err(index_error)?;
        self.packs.add(packs);
        self.purges.lock().extend(segment.purged());
        Ok(())
    }

    /// The days come first. Those of a purged batch begin anew.
    fn write_days(&self, segment: &Segment, writer: &mut SstFileWriter<'_>) -> Result<(), IndexError> {
        let days = segment.sorted_days();
        let mut keys = days.iter().map(|(place, counts)| (*place, Some(counts))).collect::<Vec<_>>();
        let view = self.view();
        for &batch in segment.purged().keys() {
            view.scan(&key(b'd', &batch.to_be_bytes(), &[]), |key, _| {
                if let Some(day) = key.first_chunk::<4>().map(|day| day_of(*day))
                    && !days.contains_key(&(batch, day))
                {
                    keys.push(((batch, day), None));
                }
                true
            })?;
        }
        keys.sort_unstable_by_key(|(place, _)| *place);
        for ((batch, day), counts) in keys {
            let key = key(b'd', &batch.to_be_bytes(), &day_key(day));
            match counts {
                Some(counts) if segment.has_purged(batch) => writer.put(key, counts.as_bytes()),
                Some(counts) => writer.merge(key, counts.as_bytes()),
                None => writer.delete(key),
            }
            .map_err(index_error)?;
        }
        Ok(())
    }
}

/// Whether what is indexed is the beginning of what the journal has.
fn check(mark: &Mark, journal: &Kept) -> Result<(), IndexError> {
    let sealed = mark.sealed.get();
    let replaced = journal.head.map_or(0, |head| head.replaced.epoch);
    let reason = if mark.format.get() != FORMAT {
        format!("it has format {}, this program reads {FORMAT}", mark.format)
    } else if mark.store_id.get() != journal.store_id {
        "it was made of other data".into()
    } else if sealed > journal.last {
        format!("it knows epoch {sealed}, the journal only {}", journal.last)
    } else if sealed < replaced && mark.generation.get() != journal.generation() {
        format!("it knows epoch {sealed}, the journal before {replaced} is gone")
    } else {
        return Ok(());
    };
    Err(IndexError::foreign(reason))
}

fn remove_file(path: &Path) -> Result<(), IndexError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(index_error(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Gives a folder that is damaged another name, which it returns: what is whole of it may be all that is left of
/// batches whose claims a checkpoint gave back.
pub(super) fn set_aside(folder: &Path) -> Result<PathBuf, IndexError> {
    let mut names = (1_u32..).map(|number| folder.with_extension(format!("damaged-{number}")));
    let aside = names.find(|name| !name.exists()).ok_or_else(|| index_error("no name is free"))?;
    std::fs::rename(folder, &aside).map_err(index_error)?;
    Ok(aside)
}

/// Removes the files.
pub(super) fn remove(folder: &Path) -> Result<(), IndexError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(index_error(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn options(purges: &Arc<Mutex<Purges>>) -> Options {
    let mut options = file_options();
    options.create_if_missing(true);
    // Merging all files of one size together reads a little more and writes far less than levels would. Nothing is ever
    // written over, so that a merge of everything gives no space back.
    options.set_compaction_style(DBCompactionStyle::Universal);
    let mut merges = UniversalCompactOptions::default();
    merges.set_max_size_amplification_percent(i32::MAX);
    options.set_universal_compaction_options(&merges);
    options.set_level_zero_file_num_compaction_trigger(FILES);
    // One flushes, one merges: the journal's store needs a thread for itself (`journal/rocks.rs`).
    options.set_max_background_jobs(2);
    options.set_ratelimiter(MERGE_BYTES_PER_SECOND, MERGE_PERIOD_US, 10);
    let mut blocks = rocksdb::BlockBasedOptions::default();
    blocks.set_block_cache(&rocksdb::Cache::new_lru_cache(CACHE_BYTES));
    options.set_block_based_table_factory(&blocks);
    options.set_keep_log_file_num(2);
    options.set_log_level(LogLevel::Warn);
    let purges = Arc::clone(purges);
    options.set_compaction_filter(
        "purged",
        move |_, key, _| {
            if is_of_nobody(&purges, key) { Decision::Remove } else { Decision::Keep }
        },
    );
    options
}

fn file_options() -> Options {
    let mut options = Options::default();
    // Ids are random to us, and the rest is packed.
    options.set_compression_type(DBCompressionType::None);
    options.set_bytes_per_sync(1 << 20);
    options.set_merge_operator_associative("add", |_, existing, operands| Some(sum(existing, operands)));
    options
}

/// Adds numbers of a day up.
fn sum(existing: Option<&[u8]>, operands: &MergeOperands) -> Vec<u8> {
    let mut sum = Counts::default();
    let all = existing.into_iter().chain(operands.iter());
    all.filter_map(|bytes| Counts::ref_from_bytes(bytes).ok()).for_each(|counts| sum.add(counts));
    sum.as_bytes().to_vec()
}

/// Whether a value has nothing but owners of a batch that was purged after it.
fn is_of_nobody(purges: &Mutex<Purges>, key: &[u8]) -> bool {
    let purges = purges.lock();
    let (Some((b's', rest)), Some(epoch)) = (key.split_first(), key.last_chunk::<8>()) else { return false };
    let batch = rest.first_chunk::<8>().map(|batch| BatchId::from_be_bytes(*batch));
    batch.is_some_and(|batch| is_gone(&purges, batch, Epoch::from_be_bytes(*epoch)))
}

fn is_gone(purges: &Purges, batch: BatchId, epoch: Epoch) -> bool {
    purges.get(&batch).is_some_and(|purged| *purged >= epoch)
}

pub(super) fn key(kind: u8, place: &[u8], rest: &[u8]) -> Vec<u8> {
    [&[kind], place, rest].concat()
}

/// Days in order of their bytes.
fn day_key(day: Day) -> [u8; 4] {
    (day.cast_unsigned() ^ 1 << 31).to_be_bytes()
}

pub(super) fn day_of(key: [u8; 4]) -> Day {
    (u32::from_be_bytes(key) ^ 1 << 31).cast_signed()
}

/// What RocksDB says when it opens.
fn store_error(error: rocksdb::Error) -> IndexError {
    if error.kind() == rocksdb::ErrorKind::Corruption {
        return IndexError::damage(error.to_string());
    }
    index_error(error)
}
