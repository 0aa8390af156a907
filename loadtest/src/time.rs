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

/// The instant `unix_s` seconds after 1970 began, in UTC: `2026-11-22T18:44:41Z`.
///
/// Days become dates by Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is their last.
#[must_use]
pub fn utc(unix_s: u64) -> String {
    let (days, second) = (unix_s / 86_400 + 719_468, unix_s % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        for (unix_s, wanted) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_373_079, "2026-11-22T18:44:39Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(unix_s), wanted);
        }
    }
}
