//! Engine: the operations, one file each. The only place where stock, users and journal meet.
//!
//! Everything happens within a [`Burst`]: the requests that one core decides together, inside one epoch, at one time.
//! Four rules hold for every operation:
//!
//! 1. An answer waits for the epoch that [`Burst::leave`] returns, read after everything the burst looked at.
//! 2. Takes are visible before they are durable; inflows (new batches, units that come or come back, resumed sales,
//!    wider limits) only after.
//! 3. After stock is taken nothing can fail: all checks and all bounds come before.
//! 4. A burst has one time, and time never goes back, from epoch to epoch too.
//! 5. Nobody changes what another core changed before that is durable: so the records of one claim or coupon stand in
//!    the journal in the order in which they were decided.

mod add_stock;
mod aftermath;
mod auditor;
mod batch;
mod burst;
mod calendar;
mod cancel;
mod change;
mod claim;
mod clients;
mod clock;
mod confirm;
mod control;
mod coupon;
mod coupon_show;
mod create;
mod draft;
mod edit;
mod expire;
mod expirer;
mod extend;
mod fill;
mod hints;
mod limits;
mod look_ahead;
mod lookup;
mod more;
mod open;
mod open_error;
mod options;
mod reading;
mod rebuild;
mod reconcile;
mod registry;
mod reserve;
mod settle;
mod shelf;
mod show;
mod sight;
mod stats;
mod sweep;
mod take;
mod timers;
mod verify;
mod wallet;
mod withdraw;

pub use burst::Burst;
pub use clock::{Clock, SystemClock};
pub use coupon::Rights;
pub use look_ahead::{LOOK_AHEAD_WORTH, LookAhead};
pub use open::{RecoveryReport, Running, Source, open, start};
pub use open_error::OpenError;
pub use options::{EngineOptions, StorageOptions};
pub use rebuild::Violation;
pub use sight::{Named, Sight};
pub use verify::{Finding, Verification, verify};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::feed;
use crate::index::Index;
use crate::journal::{Journal, Space, Usage};
use crate::metrics::Metrics;
use crate::types::{ClientNumber, TimeMs};
use clients::Clients;
use registry::Registry;
use sweep::Sweeps;
use timers::Timers;

/// All batches, and the journal that they are written to.
pub struct Engine {
    journal: Arc<Journal>,
    registry: Arc<Registry>,
    clients: Arc<Clients>,
    timers: Timers,
    sweeps: Sweeps,
    /// Ends the process without another answer.
    stop: Arc<dyn Fn(&str) + Send + Sync>,
    clock: Box<dyn Clock>,
    /// The latest time that any burst used. Raised by all cores, at most once a millisecond.
    last_ms: AtomicU64,
    space: Option<Arc<Space>>,
    usage: Arc<Usage>,
    metrics: Arc<Metrics>,
    cores: usize,
    users_shards_max: u32,
    /// Longest life of a reservation, in seconds.
    ttl_s_max: u16,
    /// No reservation expires before this moment of the running clock: confirms that were on their way when the server
    /// stopped must be able to land.
    nothing_lapses_before_ms: TimeMs,
    store_id: u64,
    /// What readers read; none where nothing is kept, or it was not wanted.
    index: Option<Arc<Index>>,
    /// Makes sources of the feed, where something is kept.
    feed: Option<Box<dyn Fn() -> feed::Source + Send + Sync>>,
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

    /// Longest life of a reservation, in seconds.
    #[must_use]
    pub fn ttl_s_max(&self) -> u16 {
        self.ttl_s_max
    }

    /// Up to `limit` clients that events name by number, from the number `from` on.
    #[must_use]
    pub fn clients(&self, from: u32, limit: u32) -> Vec<(ClientNumber, String)> {
        self.clients.page(from, limit)
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

    /// How many epochs the index is behind what is durable, where there is one.
    #[must_use]
    pub fn index_behind(&self) -> Option<u64> {
        let index = self.index.as_ref()?;
        Some(self.journal.durable().saturating_sub(index.through()))
    }

    /// What the feed is read from; `None` where nothing is kept.
    #[must_use]
    pub fn feed(&self) -> Option<feed::Source> {
        self.feed.as_ref().map(|feed| feed())
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
