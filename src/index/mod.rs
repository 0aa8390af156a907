//! Index: what happened, by user, by serial and by day. Derived from the journal, group by group, in the background; it
//! decides nothing.
//!
//! The newest events lie in memory, in a [`segment`]. A full segment is sorted into files, with the epoch up to which
//! they reach. So a reader sees all events up to some epoch, each once: those of the files, and those of the segments
//! behind them.
//!
//! - By user: a user's events lie in one of [`BUCKETS`] buckets, with those of others who share it, in files of
//!   [`packs`]. Whatever is asked of a coupon is found through the user who took it.
//! - By serial: who took it. In a RocksDB of the index's own, into which whole table files come, past any log.
//! - By day: numbers, which RocksDB adds up when it merges files.
//!
//! What a checkpoint leaves out of the journal, the index still has: no checkpoint goes further than its files.

mod counts;
mod error;
mod indexer;
mod lot;
mod owner;
mod packs;
mod record;
mod segment;
mod store;
#[cfg(test)]
mod tests;
mod unit;
mod view;

pub use counts::{Counts, Days};
pub use error::IndexError;
pub use indexer::{Indexer, IndexerOptions};
pub use store::Kept;
pub use unit::{Taken, Unit, UnitState, units};

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, RwLock};
use stockade_protocol::feed::Event;

use crate::types::{BatchId, Epoch, UserId};
use error::Cause;
use segment::Segment;
use store::IndexStore;

/// Buckets of users.
const BUCKETS: usize = 1 << 15;

/// Events of a full segment: some 30 MB of memory, and as much again while it becomes a file. At most three times that,
/// while files cannot be written as fast as events come.
const SEGMENT_EVENTS: usize = 1 << 19;

/// See the module.
pub struct Index {
    store: IndexStore,
    tail: RwLock<Tail>,
    /// The epoch up to which readers see all events.
    through: AtomicU64,
    /// The epoch up to which events lie in files.
    sealed: AtomicU64,
    /// Batches that were purged, each with the epoch: their events before it are nobody's.
    purged: Mutex<HashMap<BatchId, Epoch>>,
    /// Somebody waits for space that only a new file gives back.
    seal_wanted: AtomicBool,
    /// For those who wait for `through`.
    progress: (Mutex<()>, Condvar),
    /// The indexer, to be woken when somebody waits.
    thread: OnceLock<Thread>,
}

/// What is in no file yet.
struct Tail {
    open: Segment,
    /// A full one that becomes a file.
    sealing: Option<Arc<Segment>>,
}

impl Index {
    /// Opens the index in `folder`, and makes it if it is not there. One that is no beginning of what the journal has
    /// is made anew; so is one that is damaged, whose folder stays under another name.
    ///
    /// # Errors
    /// When the system refuses something. Then nothing is removed: it may be the only history of closed batches.
    pub fn open(folder: &Path, journal: &Kept) -> Result<Self, IndexError> {
        let opened = IndexStore::open(folder, journal).and_then(|(store, sealed)| {
            let purged = store.purged()?;
            Ok((store, sealed, purged))
        });
        let (store, sealed, purged) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                match error.cause() {
                    Cause::System => return Err(error),
                    Cause::Foreign => {
                        tracing::warn!("the index is made anew: {error}");
                        store::remove(folder)?;
                    }
                    Cause::Damage => {
                        let aside = store::set_aside(folder)?;
                        tracing::error!(
                            "the index is damaged and is made anew: {error}. What was there stays in {}; what the \
                             journal has not any more of closed batches is only there. Remove it if nobody needs that",
                            aside.display()
                        );
                    }
                }
                let (store, sealed) = IndexStore::open(folder, journal)?;
                (store, sealed, HashMap::new())
            }
        };
        Ok(Self {
            store,
            tail: RwLock::new(Tail { open: Segment::new(), sealing: None }),
            through: AtomicU64::new(sealed),
            sealed: AtomicU64::new(sealed),
            purged: Mutex::new(purged),
            seal_wanted: AtomicBool::new(false),
            progress: (Mutex::new(()), Condvar::new()),
            thread: OnceLock::new(),
        })
    }

    /// The epoch up to which readers see all events.
    #[must_use]
    pub fn through(&self) -> Epoch {
        self.through.load(Ordering::Acquire)
    }

    /// The epoch up to which events lie in files: the journal needs to keep what comes after it.
    #[must_use]
    pub fn sealed(&self) -> Epoch {
        self.sealed.load(Ordering::Acquire)
    }

    /// Asks for a file of what there is, so that the journal need not keep it.
    pub fn want_seal(&self) {
        self.seal_wanted.store(true, Ordering::Relaxed);
    }

    /// Waits until all events up to `epoch`, which is durable, can be seen. False when that takes longer than `limit`.
    #[must_use]
    pub fn wait_for(&self, epoch: Epoch, limit: Duration) -> bool {
        if self.through() >= epoch {
            return true;
        }
        self.thread.get().into_iter().for_each(Thread::unpark);
        let until = Instant::now() + limit;
        let (lock, progress) = &self.progress;
        let mut guard = lock.lock();
        while self.through() < epoch {
            if progress.wait_until(&mut guard, until).timed_out() {
                return self.through() >= epoch;
            }
        }
        true
    }

    /// All events of one user, of batches that were not purged, in order.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn of_user(&self, user: UserId) -> Result<Vec<Event>, IndexError> {
        self.events(self.store.bucket(user), &|other| other == user)
    }

    /// Those of a bucket's users for whom `is_wanted` says so.
    fn events(&self, bucket: usize, is_wanted: &impl Fn(UserId) -> bool) -> Result<Vec<Event>, IndexError> {
        let mut events = Vec::new();
        let files = {
            let tail = self.tail.read();
            let segments = tail.sealing.iter().map(|segment| &**segment).chain([&tail.open]);
            segments.for_each(|segment| segment.events(bucket, is_wanted, &mut events));
            // While the lock is held no segment is dropped; one that comes into the files meanwhile is seen twice.
            self.store.packs().list()
        };
        let mut all = packs::events(&files, bucket, is_wanted)?;
        let seen = all.iter().map(|event| event.epoch.get()).max().unwrap_or(0);
        all.extend(events.into_iter().filter(|event| event.epoch.get() > seen));
        let purged = self.purged.lock();
        all.retain(|event| purged.get(&event.batch.get()).is_none_or(|epoch| event.epoch.get() > *epoch));
        Ok(all)
    }

    /// Who took the serials of a batch, from `from` on, at least the first `least` of them if there are so many, in
    /// order of serial.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn owners(&self, batch: BatchId, from: u32, least: usize) -> Result<Vec<Taken>, IndexError> {
        let (mut all, gone) = (Vec::new(), self.purged_at(batch));
        let behind = self.snapshot(|after, segments| {
            let newer = segments.iter().filter(|segment| segment.last_epoch() > after.max(gone));
            newer.for_each(|segment| segment.held(batch, from, &mut all));
        });
        behind.held(batch, gone, (from, least), &mut all)?;
        drop(behind);
        all.sort_unstable_by_key(|held| held.serial);
        let (mut takers, mut owners, mut units) = (HashMap::new(), Vec::new(), 0);
        for held in all {
            if units >= least {
                break;
            }
            let takers = match takers.entry(held.bucket) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.takers(batch, held.bucket)?),
            };
            if let Some(taken) = takers.iter().find_map(|taken| taken.within(&held)) {
                units += taken.units as usize;
                owners.push(taken);
            }
        }
        Ok(owners)
    }

    /// Who took one serial of a batch.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn owner(&self, batch: BatchId, serial: u32) -> Result<Option<UserId>, IndexError> {
        let (mut all, gone) = (Vec::new(), self.purged_at(batch));
        let behind = self.snapshot(|after, segments| {
            let newer = segments.iter().filter(|segment| segment.last_epoch() > after.max(gone));
            newer.for_each(|segment| segment.holder(batch, serial, &mut all));
        });
        behind.holder(batch, gone, serial, &mut all)?;
        drop(behind);
        for held in all {
            let takers = self.takers(batch, held.bucket)?;
            if let Some(taken) = takers.iter().find(|taken| taken.has(serial)) {
                return Ok(Some(taken.user));
            }
        }
        Ok(None)
    }

    /// The epoch up to which nothing of a batch is anybody's.
    fn purged_at(&self, batch: BatchId) -> Epoch {
        self.purged.lock().get(&batch).copied().unwrap_or(0)
    }

    /// What users of a bucket took of a batch.
    fn takers(&self, batch: BatchId, bucket: usize) -> Result<Vec<Taken>, IndexError> {
        let events = self.events(bucket, &|user| self.store.bucket(user) == bucket)?;
        Ok(events.iter().filter(|event| event.batch.get() == batch).filter_map(Taken::of).collect())
    }

    /// The numbers of a batch, by day.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn days(&self, batch: BatchId) -> Result<Days, IndexError> {
        let (mut days, mut is_reset) = (Days::default(), false);
        let behind = self.snapshot(|after, segments| {
            for segment in segments.iter().filter(|segment| segment.last_epoch() > after) {
                if segment.has_purged(batch) {
                    (days, is_reset) = (Days::default(), true);
                }
                segment.days(batch, &mut days);
            }
        });
        if !is_reset {
            behind.days(batch, &mut days)?;
        }
        Ok(days)
    }

    /// A view of the files, and what lies behind it: `look` is given the epoch of the files and the segments, oldest
    /// first, before anything can change.
    fn snapshot(&self, look: impl FnOnce(Epoch, &[&Segment])) -> view::View<'_> {
        let tail = self.tail.read();
        // While the lock is held no segment is dropped; one that came into the files meanwhile is passed over.
        let view = self.store.view();
        let segments = tail.sealing.iter().map(|segment| &**segment).chain([&tail.open]).collect::<Vec<_>>();
        look(view.sealed, &segments);
        view
    }
}
