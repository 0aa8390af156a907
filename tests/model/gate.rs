//! A store in memory whose syncs wait at a gate: the test decides when a group becomes durable.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use stockade::journal::{MemoryStore, Reader, Store, StoreError, Visit};
use stockade::types::Epoch;

#[derive(Default)]
struct State {
    closed: bool,
    /// The committer stands before the gate: its group is written and not durable.
    held: bool,
    /// One may pass although the gate is closed.
    permit: bool,
    /// Syncs that passed.
    passed: u64,
}

/// Where syncs wait. Clones are the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

impl Gate {
    pub(crate) fn close(&self) {
        self.0.0.lock().closed = true;
    }

    pub(crate) fn open(&self) {
        let mut state = self.0.0.lock();
        (state.closed, state.held) = (false, false);
        drop(state);
        self.0.1.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.0.lock().closed
    }

    pub(crate) fn is_held(&self) -> bool {
        self.0.0.lock().held
    }

    /// Lets the sync through that is held up.
    pub(crate) fn let_one_pass(&self) {
        let mut state = self.0.0.lock();
        assert!(state.held, "a sync is held up");
        let before = state.passed;
        state.permit = true;
        self.0.1.notify_all();
        while state.passed == before {
            self.0.1.wait(&mut state);
        }
    }

    fn pass(&self) {
        let mut state = self.0.0.lock();
        while state.closed && !state.permit {
            state.held = true;
            self.0.1.wait(&mut state);
        }
        (state.held, state.permit) = (false, false);
        state.passed += 1;
        self.0.1.notify_all();
    }
}

/// See the module.
pub(crate) struct GatedStore {
    pub(crate) store: MemoryStore,
    pub(crate) gate: Gate,
}

impl Reader for GatedStore {
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.for_each(after, visit)
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.head()
    }

    fn for_each_of_checkpoint(&self, generation: u64, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.for_each_of_checkpoint(generation, after, visit)
    }
}

impl Store for GatedStore {
    fn write(&mut self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        self.store.write(epoch, group)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.gate.pass();
        self.store.sync()
    }
}
