//! The directory of batches.

use std::collections::BTreeSet;
use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::Mutex;

use super::batch::Batch;
use crate::types::BatchId;

/// Batches by id: found by every core at any time, listed in order for operators.
pub(super) struct Registry {
    batches: DashMap<BatchId, Arc<Batch>, foldhash::fast::RandomState>,
    ids: Mutex<BTreeSet<BatchId>>,
    batches_max: usize,
}

/// What became of a wish to register a batch.
pub(super) enum Registered {
    /// It is registered.
    New(Arc<Batch>),
    /// There is one with this id.
    Known(Arc<Batch>),
    /// There are as many as there may be.
    Full,
}

impl Registry {
    pub(super) fn new(batches_max: usize) -> Self {
        Self { batches: DashMap::default(), ids: Mutex::default(), batches_max }
    }

    pub(super) fn find(&self, id: BatchId) -> Option<Arc<Batch>> {
        self.batches.get(&id).map(|batch| Arc::clone(&batch))
    }

    pub(super) fn len(&self) -> usize {
        self.batches.len()
    }

    /// Registers what `make` makes, unless there is a batch with this id.
    pub(super) fn register(&self, id: BatchId, make: impl FnOnce() -> Batch) -> Registered {
        let mut ids = self.ids.lock();
        match self.batches.entry(id) {
            Entry::Occupied(known) => Registered::Known(Arc::clone(known.get())),
            Entry::Vacant(_) if ids.len() >= self.batches_max => Registered::Full,
            Entry::Vacant(vacant) => {
                let batch = Arc::new(make());
                vacant.insert(Arc::clone(&batch));
                ids.insert(id);
                Registered::New(batch)
            }
        }
    }

    /// Up to `limit` batches from the id `from` on.
    pub(super) fn page(&self, from: BatchId, limit: usize) -> Vec<Arc<Batch>> {
        let ids = self.ids.lock().range(from..).take(limit).copied().collect::<Vec<_>>();
        ids.into_iter().filter_map(|id| self.find(id)).collect()
    }
}
