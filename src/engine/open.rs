//! Open: from a data folder, or an empty memory, to a running engine.
//!
//! Reads every group, checks the chain against the ledger and the content against the promises, and starts the
//! committer only when all is in order. Otherwise it halts, names the epoch and the batch, and has changed nothing.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use stockade_protocol::hello::Durability;

use super::clock::Clock;
use super::rebuild::{Rebuild, Violation};
use super::registry::Registry;
use super::{Engine, SystemClock};
use crate::journal::{
    Chain, ChainError, CheckpointStore, Checkpointer, CheckpointerOptions, Committer, CommitterOptions, Folder,
    FolderError, Journal, Ledger, Mark, NullStore, Reader, Replay, ReplayError, RocksOptions, Space, Steward,
    StewardOptions, Store, StoreError, replay,
};
use crate::metrics::Metrics;

/// What an engine is started with.
pub struct EngineOptions {
    /// Cores that will send bursts; nothing stored depends on it.
    pub cores: usize,
    /// Most locks of one batch's user table.
    pub users_shards_max: u32,
    /// Most batches.
    pub batches_max: usize,
    /// Grant records of one group.
    pub group_records_max: usize,
    /// Called once, on an engine thread, when the journal fails: the process should end without another answer.
    pub on_failure: Arc<dyn Fn(&str) + Send + Sync>,
    /// Tells the time.
    pub clock: Box<dyn Clock>,
}

impl EngineOptions {
    /// Options for `cores` cores with the shipped bounds, the system's clock, and `on_failure`.
    #[must_use]
    pub fn new(cores: usize, on_failure: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        let clock = Box::new(SystemClock);
        Self { cores, users_shards_max: 256, batches_max: 1_000_000, group_records_max: 262_144, on_failure, clock }
    }
}

/// Where and how the journal is kept.
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// The data folder.
    pub folder: PathBuf,
    /// What answers survive.
    pub durability: Durability,
    /// See [`RocksOptions`].
    pub segment_bytes: usize,
    /// Claims are refused when less is free.
    pub free_space_floor_bytes: u64,
    /// Size of the ballast file; 0 = none.
    pub ballast_bytes: u64,
    /// A checkpoint is taken when it gives back so many bytes, and half of what it must write.
    pub checkpoint_dead_bytes: u64,
}

/// What recovery found.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecoveryReport {
    /// Groups read.
    pub groups: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Grants applied.
    pub records: u64,
    /// Batches there are.
    pub batches: usize,
    /// Newest epoch.
    pub last_epoch: u64,
    /// The epoch up to which a checkpoint was read; 0 = there is none.
    pub checkpoint_epoch: u64,
    /// Acknowledged groups that are missing at the end: only with durability `os`, after a loss of power.
    pub lost_epochs: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// A running engine and the threads that it needs. Dropping it commits what was handed in and stops them.
pub struct Running {
    /// The engine.
    pub engine: Arc<Engine>,
    /// What recovery found.
    pub report: RecoveryReport,
    _committer: Committer,
    steward: Option<Steward>,
    checkpointer: Option<Checkpointer>,
    /// Dropped last: the lock on the folder.
    folder: Option<Folder>,
}

/// Why an engine does not start. Nothing was changed.
#[derive(Debug)]
pub enum OpenError {
    /// The folder cannot be used.
    Folder(FolderError),
    /// The store cannot be read.
    Store(StoreError),
    /// The journal is damaged, or acknowledged groups are missing.
    Chain(ChainError),
    /// The journal breaks a promise.
    Violation(Violation),
}

/// A journal that was kept: what [`start`] needs of it.
pub struct Source {
    /// The groups.
    pub store: Box<dyn Store>,
    /// Identity of the data.
    pub store_id: u64,
    /// The last group known to be durable.
    pub witnessed: Option<Mark>,
    /// Where to witness new ones.
    pub ledger: Option<Arc<Ledger>>,
    /// What answers survive.
    pub durability: Durability,
}

impl Source {
    /// Nothing kept, nothing to keep.
    #[must_use]
    pub fn memory() -> Self {
        let store = Box::new(NullStore);
        Self { store, store_id: 0, witnessed: None, ledger: None, durability: Durability::Memory }
    }
}

/// Opens a data folder and starts an engine on it.
///
/// # Errors
/// When the folder cannot be used, or its content is damaged or breaks a promise.
pub fn open(storage: &StorageOptions, options: EngineOptions) -> Result<Running, OpenError> {
    if storage.durability == Durability::Memory {
        return start(Source::memory(), options);
    }
    let folder = Folder::open(&storage.folder).map_err(OpenError::Folder)?;
    let witnessed = folder.witnessed().map_err(OpenError::Folder)?;
    let recovered = {
        let stored = folder.stored().map_err(OpenError::Folder)?;
        let stored = stored.map_or_else(|| Box::new(NullStore) as Box<dyn Reader>, |stored| Box::new(stored));
        recover(&*stored, folder.store_id(), witnessed, storage.durability, options.users_shards_max)?
    };
    // Only a journal that is in order is opened for writing: that changes it.
    let store = folder.store(rocks_options(storage)).map_err(OpenError::Folder)?;
    let checkpoints = store.checkpoints(&folder.drafts()).map_err(OpenError::Store)?;
    let ledger = Arc::new(folder.ledger().map_err(OpenError::Folder)?);
    if !folder.ballast(storage.ballast_bytes) {
        tracing::warn!("there is no room for the ballast file: nothing can be given back when the disk is full");
    }
    let source = Source {
        store: Box::new(store),
        store_id: folder.store_id(),
        witnessed,
        ledger: Some(Arc::clone(&ledger)),
        durability: storage.durability,
    };
    let space = Arc::new(Space::new(folder.path(), storage.free_space_floor_bytes));
    let _first_look = space.look();
    let on_failure = Arc::clone(&options.on_failure);
    let head = recovered.replay.head;
    let mut running = launch(source, recovered, options, Some(Arc::clone(&space)))?;
    running.checkpointer = Some(Checkpointer::start(CheckpointerOptions {
        store: Box::new(checkpoints) as Box<dyn CheckpointStore>,
        store_id: folder.store_id(),
        head,
        journal: Arc::clone(&running.engine.journal),
        usage: Arc::clone(&running.engine.usage),
        space: Arc::clone(&space),
        least_bytes: storage.checkpoint_dead_bytes,
        metrics: Arc::clone(&running.engine.metrics.checkpoint),
    }));
    running.steward = Some(Steward::start(StewardOptions {
        ledger: (storage.durability == Durability::Fsync).then_some(ledger),
        space,
        on_space: Box::new(log_space),
        on_failure: Box::new(move |reason| on_failure(reason)),
    }));
    running.folder = Some(folder);
    Ok(running)
}

/// Starts an engine on a journal.
///
/// # Errors
/// When its content is damaged or breaks a promise.
pub fn start(source: Source, options: EngineOptions) -> Result<Running, OpenError> {
    let Source { store, store_id, witnessed, durability, .. } = &source;
    let recovered = recover(&**store, *store_id, *witnessed, *durability, options.users_shards_max)?;
    launch(source, recovered, options, None)
}

/// A journal that was read and is in order.
struct Recovered {
    rebuild: Rebuild,
    replay: Replay,
    last: Option<Mark>,
    report: RecoveryReport,
    began: Instant,
}

fn launch(
    source: Source,
    recovered: Recovered,
    options: EngineOptions,
    space: Option<Arc<Space>>,
) -> Result<Running, OpenError> {
    let Recovered { rebuild, replay, last, mut report, began } = recovered;
    // Before the first group the chain stands at the store's own hash.
    let last = last.unwrap_or_else(|| Chain::new(source.store_id, None).last());
    if let (Some(ledger), true) = (&source.ledger, report.lost_epochs > 0) {
        let forgotten = ledger.forget_after(last);
        forgotten.map_err(|error| OpenError::Store(StoreError { reason: format!("the commit ledger: {error}") }))?;
    }
    let last_ms = AtomicU64::new(rebuild.last_ms.max(replay.last_ms()));
    let usage = Arc::new(rebuild.usage(&replay));
    let registry = Arc::new(Registry::new(options.batches_max.max(report.batches)));
    rebuild.into_batches(options.cores).for_each(|batch| {
        registry.register(batch.id, || batch);
    });
    report.batches = registry.len();
    report.elapsed = began.elapsed();

    // Numbers that the ledger has seen are not used again, even where their groups are gone.
    let first = last.epoch.max(source.witnessed.map_or(0, |mark| mark.epoch)) + 1;
    let journal = Arc::new(Journal::new(options.cores, first, options.group_records_max));
    let metrics = Arc::new(Metrics::new(options.cores));
    let on_failure = Arc::clone(&options.on_failure);
    let committer = Committer::start(
        Arc::clone(&journal),
        CommitterOptions {
            store: source.store,
            sync: source.durability == Durability::Fsync,
            last_hash: last.hash,
            ledger: source.ledger,
            usage: Arc::clone(&usage),
            metrics: Arc::clone(&metrics.commit),
            on_failure: Box::new(move |reason| on_failure(reason)),
        },
    );
    let engine = Engine {
        journal,
        registry,
        clock: options.clock,
        last_ms,
        space,
        usage,
        metrics,
        cores: options.cores,
        users_shards_max: options.users_shards_max,
        store_id: source.store_id,
    };
    let engine = Arc::new(engine);
    Ok(Running { engine, report, _committer: committer, steward: None, checkpointer: None, folder: None })
}

fn recover(
    store: &dyn Reader,
    store_id: u64,
    witnessed: Option<Mark>,
    durability: Durability,
    users_shards_max: u32,
) -> Result<Recovered, OpenError> {
    let began = Instant::now();
    let (mut rebuild, mut read) = (Rebuild::new(users_shards_max), Replay::default());
    let replayed = replay(store, store_id, witnessed, &mut read, &mut |group, bytes| {
        rebuild.apply(group, bytes);
        !rebuild.has_failed()
    });
    let lost_epochs = match (replayed, durability) {
        (Ok(()), _) => 0,
        // The operator chose answers that do not survive a loss of power: go on with what is there, and say so.
        (Err(ReplayError::Chain(ChainError::Missing { last, witnessed })), Durability::Os | Durability::Memory) => {
            witnessed - last
        }
        (Err(ReplayError::Chain(error)), _) => return Err(OpenError::Chain(error)),
        (Err(ReplayError::Store(error)), _) => return Err(OpenError::Store(error)),
    };
    rebuild.conclude();
    if let Some(violation) = rebuild.violations.first() {
        return Err(OpenError::Violation(violation.clone()));
    }
    let report = RecoveryReport {
        groups: read.groups,
        bytes: read.bytes,
        records: rebuild.records,
        batches: rebuild.batches(),
        last_epoch: read.last.map_or(0, |last| last.epoch),
        checkpoint_epoch: read.head.map_or(0, |head| head.replaced.epoch),
        lost_epochs,
        elapsed: Duration::ZERO,
    };
    Ok(Recovered { rebuild, replay: read, last: read.last, report, began })
}

fn rocks_options(storage: &StorageOptions) -> RocksOptions {
    RocksOptions { segment_bytes: storage.segment_bytes, synced: storage.durability == Durability::Fsync }
}

fn log_space(below: bool) {
    if below {
        tracing::error!("the disk is nearly full: claims are refused with NO_SPACE until there is room again");
    } else {
        tracing::info!("the disk has room again: claims are taken");
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = "nothing was changed; run `stockade verify` on the folder, then restore a backup";
        match self {
            OpenError::Folder(error) => write!(formatter, "{error}"),
            OpenError::Store(error) => write!(formatter, "the journal cannot be read: {error}; {advice}"),
            OpenError::Chain(error) => write!(formatter, "the journal is damaged: {error}; {advice}"),
            OpenError::Violation(violation) => write!(formatter, "the journal breaks a promise: {violation}; {advice}"),
        }
    }
}

impl std::error::Error for OpenError {}
