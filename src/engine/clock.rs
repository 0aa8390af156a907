//! The clock: a seam, so that tests can set the time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::types::TimeMs;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC. It may go back; the engine does not follow it there.
    fn now_ms(&self) -> TimeMs;

    /// Milliseconds of a clock that only runs: nobody sets it. From where it counts does not matter.
    fn running_ms(&self) -> TimeMs;
}

/// The system's clocks.
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// The running clock counts from here.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> TimeMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn running_ms(&self) -> TimeMs {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
