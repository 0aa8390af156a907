//! The seam between the journal and what keeps it: RocksDB, or memory with faults.

use std::fmt;

use crate::types::Epoch;

/// Keeps packed groups in epoch order.
pub trait Store: Send {
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

    /// Calls `visit` for each group kept, in epoch order, until it answers false.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn for_each(&self, visit: &mut dyn FnMut(Epoch, &[u8]) -> bool) -> Result<(), StoreError>;
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

impl Store for NullStore {
    fn write(&mut self, _epoch: Epoch, _group: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn for_each(&self, _visit: &mut dyn FnMut(Epoch, &[u8]) -> bool) -> Result<(), StoreError> {
        Ok(())
    }
}
