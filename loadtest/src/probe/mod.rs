//! The server's own metrics, read while the load runs: its processor time, and how long its disk takes.
//!
//! A thread reads the admin port a few times a second. What is kept are the counters themselves, so leaving every
//! second one out loses resolution and nothing else.

pub mod http;
pub mod sample;
pub mod series;

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::load::tally::Period;
use crate::time::Clock;

use http::HttpError;
use sample::Sample;
pub use series::ServerSeries;

/// Readings that are kept at most.
const READINGS_MAX: usize = 400;

/// The shortest pause between two readings: a reading takes the server some 100 µs.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// Where the metrics are.
const PATH: &str = "/metrics";

/// Reads a server's metrics.
#[derive(Clone, Debug)]
pub struct Probe {
    address: String,
    token: String,
}

/// Counters at an instant of the run.
#[derive(Clone, Debug)]
pub struct Reading {
    /// When, in nanoseconds since the start of the schedule.
    pub at_ns: u64,
    /// What they were.
    pub sample: Sample,
}

/// All readings of a run.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// In order; the first is from before the load, the last from after it.
    pub kept: Vec<Reading>,
    /// Attempts that brought nothing.
    pub failures: u64,
    /// What the first of them met.
    pub complaint: Option<String>,
}

impl Probe {
    /// For the admin port at `address`, where `token` is shown if it is not empty.
    #[must_use]
    pub fn new(address: &str, token: &str) -> Self {
        Self { address: address.to_owned(), token: token.to_owned() }
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Reads once.
    ///
    /// # Errors
    /// When nothing answers there, or something else than a Stockade server.
    pub fn read(&self) -> Result<Sample, HttpError> {
        let metrics = http::get(&self.address, PATH, &self.token)?;
        let refused = || HttpError::Refused {
            address: self.address.clone(),
            status: metrics.lines().next().unwrap_or_default().chars().take(80).collect(),
        };
        Sample::read(&metrics).ok_or_else(refused)
    }

    /// Reads until the other end of `until` is dropped, and once more then. `first` was read before the load began.
    #[must_use]
    pub fn watch(&self, first: Sample, clock: Clock, period: Period, until: &Receiver<()>) -> Readings {
        let mut readings = Readings { kept: vec![Reading { at_ns: 0, sample: first }], ..Readings::default() };
        let mut pause = PAUSE_MIN.max(Duration::from_nanos(period.end_ns) / 200);
        clock.wait_for_start();
        loop {
            let is_over = !matches!(until.recv_timeout(pause), Err(RecvTimeoutError::Timeout));
            match self.read() {
                Ok(sample) => readings.kept.push(Reading { at_ns: clock.now_ns(), sample }),
                Err(error) => {
                    readings.failures += 1;
                    readings.complaint.get_or_insert_with(|| error.to_string());
                }
            }
            if is_over {
                return readings;
            }
            if readings.kept.len() >= READINGS_MAX {
                pause *= 2;
                readings.thin_out();
            }
        }
    }
}

impl Readings {
    /// Keeps every second one, the first included.
    fn thin_out(&mut self) {
        let mut is_odd = true;
        self.kept.retain(|_| {
            is_odd = !is_odd;
            !is_odd
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_out_keeps_the_first_and_every_second() {
        let reading = |at_ns| Reading { at_ns, sample: Sample::default() };
        let mut readings = Readings { kept: (0..7).map(reading).collect(), ..Readings::default() };
        readings.thin_out();
        assert_eq!(readings.kept.iter().map(|reading| reading.at_ns).collect::<Vec<_>>(), [0, 2, 4, 6]);
    }
}
