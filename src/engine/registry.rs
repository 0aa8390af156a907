//! The directory of batches.

use std::collections::BTreeSet;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::Mutex;

use super::batch::Batch;
use super::shelf::{Place, Shelf};
use crate::types::BatchId;

/// Batches by id: found by every core at any time, listed in order for operators. None is ever removed, so cores borrow
/// them for as long as they like and count no references.
pub(super) struct Registry {
    shelf: Shelf,
    /// Where each stands on the shelf.
    places: DashMap<BatchId, u32, foldhash::fast::RandomState>,
    ids: Mutex<BTreeSet<BatchId>>,
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
        let (shelf, places) = (Shelf::new(batches_max), DashMap::default());
        Self { shelf, places, ids: Mutex::default(), batches_max }
    }

    pub(super) fn find(&self, id: BatchId) -> Option<&Batch> {
        self.place(id)?.get()
    }

    /// Where the batch with this id stands. Does not touch the batch, whose memory may be far away.
    #[inline]
    pub(super) fn place(&self, id: BatchId) -> Option<&Place> {
        let index = *self.places.get(&id)?;
        self.shelf.place(index as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Registers what `make` makes, unless there is a batch with this id.
    pub(super) fn register(&self, id: BatchId, make: impl FnOnce() -> Batch) -> Registered<'_> {
        let mut ids = self.ids.lock();
        match self.places.entry(id) {
            Entry::Occupied(known) => {
                let place = self.shelf.place(*known.get() as usize).and_then(Place::get);
                Registered::Known(place.expect("a known batch stands on its place"))
            }
            Entry::Vacant(_) if ids.len() >= self.batches_max => Registered::Full,
            Entry::Vacant(vacant) => {
                let index = ids.len();
                let batch = self.shelf.put(index, make());
                vacant.insert(u32::try_from(index).expect("there may be fewer batches"));
                ids.insert(id);
                Registered::New(batch)
            }
        }
    }

    /// Up to `limit` batches from the id `from` on.
    pub(super) fn page(&self, from: BatchId, limit: usize) -> Vec<&Batch> {
        let ids = self.ids.lock().range(from..).take(limit).copied().collect::<Vec<_>>();
        ids.into_iter().filter_map(|id| self.find(id)).collect()
    }
}
