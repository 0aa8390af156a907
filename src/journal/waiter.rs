//! A core that waits for an epoch to be durable, and the committer that wakes it.
//!
//! No wake-up is lost: the core stores the epoch that it waits for, then reads `durable`; the committer stores
//! `durable`, then reads the epoch; a sequentially consistent fence stands in between on both sides
//! ([`Epochs::set_durable`] ends with the committer's), so one of them sees the other.

use std::sync::OnceLock;

use super::epochs::Epochs;
use super::sync::{AtomicU64, Ordering, fence};
use crate::types::Epoch;

/// Waits for nothing.
const NONE: u64 = 0;

/// Tells a core that an epoch it waits for is durable. Called on the committer's thread: must not block.
pub trait Wake: Send + Sync {
    /// Wakes the core.
    fn wake(&self);
}

/// See the module.
pub(super) struct Waiter {
    /// The epoch that the core asked for last, or [`NONE`]. Stored by the core, read by the committer.
    epoch: AtomicU64,
    wake: OnceLock<Box<dyn Wake>>,
}

impl Waiter {
    pub(super) fn new() -> Self {
        Self { epoch: AtomicU64::new(NONE), wake: OnceLock::new() }
    }

    /// Names the one to wake. Later calls do nothing.
    pub(super) fn set_wake(&self, wake: Box<dyn Wake>) {
        let _already_set = self.wake.set(wake);
    }

    /// Asks for one wake-up when `epoch` is durable, and forgets what was asked before. True when it is already; then
    /// the wake-up may still come. Core only.
    pub(super) fn wait(&self, epoch: Epoch, epochs: &Epochs) -> bool {
        self.epoch.store(epoch, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        epochs.durable() >= epoch
    }

    /// Wakes the core if it waits for `epoch`. Committer only, after announcing this very epoch.
    pub(super) fn wake(&self, epoch: Epoch) {
        if self.epoch.load(Ordering::Relaxed) == epoch {
            self.wake.get().iter().for_each(|wake| wake.wake());
        }
    }
}
