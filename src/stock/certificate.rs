//! The proof that a scan over several places saw no inflow.
//!
//! Between inflows every place only falls, so a sum read over them bounds the true sum at the end of the scan from
//! above (the *monotone scan*). An inflow, or a move between two places, breaks that. It is bracketed: `started`, then
//! the change, then `finished`. A refuser reads `finished`, scans, reads `started`: equal numbers prove that no bracket
//! overlapped the scan. (Afek et al., Atomic Snapshots of Shared Memory, 1993: two equal collects; made cheap here
//! because the places are monotone in between.)

use super::sync::{AtomicU32, Ordering, fence};

/// Two counters of brackets. That they begin anew after 4,294,967,296 brackets is harmless: no scan takes that long.
/// Only a holder of the pool's spare lock opens and closes one.
pub(super) struct Certificate {
    /// Brackets opened. Raised before any change; pairs with the load in [`Certificate::holds`].
    started: AtomicU32,
    /// Brackets closed. Raised after every change; pairs with the load in [`Certificate::begin`].
    finished: AtomicU32,
}

/// What a scan begins with.
#[derive(Clone, Copy)]
pub(super) struct Scan {
    finished: u32,
}

impl Certificate {
    pub(super) fn new() -> Self {
        Self { started: AtomicU32::new(0), finished: AtomicU32::new(0) }
    }

    /// To be called before the first place is read.
    pub(super) fn begin(&self) -> Scan {
        let finished = self.finished.load(Ordering::Acquire);
        fence(Ordering::SeqCst);
        Scan { finished }
    }

    /// To be called after the last place was read: whether no inflow overlapped the scan.
    pub(super) fn holds(&self, scan: Scan) -> bool {
        fence(Ordering::SeqCst);
        self.started.load(Ordering::Acquire) == scan.finished
    }

    /// Runs `change` as an inflow. The caller holds the spare lock.
    pub(super) fn inflow<T>(&self, change: impl FnOnce() -> T) -> T {
        self.started.fetch_add(1, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        let result = change();
        fence(Ordering::SeqCst);
        self.finished.fetch_add(1, Ordering::AcqRel);
        result
    }
}
