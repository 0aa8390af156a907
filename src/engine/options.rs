//! What an engine is started with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stockade_protocol::hello::Durability;

use super::clock::{Clock, SystemClock};

/// What an engine is started with.
pub struct EngineOptions {
    /// Cores that will send bursts; nothing stored depends on it.
    pub cores: usize,
    /// Most locks of one batch's user table.
    pub users_shards_max: u32,
    /// Most batches.
    pub batches_max: usize,
    /// Records of one group.
    pub group_records_max: usize,
    /// Longest life of a reservation, in seconds.
    pub ttl_s_max: u16,
    /// How long after a start no reservation expires.
    pub restart_grace: Duration,
    /// Whether a thread lets reservations expire; else [`super::Engine::expire`] must be called.
    pub expires: bool,
    /// Called once, on an engine thread, when the journal fails: the process should end without another answer.
    pub on_failure: Arc<dyn Fn(&str) + Send + Sync>,
    /// Tells the time.
    pub clock: Box<dyn Clock>,
}

impl EngineOptions {
    /// Options for `cores` cores with the shipped bounds, the system's clock, and `on_failure`.
    #[must_use]
    pub fn new(cores: usize, on_failure: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        Self {
            cores,
            users_shards_max: 256,
            batches_max: 1_000_000,
            group_records_max: 262_144,
            ttl_s_max: 3_600,
            restart_grace: Duration::from_secs(2),
            expires: true,
            on_failure,
            clock: Box::new(SystemClock::new()),
        }
    }
}

/// Where and how the journal is kept.
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// The data folder.
    pub folder: PathBuf,
    /// What answers survive.
    pub durability: Durability,
    /// See [`crate::journal::RocksOptions`].
    pub segment_bytes: usize,
    /// Claims are refused when less is free.
    pub free_space_floor_bytes: u64,
    /// Size of the ballast file; 0 = none.
    pub ballast_bytes: u64,
    /// A checkpoint is taken when it gives back so many bytes, and half of what it must write.
    pub checkpoint_dead_bytes: u64,
    /// Whether an index is kept for readers.
    pub index: bool,
    /// Bytes of the journal that are kept for consumers of the feed which are behind.
    pub feed_retained_bytes: u64,
}
