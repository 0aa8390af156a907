//! How far a run is, for whoever watches it from another thread.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::load::tally::Tally;
use crate::timeline::Outcomes;
use crate::timeline::coarse::{BUCKETS, Coarse};

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Connecting and creating batches.
    Preparing,
    /// Having coupons granted that the load works with.
    Granting,
    /// Sending claims, or whatever the run does over and over, and waiting for the last replies.
    Claiming,
    /// Looking up grants and adding up.
    Verifying,
    /// The report is made.
    Over,
}

impl Phase {
    const ALL: [Phase; 5] = [Phase::Preparing, Phase::Granting, Phase::Claiming, Phase::Verifying, Phase::Over];
}

/// One thread's counters, on a cache line of their own (two, for processors that fetch pairs).
#[derive(Debug)]
#[repr(align(128))]
struct Gauge {
    /// Claims answered. Written by one worker, read by watchers; a hint that orders nothing.
    answered: AtomicU64,
    /// New grants; likewise.
    granted: AtomicU64,
    /// Claims by the number of their outcome; likewise, a few times a second.
    outcomes: Vec<AtomicU64>,
    /// Latencies by the bucket of a [`Coarse`] histogram; likewise.
    latencies: Vec<AtomicU64>,
}

impl Default for Gauge {
    fn default() -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            answered: AtomicU64::new(0),
            granted: AtomicU64::new(0),
            outcomes: zeros(256),
            latencies: zeros(BUCKETS),
        }
    }
}

/// Counters of a run. All are hints: read and written without any order among them.
#[derive(Debug)]
pub struct Progress {
    gauges: Vec<Gauge>,
    /// Written by the thread that called [`crate::run()`], read by watchers.
    phase: AtomicU8,
    /// Grants looked up so far; likewise.
    looked_up: AtomicU64,
    /// Grants to look up; likewise.
    to_look_up: AtomicU64,
}

/// [`Progress`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What the run is doing.
    pub phase: Phase,
    /// Claims answered.
    pub answered: u64,
    /// New grants.
    pub granted: u64,
    /// Grants looked up.
    pub looked_up: u64,
    /// Grants to look up.
    pub to_look_up: u64,
}

/// Outcomes and latencies of a run up to a moment, of all threads.
#[derive(Clone, Debug)]
pub struct Live {
    /// Claims by the number of their outcome.
    pub outcomes: Outcomes,
    /// Latencies of the claims that were answered.
    pub latency: Coarse,
}

impl Default for Live {
    fn default() -> Self {
        Self { outcomes: [0; 256], latency: Coarse::default() }
    }
}

impl Progress {
    /// For a run with this many threads.
    #[must_use]
    pub fn new(threads: u32) -> Self {
        Self {
            gauges: (0..threads).map(|_| Gauge::default()).collect(),
            phase: AtomicU8::new(Phase::Preparing as u8),
            looked_up: AtomicU64::new(0),
            to_look_up: AtomicU64::new(0),
        }
    }

    /// How far the run is.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let phase = self.phase.load(Ordering::Relaxed);
        let sum = |counter: fn(&Gauge) -> &AtomicU64| {
            self.gauges.iter().map(|gauge| counter(gauge).load(Ordering::Relaxed)).sum::<u64>()
        };
        Snapshot {
            phase: Phase::ALL.into_iter().find(|known| *known as u8 == phase).unwrap_or(Phase::Over),
            answered: sum(|gauge| &gauge.answered),
            granted: sum(|gauge| &gauge.granted),
            looked_up: self.looked_up.load(Ordering::Relaxed),
            to_look_up: self.to_look_up.load(Ordering::Relaxed),
        }
    }

    /// Outcomes and latencies, a tenth of a second old at most while replies come.
    #[must_use]
    pub fn live(&self) -> Live {
        let mut live = Live::default();
        let mut counts = vec![0; BUCKETS];
        for gauge in &self.gauges {
            let add = |(sum, counter): (&mut u64, &AtomicU64)| *sum += counter.load(Ordering::Relaxed);
            live.outcomes.iter_mut().zip(&gauge.outcomes).for_each(add);
            counts.iter_mut().zip(&gauge.latencies).for_each(add);
        }
        live.latency = Coarse::from_counts(counts);
        live
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn claimed(&self, thread: usize, answered: u64, granted: u64) {
        if let Some(gauge) = self.gauges.get(thread) {
            gauge.answered.store(answered, Ordering::Relaxed);
            gauge.granted.store(granted, Ordering::Relaxed);
        }
    }

    pub(crate) fn show(&self, thread: usize, tally: &Tally) {
        if let Some(gauge) = self.gauges.get(thread) {
            let set = |(counter, count): (&AtomicU64, &u64)| counter.store(*count, Ordering::Relaxed);
            gauge.outcomes.iter().zip(tally.outcome_counts()).for_each(set);
            gauge.latencies.iter().zip(tally.live().counts()).for_each(set);
        }
    }

    pub(crate) fn looked_up(&self, done: u64, of: u64) {
        self.looked_up.store(done, Ordering::Relaxed);
        self.to_look_up.store(of, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tally::Period;

    #[test]
    fn watchers_see_the_sum_of_all_threads() {
        let progress = Progress::new(2);
        for thread in 0..2 {
            let mut tally = Tally::new(Period { warm_ns: 0, end_ns: 1_000 }, 0);
            tally.outcome(1);
            tally.outcome(61);
            tally.answered(2, 1, 0, 500);
            progress.claimed(thread, tally.answered, tally.granted);
            progress.show(thread, &tally);
            progress.show(thread, &tally);
        }
        let (snapshot, live) = (progress.snapshot(), progress.live());
        assert_eq!((snapshot.answered, snapshot.granted), (4, 2));
        assert_eq!((live.outcomes[1], live.outcomes[61], live.latency.len()), (2, 2, 4));
        assert!(live.latency.max_ns().abs_diff(500) <= 500 / 32);
    }
}
