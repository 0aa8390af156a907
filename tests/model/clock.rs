//! Clocks that show what the test says: the one on the wall, and the one that only runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stockade::engine::Clock;

/// Clones show the same times.
#[derive(Clone)]
pub(crate) struct Clocks {
    wall_ms: Arc<AtomicU64>,
    running_ms: Arc<AtomicU64>,
}

impl Clocks {
    pub(crate) fn at(wall_ms: u64) -> Self {
        Self { wall_ms: Arc::new(AtomicU64::new(wall_ms)), running_ms: Arc::new(AtomicU64::new(1_000)) }
    }

    /// Moves both: the wall's by any number of milliseconds, the running one only forwards.
    pub(crate) fn pass(&self, wall_ms: i64, running_ms: u64) {
        let wall = self.wall_ms.load(Ordering::SeqCst).saturating_add_signed(wall_ms);
        self.wall_ms.store(wall, Ordering::SeqCst);
        self.running_ms.fetch_add(running_ms, Ordering::SeqCst);
    }
}

impl Clock for Clocks {
    fn now_ms(&self) -> u64 {
        self.wall_ms.load(Ordering::SeqCst)
    }

    fn running_ms(&self) -> u64 {
        self.running_ms.load(Ordering::SeqCst)
    }
}
