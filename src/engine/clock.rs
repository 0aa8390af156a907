//! The clock: a seam, so that tests can set the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::types::TimeMs;

/// Tells the time. It may go back; the engine does not follow it there.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC.
    fn now_ms(&self) -> TimeMs;
}

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> TimeMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
