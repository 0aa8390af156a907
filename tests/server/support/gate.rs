//! A store in memory whose syncs wait until the test lets them go.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use stockade::journal::{MemoryStore, StoreError};

use super::patience::GIVE_UP;
use super::wrapped::{Around, Wrapped};

#[derive(Default)]
struct State {
    closed: bool,
    /// Syncs that may pass the closed gate.
    permits: u64,
    /// Syncs that came to the gate since it was closed.
    arrived: u64,
}

/// Where syncs wait. Open at first. Clones are the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

/// A store behind a gate.
pub(crate) type GatedStore = Wrapped<MemoryStore, Gate>;

impl Gate {
    /// Holds up every sync from the next one on.
    pub(crate) fn close(&self) {
        *self.0.0.lock() = State { closed: true, ..State::default() };
    }

    /// Waits until the `number`-th sync since the gate was closed (from 1) stands before it: its group is written, and
    /// not durable.
    pub(crate) fn wait_until_held(&self, number: u64) {
        let (state, changed) = &*self.0;
        let mut state = state.lock();
        while state.arrived < number {
            let waited = changed.wait_for(&mut state, GIVE_UP);
            assert!(!waited.timed_out(), "sync {number} never came");
        }
    }

    /// Lets one sync pass.
    pub(crate) fn let_one_pass(&self) {
        self.0.0.lock().permits += 1;
        self.0.1.notify_all();
    }

    /// Lets all syncs pass.
    pub(crate) fn open(&self) {
        self.0.0.lock().closed = false;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock();
        state.arrived += 1;
        changed.notify_all();
        while state.closed && state.permits == 0 {
            changed.wait(&mut state);
        }
        state.permits = state.permits.saturating_sub(1);
    }
}

impl Around for Gate {
    fn around(&self, call: &'static str, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        if call == "sync" {
            self.pass();
        }
        work()
    }
}
