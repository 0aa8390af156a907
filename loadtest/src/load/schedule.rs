//! When a connection's frames are meant to start.
//!
//! In an open loop the schedule knows nothing of the server: it names the next *intended* start, however late the last
//! frame was. Each connection has its own schedule; evenly shifted constant ones add up to a constant one, and
//! independent Poisson ones to a Poisson one, so no thread has to deal frames out.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::hash::Key;
use crate::time::{real, whole};

/// How the arrivals of an open loop follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// At equal distances.
    Constant,
    /// Independently of each other, as a crowd does: distances are exponential.
    Poisson,
}

impl Arrivals {
    /// The word for it in flags, files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Arrivals::Constant => "constant",
            Arrivals::Poisson => "poisson",
        }
    }
}

/// The intended starts of one connection's frames, until the end of the run.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// A frame is due whenever there is room for it.
    Closed {
        /// No frame starts at or after this instant.
        end_ns: u64,
    },
    /// Frames are due at instants of their own.
    Open(OpenSchedule),
}

/// Intended starts that do not depend on the server.
#[derive(Clone, Debug)]
pub struct OpenSchedule {
    arrivals: Arrivals,
    interval_ns: f64,
    first_ns: f64,
    next_ns: f64,
    taken: u64,
    key: Key,
    end_ns: u64,
}

impl OpenSchedule {
    /// Frames every `interval_ns` on average, the first one at `phase` (0 ≤ phase < 1) of an interval, all before
    /// `end_ns`. `key` decides the distances of Poisson arrivals.
    #[must_use]
    pub fn new(arrivals: Arrivals, interval_ns: f64, phase: f64, key: Key, end_ns: u64) -> Self {
        let first_ns = match arrivals {
            Arrivals::Constant => interval_ns * phase,
            Arrivals::Poisson => exponential(key, 0) * interval_ns,
        };
        Self { arrivals, interval_ns, first_ns, next_ns: first_ns, taken: 0, key, end_ns }
    }

    fn advance(&mut self) {
        self.taken += 1;
        self.next_ns = match self.arrivals {
            // From the first one on, so that rounding does not add up.
            Arrivals::Constant => self.first_ns + real(self.taken) * self.interval_ns,
            Arrivals::Poisson => self.next_ns + exponential(self.key, self.taken) * self.interval_ns,
        };
    }
}

/// An exponential number with mean 1.
fn exponential(key: Key, index: u64) -> f64 {
    -(1.0 - key.unit(index)).ln()
}

impl Schedule {
    /// The next intended start: 0 in a closed loop, where "now" is always intended. `None`: there is none before the
    /// end.
    #[must_use]
    pub fn next_ns(&self) -> Option<u64> {
        match self {
            Schedule::Closed { .. } => Some(0),
            Schedule::Open(open) => Some(whole(open.next_ns)).filter(|next| *next < open.end_ns),
        }
    }

    /// Takes the next frame if its start has come by `now_ns`: the instant from which its latency counts.
    pub fn take_due(&mut self, now_ns: u64) -> Option<u64> {
        match self {
            Schedule::Closed { end_ns } => Some(now_ns).filter(|now| *now < *end_ns),
            Schedule::Open(open) => {
                let next = whole(open.next_ns);
                if next > now_ns || next >= open.end_ns {
                    return None;
                }
                open.advance();
                Some(next)
            }
        }
    }

    /// How many frames are still meant to start before the end (for Poisson arrivals: are expected to).
    #[must_use]
    pub fn frames_left(&self) -> u64 {
        match self {
            Schedule::Closed { .. } => 0,
            Schedule::Open(open) => {
                let left_ns = real(open.end_ns) - open.next_ns;
                if left_ns > 0.0 { whole((left_ns / open.interval_ns).ceil()) } else { 0 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn starts(arrivals: Arrivals, phase: f64) -> Vec<u64> {
        let mut schedule = Schedule::Open(OpenSchedule::new(arrivals, 1e9 / 3_000.0, phase, Key::new(1, 1), SECOND_NS));
        std::iter::from_fn(|| schedule.take_due(SECOND_NS)).collect()
    }

    #[test]
    fn constant_arrivals_keep_their_distance_without_drift() {
        let starts = starts(Arrivals::Constant, 0.5);
        assert_eq!(starts.len(), 3_000);
        assert_eq!(starts[0], 166_666);
        assert_eq!(starts[2_999], 999_833_333);
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_the_spread_of_chance() {
        let starts = starts(Arrivals::Poisson, 0.0);
        assert!(starts.len().abs_diff(3_000) < 200, "{} arrivals", starts.len());
        let mean_ns = SECOND_NS / 3_000;
        let short = starts.windows(2).filter(|pair| pair[1] - pair[0] < mean_ns / 10).count();
        let share = real(short as u64) / real(starts.len() as u64);
        assert!((share - 0.095).abs() < 0.02, "1 − e^−0.1 of the distances are below a tenth of the mean: {share}");
    }

    #[test]
    fn a_late_caller_gets_the_starts_that_were_meant_not_the_present() {
        let schedule = OpenSchedule::new(Arrivals::Constant, 1e6, 0.0, Key::new(1, 1), SECOND_NS);
        let mut schedule = Schedule::Open(schedule);
        assert_eq!(schedule.take_due(2_500_000), Some(0));
        assert_eq!(schedule.take_due(2_500_000), Some(1_000_000));
        assert_eq!(schedule.take_due(2_500_000), Some(2_000_000));
        assert_eq!(schedule.take_due(2_500_000), None);
        assert_eq!(schedule.next_ns(), Some(3_000_000));
        assert_eq!(schedule.frames_left(), 997);
    }

    #[test]
    fn a_closed_loop_starts_now_until_the_end() {
        let mut schedule = Schedule::Closed { end_ns: 10 };
        assert_eq!(schedule.take_due(9), Some(9));
        assert_eq!(schedule.take_due(10), None);
    }
}
