//! Engine: the operations, one file each. The only place where stock, users and journal meet.
//!
//! Everything happens within a [`Burst`]: the requests that one core decides together, inside one epoch, at one time.
//! Four rules hold for every operation:
//!
//! 1. An answer waits for the epoch that [`Burst::leave`] returns, read after everything the burst looked at.
//! 2. Takes are visible before they are durable; inflows (new batches, added stock, resumed sales) only after.
//! 3. After stock is taken nothing can fail: all checks and all bounds come before.
//! 4. A burst has one time, and time never goes back.

mod add_stock;
mod batch;
mod burst;
mod change;
mod claim;
mod clock;
mod create;
mod fill;
mod look_ahead;
mod lookup;
mod open;
mod rebuild;
mod registry;
mod shelf;
mod show;
mod sight;
mod terms;
mod verify;

pub use burst::Burst;
pub use clock::{Clock, SystemClock};
pub use look_ahead::LookAhead;
pub use open::{EngineOptions, OpenError, RecoveryReport, Running, Source, StorageOptions, open, start};
pub use rebuild::Violation;
pub use sight::Sight;
pub use verify::{Finding, Verification, verify};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::journal::{Journal, Space, Usage};
use crate::metrics::Metrics;
use crate::types::TimeMs;
use registry::Registry;

/// All batches, and the journal that they are written to.
pub struct Engine {
    journal: Arc<Journal>,
    registry: Arc<Registry>,
    clock: Box<dyn Clock>,
    /// The latest time that any burst used. Raised by all cores, at most once a millisecond.
    last_ms: AtomicU64,
    space: Option<Arc<Space>>,
    usage: Arc<Usage>,
    metrics: Arc<Metrics>,
    cores: usize,
    users_shards_max: u32,
    store_id: u64,
}

impl Engine {
    /// The journal, to wait for durability.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What is measured.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Number of cores, and so of buckets a batch.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.cores
    }

    /// Identity of the stored data; 0 when nothing is stored.
    #[must_use]
    pub fn store_id(&self) -> u64 {
        self.store_id
    }

    /// Number of batches.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.registry.len()
    }

    /// The disk's free space, where something is stored.
    #[must_use]
    pub fn space(&self) -> Option<&Space> {
        self.space.as_deref()
    }

    /// How much of what is stored is still needed.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Whether claims are refused because the disk is nearly full.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        self.space.as_ref().is_some_and(|space| space.is_below_floor())
    }

    /// Begins a burst of `core`. One at a time for each core.
    #[must_use]
    pub fn burst(&self, core: usize) -> Burst<'_> {
        Burst::new(self, core)
    }

    /// Now, never earlier than any burst's time before.
    #[must_use]
    pub fn now_ms(&self) -> TimeMs {
        let (now, last) = (self.clock.now_ms(), self.last_ms.load(Ordering::Acquire));
        if now > last { self.last_ms.fetch_max(now, Ordering::AcqRel).max(now) } else { last }
    }
}
