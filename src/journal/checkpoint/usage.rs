//! How much of what is stored is still needed: when a checkpoint is worth its work.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

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
    /// Batches of which not all in the journal is needed any more, and since when; durable.
    ended: Mutex<Vec<(BatchId, Epoch, Fate)>>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has closed: of its claims only the sums are needed.
    Closed,
    /// It was purged: nothing of it is needed.
    Purged,
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
            self.ended.lock().push((batch, epoch, Fate::Closed));
        }
    }

    /// A batch was purged by a durable record of `epoch`.
    pub fn purged(&self, batch: BatchId, epoch: Epoch) {
        self.dead_bytes.fetch_add(BATCH_BYTES, Ordering::Relaxed);
        self.ended.lock().push((batch, epoch, Fate::Purged));
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

    /// Whether a checkpoint is due: it gives back `least` bytes, and half of what it must write. So all checkpoints
    /// together write at most twice what was stored.
    #[must_use]
    pub fn is_due(&self, least: u64) -> bool {
        let dead = self.dead_bytes();
        dead >= least.max(self.stored_bytes().saturating_sub(dead) / 2)
    }

    /// What became of the batches that ended before `epoch`.
    pub(super) fn ended_before(&self, epoch: Epoch) -> impl Iterator<Item = (BatchId, Fate)> {
        let ended = self.ended.lock().clone();
        // In order: of a batch that was closed and then purged, the latter stays in a map.
        ended.into_iter().filter(move |(_, ended, _)| *ended < epoch).map(|(batch, _, fate)| (batch, fate))
    }

    /// A checkpoint replaced all groups up to `epoch`, of `before` bytes, by `after` bytes.
    pub(super) fn condensed(&self, epoch: Epoch, before: u64, after: u64) {
        self.ended.lock().retain(|(_, ended, _)| *ended >= epoch);
        let given_back = before.saturating_sub(after);
        let less = |bytes: u64| Some(bytes.saturating_sub(given_back));
        for bytes in [&self.stored_bytes, &self.dead_bytes] {
            let _always_some = bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }
}
