//! The run's clock, and the few conversions between nanoseconds and what people read.
//!
//! All instants of a run are nanoseconds since its start in a `u64`, so that schedules and latencies are plain numbers
//! and tests can name any instant they like.

use std::time::{Duration, Instant};

/// Counts nanoseconds from the start of the run.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts to count after `delay`; until then it shows 0.
    #[must_use]
    pub fn starting_in(delay: Duration) -> Self {
        Self { start: Instant::now() + delay }
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// Sleeps until the clock starts.
    pub fn wait_for_start(&self) {
        std::thread::sleep(self.start.saturating_duration_since(Instant::now()));
    }
}

/// The whole nanoseconds of `duration`; 584 years at most.
#[must_use]
pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// `count` as a floating-point number.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
pub fn real(count: u64) -> f64 {
    count as f64
}

/// Seconds, from nanoseconds.
#[must_use]
pub fn seconds(ns: u64) -> f64 {
    real(ns) / 1e9
}

/// Microseconds, from nanoseconds.
#[must_use]
pub fn microseconds(ns: u64) -> f64 {
    real(ns) / 1e3
}

/// Events a second; 0 when no time has passed.
#[must_use]
pub fn per_second(count: u64, ns: u64) -> f64 {
    if ns == 0 { 0.0 } else { real(count) / seconds(ns) }
}

/// `value` rounded down to a whole number; 0 for what is not a positive number.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is what is wanted")]
pub fn whole(value: f64) -> u64 {
    value as u64
}
