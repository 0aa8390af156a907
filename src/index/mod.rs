//! Index: what happened, by user, by serial and by day. Derived from the journal, group by group, in the background; it
//! decides nothing.
//!
//! The newest events lie in memory, in a [`segment`]. A full segment is sorted into one table file, which comes into a
//! RocksDB of its own whole, past any log, with the epoch up to which it reaches. So a reader sees all events up to
//! some epoch, each once: those of the files, and those of the segments behind them.
//!
//! - By user: a user's events lie in one of [`BUCKETS`] buckets, with those of others who share it; a file has a
//!   [`pack`] for each bucket. Whatever is asked of a coupon is found through the user who took it.
//! - By serial: who took it.
//! - By day: numbers, which RocksDB adds up when it merges files.
//!
//! What a checkpoint leaves out of the journal, the index still has: no checkpoint goes further than its files.

mod counts;
mod events;
mod indexer;
mod lot;
mod pack;
mod record;
mod segment;
mod store;
#[cfg(test)]
mod tests;
mod unit;
mod view;

pub use counts::{Counts, Days};
pub use indexer::{Indexer, IndexerOptions};
pub use store::{IndexError, Kept};
pub use unit::{Taken, Unit, UnitState, units};

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, RwLock};
use stockade_protocol::feed::Event;

use crate::types::{BatchId, Epoch, UserId};
use segment::{Owner, Segment};
use store::IndexStore;

/// Buckets of users.
const BUCKETS: usize = 1 << 15;

/// Events of a full segment: some 30 MB of memory, and as much again while it becomes a file.
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
    /// Opens the index in `folder`, and makes it if it is not there. One that is no beginning of what the journal has,
    /// or that is damaged, is made anew.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, journal: &Kept) -> Result<Self, IndexError> {
        let opened = IndexStore::open(folder, journal).and_then(|(store, sealed)| {
            let purged = store.purged()?;
            Ok((store, sealed, purged))
        });
        let (store, sealed, purged) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::warn!("the index is made anew: {error}");
                store::remove(folder)?;
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
        let bucket = self.store.bucket(user);
        let mut events = Vec::new();
        let files = {
            let tail = self.tail.read();
            let segments = tail.sealing.iter().map(|segment| &**segment).chain([&tail.open]);
            segments.for_each(|segment| segment.of_user(bucket, user, &mut events));
            // While the lock is held no segment is dropped; one that comes into the files meanwhile is seen twice.
            self.store.events(bucket)
        };
        let mut all = files.of_user(user)?;
        let seen = all.iter().map(|event| event.epoch.get()).max().unwrap_or(0);
        all.extend(events.into_iter().filter(|event| event.epoch.get() > seen));
        let purged = self.purged.lock();
        all.retain(|event| purged.get(&event.batch.get()).is_none_or(|epoch| event.epoch.get() > *epoch));
        Ok(all)
    }

    /// Who took the serials of a batch, from `from` on, at least the first `least` of them if there are so many, in
    /// order of serial. (Of a batch whose id was used before, earlier owners too: they have no events.)
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn owners(&self, batch: BatchId, from: u32, least: usize) -> Result<Vec<Taken>, IndexError> {
        let mut owners = Vec::<Owner>::new();
        let behind = self.snapshot(|after, segments| {
            segments.iter().filter(|segment| segment.last_epoch() > after).for_each(|segment| {
                segment.owners(batch, from, &mut owners);
            });
        });
        behind.owners(batch, from, least, &mut owners)?;
        owners.sort_unstable_by_key(|owner| owner.serial.get());
        Ok(owners.iter().map(Taken::of).collect())
    }

    /// Who took one serial of a batch: the newest last.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn owner(&self, batch: BatchId, serial: u32) -> Result<Vec<UserId>, IndexError> {
        let mut owners = Vec::<Owner>::new();
        let mut newest = Vec::<Owner>::new();
        let behind = self.snapshot(|after, segments| {
            segments.iter().filter(|segment| segment.last_epoch() > after).for_each(|segment| {
                segment.owner(batch, serial, &mut newest);
            });
        });
        behind.owner(batch, serial, &mut owners)?;
        owners.append(&mut newest);
        Ok(owners.iter().filter(|owner| owner.has(serial)).map(|owner| owner.user.get()).collect())
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
