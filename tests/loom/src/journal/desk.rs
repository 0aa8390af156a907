//! What a model needs of the journal besides the epochs: a buffer per core and parity, and the committer's round.

use loom::cell::Cell;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use super::Epochs;
use crate::types::Epoch;

/// Epochs from 1 on, with what the cores hand in and what the committer has stored.
pub(super) struct Desk {
    pub(super) epochs: Epochs,
    /// Per core, for even and for odd epochs: the epochs of the records that were handed in.
    buffers: Vec<[Cell<Vec<Epoch>>; 2]>,
    /// Records that the committer has stored. Only what makes an epoch durable makes this visible, too.
    stored: AtomicU64,
}

impl Desk {
    pub(super) fn new(cores: usize) -> Self {
        let buffers = (0..cores).map(|_| [Cell::new(Vec::new()), Cell::new(Vec::new())]).collect();
        Self { epochs: Epochs::new(cores, 1), buffers, stored: AtomicU64::new(0) }
    }

    /// A record of a burst of `core` in `epoch`.
    pub(super) fn hand_in(&self, core: usize, epoch: Epoch) {
        let buffer = self.buffer(core, epoch);
        let mut records = buffer.take();
        records.push(epoch);
        buffer.set(records);
    }

    /// One round of the committer. Returns how many records it collected.
    pub(super) fn commit(&self) -> u64 {
        let epoch = self.epochs.close();
        while self.epochs.is_inside(epoch) {
            thread::yield_now();
        }
        let mut count = 0;
        for core in 0..self.buffers.len() {
            for record in self.buffer(core, epoch).take() {
                assert_eq!(record, epoch, "a record was collected with another epoch");
                count += 1;
            }
        }
        let stored = self.stored.load(Ordering::Relaxed) + count;
        self.stored.store(stored, Ordering::Relaxed);
        self.epochs.set_durable(epoch);
        count
    }

    /// Records that are known to be stored.
    pub(super) fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    fn buffer(&self, core: usize, epoch: Epoch) -> &Cell<Vec<Epoch>> {
        &self.buffers[core][usize::from(epoch % 2 == 1)]
    }
}
