//! How far a run is, for whoever watches it from another thread.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Connecting and creating batches.
    Preparing,
    /// Sending claims and waiting for the last replies.
    Claiming,
    /// Looking up grants and adding up.
    Verifying,
    /// The report is made.
    Over,
}

impl Phase {
    const ALL: [Phase; 4] = [Phase::Preparing, Phase::Claiming, Phase::Verifying, Phase::Over];
}

/// One thread's counters, on a cache line of their own (two, for processors that fetch pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Gauge {
    /// Claims answered. Written by one worker, read by watchers; a hint that orders nothing.
    answered: AtomicU64,
    /// New grants; likewise.
    granted: AtomicU64,
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

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn claimed(&self, thread: usize, answered: u64, granted: u64) {
        if let Some(gauge) = self.gauges.get(thread) {
            gauge.answered.store(answered, Ordering::Relaxed);
            gauge.granted.store(granted, Ordering::Relaxed);
        }
    }

    pub(crate) fn looked_up(&self, done: u64, of: u64) {
        self.looked_up.store(done, Ordering::Relaxed);
        self.to_look_up.store(of, Ordering::Relaxed);
    }
}
