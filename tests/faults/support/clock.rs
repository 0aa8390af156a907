//! A clock that shows what the test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stockade::engine::Clock;

/// Clones show the same time.
#[derive(Clone)]
pub(crate) struct ManualClock {
    now_ms: Arc<AtomicU64>,
}

impl ManualClock {
    pub(crate) fn at(now_ms: u64) -> Self {
        Self { now_ms: Arc::new(AtomicU64::new(now_ms)) }
    }

    pub(crate) fn set(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn running_ms(&self) -> u64 {
        self.now_ms()
    }
}
