//! How much of what is stored is still needed: when a checkpoint is worth its work.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::fates::{Ended, Fate, Fates};
use crate::types::{BatchId, Epoch};

/// Bytes of a claim that go with it: its user and its request. (Its share of a run goes too; that is not counted.)
const CLAIM_BYTES: u64 = 16;

/// Bytes that the operations of a batch which was purged took, at least.
const BATCH_BYTES: u64 = 192;

/// Bytes that a group has besides its columns. A checkpoint has a few large groups instead of many small ones.
const GROUP_BYTES: u64 = 80;

/// See the module. Bytes are those of groups; what the store adds is not known here.
#[derive(Default)]
pub struct Usage {
    stored_bytes: AtomicU64,
    /// A lower bound.
    dead_bytes: AtomicU64,
    /// Batches of which not all in the journal is needed any more, in the order in which that became known.
    ended: Mutex<Vec<Ended>>,
}

impl Usage {
    /// So many groups of so many bytes are stored.
    #[must_use]
    pub fn of(groups: u64, bytes: u64) -> Self {
        let (stored_bytes, dead_bytes) = (AtomicU64::new(bytes), AtomicU64::new(groups * GROUP_BYTES));
        Self { stored_bytes, dead_bytes, ended: Mutex::default() }
    }

    /// A group of so many bytes is stored.
    pub fn wrote(&self, bytes: usize) {
        self.stored_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.dead_bytes.fetch_add(GROUP_BYTES, Ordering::Relaxed);
    }

    /// A batch has closed by a durable record of `epoch`, with so many claims.
    pub fn closed(&self, batch: BatchId, epoch: Epoch, claims: u64) {
        if claims > 0 {
            self.dead_bytes.fetch_add(claims * CLAIM_BYTES, Ordering::Relaxed);
            self.ended.lock().push(Ended { batch, epoch, fate: Fate::Closed });
        }
    }

    /// A batch was purged by a durable record of `epoch`.
    pub fn purged(&self, batch: BatchId, epoch: Epoch) {
        self.dead_bytes.fetch_add(BATCH_BYTES, Ordering::Relaxed);
        self.ended.lock().push(Ended { batch, epoch, fate: Fate::Purged });
    }

    /// Bytes of all groups, those of the checkpoint included.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that a checkpoint would give back, at least.
    #[must_use]
    pub fn dead_bytes(&self) -> u64 {
        self.dead_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that a checkpoint must give back to be due: `least`, and half of what it must write. So all checkpoints
    /// together write at most twice what was stored.
    #[must_use]
    pub fn due_bytes(&self, least: u64) -> u64 {
        least.max(self.stored_bytes().saturating_sub(self.dead_bytes()) / 2)
    }

    /// What became of the batches that ended before `epoch`, as far as it is known, and how many were looked at.
    pub(super) fn ended_before(&self, epoch: Epoch) -> (Fates, usize) {
        let ended = self.ended.lock();
        (ended.iter().filter(|ended| ended.epoch < epoch).copied().collect(), ended.len())
    }

    /// A checkpoint replaced all groups up to `epoch`, of `before` bytes, by `after` bytes. It knew of the first
    /// `known` batches that ended; others became known meanwhile.
    pub(super) fn condensed(&self, (epoch, known): (Epoch, usize), before: u64, after: u64) {
        let mut number = 0;
        self.ended.lock().retain(|ended| {
            number += 1;
            number > known || ended.epoch >= epoch
        });
        let given_back = before.saturating_sub(after);
        let less = |bytes: u64| Some(bytes.saturating_sub(given_back));
        for bytes in [&self.stored_bytes, &self.dead_bytes] {
            let _always_some = bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_while_a_checkpoint_is_taken_is_left_to_the_next_one() {
        let usage = Usage::default();
        usage.closed(1, 5, 10);
        usage.closed(2, 9, 10);
        let (fates, known) = usage.ended_before(9);
        assert_eq!((fates.of(1, 3), fates.of(2, 3)), (Some(Fate::Closed), None));
        // Durable before the checkpoint began, and told after that.
        usage.purged(3, 6);
        usage.condensed((9, known), 1_000, 100);
        let (fates, _) = usage.ended_before(10);
        assert_eq!((fates.of(1, 3), fates.of(2, 3), fates.of(3, 6)), (None, Some(Fate::Closed), Some(Fate::Purged)));
        assert_eq!(fates.of(3, 7), None, "the id is used again");
    }
}
