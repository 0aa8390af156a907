//! What became of the batches that ended: which of their records a checkpoint leaves out.

use std::collections::HashMap;

use crate::types::{BatchId, Epoch};

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has closed: of its claims only the sums are needed.
    Closed,
    /// It was purged: nothing of it is needed.
    Purged,
}

/// A batch that ended, by a durable record of an epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) batch: BatchId,
    pub(super) epoch: Epoch,
    pub(super) fate: Fate,
    /// What is dead of it, at least, and was not yet counted where it lies.
    pub(super) bytes: u64,
}

/// See the module.
#[derive(Default)]
pub(super) struct Fates {
    /// When the batch with this id was purged last and when it closed last; 0 = never.
    last: HashMap<BatchId, (Epoch, Epoch), foldhash::fast::RandomState>,
}

impl Fates {
    /// What became of the batch of a record in the group of `epoch`. An id may be used again once the purge is durable:
    /// what comes later is of another batch.
    pub(super) fn of(&self, batch: BatchId, epoch: Epoch) -> Option<Fate> {
        let (purged, closed) = *self.last.get(&batch)?;
        match epoch {
            _ if epoch <= purged => Some(Fate::Purged),
            _ if closed > purged => Some(Fate::Closed),
            _ => None,
        }
    }
}

impl FromIterator<Ended> for Fates {
    fn from_iter<I: IntoIterator<Item = Ended>>(all: I) -> Self {
        let mut fates = Self::default();
        for ended in all {
            let (purged, closed) = fates.last.entry(ended.batch).or_default();
            let last = if ended.fate == Fate::Purged { purged } else { closed };
            *last = ended.epoch.max(*last);
        }
        fates
    }
}
