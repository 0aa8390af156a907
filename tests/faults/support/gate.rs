//! A store in memory whose syncs can be held up, so that a test sees what happens while a group is not durable.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use stockade::journal::{MemoryStore, StoreError};

use super::wrapped::{Around, Wrapped};

#[derive(Default)]
struct State {
    closed: bool,
    /// Whether the committer stands before the gate.
    held: bool,
}

/// Where syncs wait. Clones are the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

/// Clones are the same store.
pub(crate) type GatedStore = Wrapped<MemoryStore, Gate>;

impl GatedStore {
    /// Holds up the next sync, and waits for nothing.
    pub(crate) fn hold(&self) {
        self.around.0.0.lock().closed = true;
    }

    /// Waits until a sync is held up: its group is written and not durable.
    pub(crate) fn wait_until_held(&self) {
        let mut state = self.around.0.0.lock();
        while !state.held {
            self.around.0.1.wait(&mut state);
        }
    }

    /// Lets all syncs through.
    pub(crate) fn release(&self) {
        self.around.0.0.lock().closed = false;
        self.around.0.1.notify_all();
    }
}

impl Around for Gate {
    fn around(&self, call: &'static str, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        if call == "sync" {
            let mut state = self.0.0.lock();
            while state.closed {
                state.held = true;
                self.0.1.notify_all();
                self.0.1.wait(&mut state);
            }
            state.held = false;
        }
        work()
    }
}
