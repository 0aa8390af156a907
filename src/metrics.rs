//! Counters and histograms that the hot path feeds and `/metrics` reads. Plain atomics: nothing allocates, nothing
//! locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use stockade_protocol::Status;

/// Buckets of a [`Histogram`]: powers of two.
pub const HISTOGRAM_BUCKETS: usize = 40;

/// Counts values by powers of two. Written by few threads, read at a scrape.
pub struct Histogram {
    /// `counts[n]`: values below 2ⁿ and not below 2ⁿ⁻¹.
    counts: [AtomicU64; HISTOGRAM_BUCKETS],
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: std::array::from_fn(|_| AtomicU64::new(0)), sum: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts one value.
    pub fn record(&self, value: u64) {
        let bucket = (u64::BITS - value.leading_zeros()) as usize;
        self.counts[bucket.min(HISTOGRAM_BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a duration in nanoseconds.
    pub fn record_duration(&self, duration: Duration) {
        self.record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The sum of all values, and the number of values below each power of two.
    #[must_use]
    pub fn read(&self) -> (u64, [u64; HISTOGRAM_BUCKETS]) {
        (self.sum.load(Ordering::Relaxed), std::array::from_fn(|bucket| self.counts[bucket].load(Ordering::Relaxed)))
    }
}

/// What the committer measures.
#[derive(Default)]
pub struct CommitMetrics {
    /// Grant records of a group.
    pub group_records: Histogram,
    /// Bytes of a group.
    pub group_bytes: Histogram,
    /// Encoding and writing a group, in nanoseconds.
    pub write_ns: Histogram,
    /// Syncing a group, in nanoseconds.
    pub sync_ns: Histogram,
}

impl CommitMetrics {
    /// Counts one group.
    pub fn group(&self, records: usize, bytes: usize, write: Duration, sync: Duration) {
        self.group_records.record(records as u64);
        self.group_bytes.record(bytes as u64);
        self.write_ns.record_duration(write);
        self.sync_ns.record_duration(sync);
    }
}

/// What the checkpointer counts.
#[derive(Default)]
pub struct CheckpointMetrics {
    /// Checkpoints installed.
    pub taken: AtomicU64,
    /// Bytes of their groups.
    pub written_bytes: AtomicU64,
    /// Time that they took, in nanoseconds.
    pub elapsed_ns: AtomicU64,
}

impl CheckpointMetrics {
    /// Counts one checkpoint.
    pub fn taken(&self, elapsed: Duration, bytes: u64) {
        add(&self.taken, 1);
        add(&self.written_bytes, bytes);
        add(&self.elapsed_ns, u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// What is decided item by item and counted by its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Claims.
    Claim,
    /// Reservations.
    Reserve,
    /// Their confirmations.
    Confirm,
    /// Their cancellations.
    Cancel,
    /// Their extensions.
    Extend,
    /// Changes of coupons.
    Coupon,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 6] = [
        Operation::Claim,
        Operation::Reserve,
        Operation::Confirm,
        Operation::Cancel,
        Operation::Extend,
        Operation::Coupon,
    ];

    /// The word for it in the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Operation::Claim => "claim",
            Operation::Reserve => "reserve",
            Operation::Confirm => "confirm",
            Operation::Cancel => "cancel",
            Operation::Extend => "extend",
            Operation::Coupon => "coupon",
        }
    }
}

/// What one core counts. Only that core writes, so a load and a store suffice.
#[derive(Default)]
pub struct CoreMetrics {
    /// Answers by operation and status number; index 0 counts replays.
    answers: [StatusCounts; Operation::ALL.len()],
    /// Frames refused as a whole, by status number.
    refused_frames: StatusCounts,
    /// From a burst's arrival until all of it is decided, in nanoseconds.
    pub decide_ns: Histogram,
    /// From a burst's arrival until its answers may leave, deciding included, in nanoseconds.
    pub commit_ns: Histogram,
    /// Claims whose answers wait for their epoch.
    pub waiting_claims: AtomicU64,
    /// Open connections.
    pub connections: AtomicU64,
    /// Bytes received and sent.
    pub received_bytes: AtomicU64,
    /// Bytes sent.
    pub sent_bytes: AtomicU64,
}

/// Slots for status numbers, which are below this.
pub const STATUS_SLOTS: usize = 80;

struct StatusCounts([AtomicU64; STATUS_SLOTS]);

impl Default for StatusCounts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl CoreMetrics {
    /// Counts answers of one status.
    pub fn answered(&self, operation: Operation, status: Status, count: u64) {
        add(&self.answers[operation as usize].0[status as usize], count);
    }

    /// Counts answers that repeat an earlier decision.
    pub fn replayed(&self, operation: Operation, count: u64) {
        add(&self.answers[operation as usize].0[0], count);
    }

    /// Counts a frame that was refused as a whole.
    pub fn refused_frame(&self, status: Status) {
        add(&self.refused_frames.0[status as usize], 1);
    }

    /// Frames refused with `status` so far.
    #[must_use]
    pub fn frames_refused(&self, status: Status) -> u64 {
        self.refused_frames.0[status as usize].load(Ordering::Relaxed)
    }

    /// Answers of `status` so far.
    #[must_use]
    pub fn answers(&self, operation: Operation, status: Status) -> u64 {
        self.answers[operation as usize].0[status as usize].load(Ordering::Relaxed)
    }

    /// Replays so far.
    #[must_use]
    pub fn replays(&self, operation: Operation) -> u64 {
        self.answers[operation as usize].0[0].load(Ordering::Relaxed)
    }
}

/// Adds to a counter that only this thread writes.
pub fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

/// Takes from a gauge that only this thread writes.
pub fn subtract(gauge: &AtomicU64, count: u64) {
    gauge.store(gauge.load(Ordering::Relaxed).wrapping_sub(count), Ordering::Relaxed);
}

/// All that is measured.
pub struct Metrics {
    /// One per core.
    pub cores: Box<[CachePadded<CoreMetrics>]>,
    /// The committer's.
    pub commit: std::sync::Arc<CommitMetrics>,
    /// The checkpointer's.
    pub checkpoint: std::sync::Arc<CheckpointMetrics>,
    /// Batches that were counted anew and found right.
    pub audits: AtomicU64,
    /// From the decision on a group's first record until readers see it, in nanoseconds.
    pub visible_ns: Histogram,
}

impl Metrics {
    /// Metrics of `cores` cores.
    #[must_use]
    pub fn new(cores: usize) -> Self {
        let cores = (0..cores).map(|_| CachePadded::default()).collect();
        Self {
            cores,
            commit: std::sync::Arc::default(),
            checkpoint: std::sync::Arc::default(),
            audits: AtomicU64::new(0),
            visible_ns: Histogram::default(),
        }
    }

    /// A batch was counted anew and found right.
    pub fn audited(&self) {
        self.audits.fetch_add(1, Ordering::Relaxed);
    }
}
