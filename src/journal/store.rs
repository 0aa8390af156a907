//! The seam between the journal and what keeps it: RocksDB, or memory with faults.

use std::fmt;

use crate::types::Epoch;

/// Visits groups in order of epoch until it answers false.
pub type Visit<'a> = dyn FnMut(Epoch, &[u8]) -> bool + 'a;

/// Reads what is kept: a checkpoint, if one was installed, and the groups.
pub trait Reader {
    /// Visits each group after the epoch `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// About how many bytes the groups after the epoch `after` take.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn bytes_after(&self, after: Epoch) -> Result<u64, StoreError> {
        let mut sum = 0;
        self.for_each(after, &mut |_, group| {
            sum += group.len() as u64;
            true
        })?;
        Ok(sum)
    }

    /// The head of the checkpoint that was installed last, if one was.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits each group of the checkpoint of this generation after the epoch `after`. None is also what is left of
    /// one that was cleared.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn for_each_of_checkpoint(&self, generation: u64, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError>;
}

/// Keeps packed groups in epoch order.
pub trait Store: Reader + Send {
    /// Hands over a group. After `Ok` it survives the death of the process, after the next `sync` that of the machine.
    ///
    /// # Errors
    /// The group may or may not be kept: only a restart can tell.
    fn write(&mut self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError>;

    /// Makes all that was written survive the loss of power.
    ///
    /// # Errors
    /// What was written may or may not survive.
    fn sync(&mut self) -> Result<(), StoreError>;
}

/// Keeps checkpoints beside the groups, for one thread that works while another writes groups.
///
/// A checkpoint is drafted (`begin`, `append`, `finish`), then installed. Until it is installed, and for ever if it
/// never is, the store reads as before.
pub trait CheckpointStore: Reader + Send {
    /// The highest generation of which anything is kept, installed or not; 0 = none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn last_generation(&self) -> Result<u64, StoreError>;

    /// Begins the draft of a generation that is higher than any before, and forgets an unfinished one.
    ///
    /// # Errors
    /// When there is no room.
    fn begin(&self, generation: u64) -> Result<(), StoreError>;

    /// Adds a group to the draft.
    ///
    /// # Errors
    /// When there is no room.
    fn append(&self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError>;

    /// Makes the draft survive the loss of power.
    ///
    /// # Errors
    /// The draft must be begun anew.
    fn finish(&self) -> Result<(), StoreError>;

    /// Replaces the head, and makes that survive the loss of power: from here on the finished draft is the checkpoint.
    ///
    /// # Errors
    /// The head may or may not be replaced: only a restart can tell.
    fn install(&self, head: &[u8]) -> Result<(), StoreError>;

    /// Gives the space of what the installed checkpoint replaced back, as far as that is cheap: groups up to the epoch
    /// `up_to`, and the checkpoints of other generations than these, which ascend.
    ///
    /// # Errors
    /// Some of it may be left; nothing else is touched.
    fn clear(&self, generations: &[u64], up_to: Epoch) -> Result<(), StoreError>;
}

/// The store failed. There is nothing to retry: stop and restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// What the store said.
    pub reason: String,
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for StoreError {}

/// Keeps nothing: durability `memory`.
pub struct NullStore;

impl Reader for NullStore {
    fn for_each(&self, _after: Epoch, _visit: &mut Visit<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn for_each_of_checkpoint(
        &self,
        _generation: u64,
        _after: Epoch,
        _visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Store for NullStore {
    fn write(&mut self, _epoch: Epoch, _group: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
