//! The directory of batches.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU32, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::Mutex;

use super::batch::Batch;
use super::hints::Hints;
use super::shelf::{PLACES_MAX, Place, Shelf};
use crate::types::BatchId;

/// Batches by id: found by every core at any time, listed in order for operators. A place on the shelf is never used
/// twice, so cores borrow batches for as long as they like and count no references; what a purged batch had there comes
/// back with a restart.
pub(super) struct Registry {
    shelf: Shelf,
    /// Where each stands on the shelf.
    places: DashMap<BatchId, u32, foldhash::fast::RandomState>,
    hints: Hints,
    ids: Mutex<BTreeSet<BatchId>>,
    /// Places taken. Written under the lock of `ids`.
    taken: AtomicU32,
    batches_max: usize,
}

/// What became of a wish to register a batch.
pub(super) enum Registered<'a> {
    /// It is registered.
    New(&'a Batch),
    /// There is one with this id.
    Known(&'a Batch),
    /// There are as many as there may be.
    Full,
}

impl Registry {
    pub(super) fn new(batches_max: usize) -> Self {
        let (shelf, places, hints, taken) = (Shelf::new(), DashMap::default(), Hints::new(), AtomicU32::new(0));
        Self { shelf, places, hints, ids: Mutex::default(), taken, batches_max }
    }

    pub(super) fn find(&self, id: BatchId) -> Option<&Batch> {
        self.place(id)?.get()
    }

    /// The batch at this place of the shelf.
    ///
    /// # Panics
    /// When there is none.
    pub(super) fn at(&self, index: u32) -> &Batch {
        self.shelf.place(index as usize).and_then(Place::get).expect("batches stay on the shelf")
    }

    /// Where the batch with this id stands. Does not touch the batch, whose memory may be far away.
    #[inline]
    pub(super) fn place(&self, id: BatchId) -> Option<&Place> {
        let index = *self.places.get(&id)?;
        self.shelf.place(index as usize)
    }

    /// Asks the processor for what [`Registry::hinted`] reads.
    #[inline]
    pub(super) fn ask(&self, id: BatchId) {
        self.hints.prefetch(self.hash(id));
    }

    /// Where the batch with this id probably stands: whoever gets there looks at its id.
    #[inline]
    pub(super) fn hinted(&self, id: BatchId) -> Option<&Place> {
        let hinted = self.hints.find(self.hash(id)).and_then(|index| self.shelf.place(index as usize));
        hinted.or_else(|| self.place(id))
    }

    #[inline]
    fn hash(&self, id: BatchId) -> u64 {
        self.places.hasher().hash_one(id)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Registers what `make` makes of a place on the shelf, unless there is a batch with this id.
    pub(super) fn register(&self, id: BatchId, make: impl FnOnce(u32) -> Batch) -> Registered<'_> {
        let mut ids = self.ids.lock();
        match self.places.entry(id) {
            Entry::Occupied(known) => {
                let place = self.shelf.place(*known.get() as usize).and_then(Place::get);
                Registered::Known(place.expect("a known batch stands on its place"))
            }
            Entry::Vacant(vacant) => {
                let index = self.taken.load(Ordering::Relaxed);
                if ids.len() >= self.batches_max || index as usize >= PLACES_MAX {
                    return Registered::Full;
                }
                self.taken.store(index + 1, Ordering::Release);
                let batch = self.shelf.put(index as usize, make(index));
                drop(vacant.insert(index));
                ids.insert(id);
                self.hint(id, index, &ids);
                Registered::New(batch)
            }
        }
    }

    fn hint(&self, id: BatchId, index: u32, ids: &BTreeSet<BatchId>) {
        if self.hints.is_full(ids.len()) {
            let known = |id: &BatchId| self.places.get(id).map(|index| (self.hash(*id), *index));
            self.hints.grow(ids.iter().filter_map(known));
        } else {
            self.hints.add(self.hash(id), index);
        }
    }

    /// Makes the hint of a batch wrong, or takes it out.
    #[cfg(test)]
    pub(super) fn mislead(&self, id: BatchId, index: Option<u32>) {
        self.hints.remove(self.hash(id));
        index.into_iter().for_each(|index| self.hints.add(self.hash(id), index));
    }

    /// Forgets the id of a batch.
    pub(super) fn remove(&self, id: BatchId) {
        let mut ids = self.ids.lock();
        self.hints.remove(self.hash(id));
        self.places.remove(&id);
        ids.remove(&id);
    }

    /// Up to `limit` batches from the id `from` on.
    pub(super) fn page(&self, from: BatchId, limit: usize) -> Vec<&Batch> {
        let ids = self.ids.lock().range(from..).take(limit).copied().collect::<Vec<_>>();
        ids.into_iter().filter_map(|id| self.find(id)).collect()
    }
}
