//! A store in memory whose syncs can be held up, so that a test sees what happens while a group is not durable.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use stockade::journal::{MemoryStore, Reader, Store, StoreError, Visit};
use stockade::types::Epoch;

#[derive(Default)]
struct State {
    closed: bool,
    /// Whether the committer stands before the gate.
    held: bool,
}

/// Clones are the same store.
#[derive(Clone, Default)]
pub(crate) struct GatedStore {
    pub(crate) store: MemoryStore,
    gate: Arc<(Mutex<State>, Condvar)>,
}

impl GatedStore {
    /// Holds up the next sync, and waits for nothing.
    pub(crate) fn hold(&self) {
        self.gate.0.lock().closed = true;
    }

    /// Waits until a sync is held up: its group is written and not durable.
    pub(crate) fn wait_until_held(&self) {
        let mut state = self.gate.0.lock();
        while !state.held {
            self.gate.1.wait(&mut state);
        }
    }

    /// Lets all syncs through.
    pub(crate) fn release(&self) {
        self.gate.0.lock().closed = false;
        self.gate.1.notify_all();
    }
}

impl Store for GatedStore {
    fn write(&mut self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        self.store.write(epoch, group)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let mut state = self.gate.0.lock();
        while state.closed {
            state.held = true;
            self.gate.1.notify_all();
            self.gate.1.wait(&mut state);
        }
        state.held = false;
        self.store.sync()
    }
}

impl Reader for GatedStore {
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.for_each(after, visit)
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.head()
    }

    fn for_each_of_checkpoint(&self, generation: u64, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.for_each_of_checkpoint(generation, visit)
    }
}
