//! Open: from a data folder, or an empty memory, to a running engine.
//!
//! Reads every group, checks the chain against the ledger and the content against the promises, and starts the
//! committer only when all is in order. Otherwise it halts, names the epoch and the batch, and has changed nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stockade_protocol::hello::Durability;

use super::auditor::Auditor;
use super::batch::Batch;
use super::calendar::Calendar;
use super::clients::Clients;
use super::expirer::Expirer;
use super::fill::Clocks;
use super::rebuild::Rebuild;
use super::registry::{Registered, Registry};
use super::sweep::Sweeps;
use super::timers::{Timer, Timers};
use super::{Engine, EngineOptions, OpenError, StorageOptions};
use crate::feed::{self, Consumers};
use crate::index::{Index, Indexer, IndexerOptions, Kept};
use crate::journal::{
    Chain, ChainError, CheckpointStore, Checkpointer, CheckpointerOptions, Committer, CommitterOptions, Folder, Head,
    Journal, Ledger, Mark, NullStore, Reader, Replay, ReplayError, RocksOptions, RocksStore, Space, Steward,
    StewardOptions, Store, StoreError, replay,
};
use crate::metrics::Metrics;
use crate::types::{Epoch, TimeMs};

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
    /// Before the committer: it hands in records.
    _expirer: Option<Expirer>,
    /// Before the indexer: it waits for it.
    auditor: Option<Auditor>,
    /// Before the store is let go of: it reads it.
    indexer: Option<Indexer>,
    _committer: Committer,
    steward: Option<Steward>,
    checkpointer: Option<Checkpointer>,
    /// Dropped last: the lock on the folder.
    folder: Option<Folder>,
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
        recover(&*stored, folder.store_id(), witnessed, storage.durability, &options)?
    };
    // Only a journal that is in order is opened for writing: that changes it.
    let store = folder.store(rocks_options(storage)).map_err(OpenError::Folder)?;
    let checkpoints = store.checkpoints(&folder.drafts()).map_err(OpenError::Store)?;
    let (reader, readers) = (store.reader(), store.again());
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
    let last = recovered.last.map_or(0, |last| last.epoch);
    let feed_reader = readers.again();
    let kept = Kept { store_id: folder.store_id(), last, head };
    let index = storage.index.then(|| Index::open(&folder.index(), &kept).map(Arc::new));
    let index = index.transpose().map_err(OpenError::Index)?;
    let consumers = Consumers::open(&folder.consumers(), storage.feed_retained_bytes).map_err(OpenError::Consumers)?;
    let consumers = Arc::new(consumers);
    let told = Arc::clone(&consumers);
    let feed = move || feed::Source { reader: readers.reader(), consumers: Arc::clone(&told) };
    let beside = Beside { space: Some(Arc::clone(&space)), index: index.clone(), feed: Some(Box::new(feed)) };
    let mut running = launch(source, recovered, options, beside)?;
    running.auditor = index.is_some().then(|| Auditor::start(Arc::clone(&running.engine)));
    running.indexer = index.as_ref().map(|index| follow(index, reader, &running.engine));
    running.checkpointer = Some(Checkpointer::start(CheckpointerOptions {
        store: Box::new(checkpoints) as Box<dyn CheckpointStore>,
        store_id: folder.store_id(),
        head,
        journal: Arc::clone(&running.engine.journal),
        usage: Arc::clone(&running.engine.usage),
        space: Arc::clone(&space),
        least_bytes: storage.checkpoint_dead_bytes,
        may_replace: may_replace(index, consumers, feed_reader),
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
    let recovered = recover(&**store, *store_id, *witnessed, *durability, &options)?;
    launch(source, recovered, options, Beside::default())
}

/// Has an index follow the journal.
fn follow(index: &Arc<Index>, reader: Box<dyn Reader + Send>, engine: &Arc<Engine>) -> Indexer {
    let registry = Arc::clone(&engine.registry);
    let day_of = move |batch, time_ms| {
        registry.find(batch).map_or_else(|| Calendar::Utc.day_of(time_ms), |batch| batch.day_of(time_ms))
    };
    let (journal, seer, since_ms) = (Arc::clone(&engine.journal), Arc::clone(engine), engine.now_ms());
    let on_visible = move |time_ms| {
        // What is older waited for the start.
        if time_ms >= since_ms {
            let waited = Duration::from_millis(seer.now_ms().saturating_sub(time_ms));
            seer.metrics.visible_ns.record_duration(waited);
        }
    };
    let (day_of, on_visible) = (Box::new(day_of), Box::new(on_visible));
    Indexer::start(Arc::clone(index), IndexerOptions { reader, journal, day_of, on_visible })
}

/// What a checkpoint may replace: what the index has in files and no consumer needs.
fn may_replace(
    index: Option<Arc<Index>>,
    consumers: Arc<Consumers>,
    store: RocksStore,
) -> Box<dyn Fn() -> Epoch + Send> {
    Box::new(move || {
        let indexed = index.as_ref().map_or(Epoch::MAX, |index| {
            index.want_seal();
            index.sealed()
        });
        let head = store.head().ok().flatten().and_then(|bytes| Head::decode(&bytes));
        let replaced = head.map_or(0, |head| head.replaced.epoch);
        indexed.min(consumers.may_replace(replaced, |epoch| store.bytes_after(epoch).unwrap_or(0)))
    })
}

/// What an engine has beside its journal, where something is kept.
#[derive(Default)]
struct Beside {
    space: Option<Arc<Space>>,
    index: Option<Arc<Index>>,
    feed: Option<Box<dyn Fn() -> feed::Source + Send + Sync>>,
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
    Beside { space, index, feed }: Beside,
) -> Result<Running, OpenError> {
    let Recovered { rebuild, replay, last, mut report, began } = recovered;
    // Before the first group the chain stands at the store's own hash.
    let last = last.unwrap_or_else(|| Chain::new(source.store_id, None).last());
    if report.lost_epochs > 0 {
        forget_after(source.ledger.as_deref(), last)?;
    }
    let last_ms = AtomicU64::new(rebuild.last_ms.max(replay.last_ms()));
    let usage = Arc::new(rebuild.usage(&replay));
    let now_ms = options.clock.now_ms().max(last_ms.load(Ordering::Relaxed));
    // One more than there are cores: that of the thread which lets reservations expire.
    let lanes = options.cores + 1;
    let Shelved { registry, clients, timers, sweeps } = shelve(rebuild, &options, lanes, now_ms);
    report.batches = registry.len();
    report.elapsed = began.elapsed();

    // Numbers that the ledger has seen are not used again, even where their groups are gone.
    let first = last.epoch.max(source.witnessed.map_or(0, |mark| mark.epoch)) + 1;
    let journal = Arc::new(Journal::new(lanes, first, options.group_records_max / options.cores * lanes));
    let metrics = Arc::new(Metrics::new(options.cores));
    let (on_failure, store_id) = (Arc::clone(&options.on_failure), source.store_id);
    let committer = CommitterOptions {
        store: source.store,
        sync: source.durability == Durability::Fsync,
        last_hash: last.hash,
        ledger: source.ledger,
        usage: Arc::clone(&usage),
        metrics: Arc::clone(&metrics.commit),
        on_failure: Box::new(move |reason| on_failure(reason)),
    };
    let committer = Committer::start(Arc::clone(&journal), committer);
    let engine = Engine {
        journal,
        registry: Arc::new(registry),
        clients: Arc::new(clients),
        timers,
        sweeps,
        stop: Arc::clone(&options.on_failure),
        nothing_lapses_before_ms: options.clock.running_ms() + whole_ms(options.restart_grace),
        ttl_s_max: options.ttl_s_max,
        clock: options.clock,
        last_ms,
        space,
        usage,
        metrics,
        cores: options.cores,
        users_shards_max: options.users_shards_max,
        store_id,
        index,
        feed,
    };
    let engine = Arc::new(engine);
    let expirer = options.expires.then(|| Expirer::start(Arc::clone(&engine)));
    Ok(Running {
        engine,
        report,
        _expirer: expirer,
        auditor: None,
        indexer: None,
        _committer: committer,
        steward: None,
        checkpointer: None,
        folder: None,
    })
}

/// Has the ledger forget what is lost.
fn forget_after(ledger: Option<&Ledger>, last: Mark) -> Result<(), OpenError> {
    let forgotten = ledger.map_or(Ok(()), |ledger| ledger.forget_after(last));
    forgotten.map_err(|error| OpenError::Store(StoreError { reason: format!("the commit ledger: {error}") }))
}

/// The batches on their shelf, and what time does to them.
struct Shelved {
    registry: Registry,
    clients: Clients,
    timers: Timers,
    sweeps: Sweeps,
}

fn shelve(rebuild: Rebuild, options: &EngineOptions, lanes: usize, now_ms: TimeMs) -> Shelved {
    let registry = Registry::new(options.batches_max.max(rebuild.batches()));
    let (timers, sweeps) = (Timers::new(lanes), Sweeps::default());
    let (clients, batches) = rebuild.into_batches(options.cores, now_ms);
    for (id, make) in batches {
        if let Registered::New(batch) = registry.register(id, make) {
            plan(batch, &timers, &sweeps, (options.cores, now_ms));
        }
    }
    Shelved { registry, clients, timers, sweeps }
}

/// Plans what time does to a batch: reservations and coupons that expire.
fn plan(batch: &Batch, timers: &Timers, sweeps: &Sweeps, (lane, now_ms): (usize, TimeMs)) {
    batch.users.for_each_hold(|at, due_ms| timers.add(lane, due_ms, Timer { batch: batch.index, at }));
    if batch.more.get().is_some_and(|more| more.expires()) {
        sweeps.plan(batch, now_ms);
    }
}

fn recover(
    store: &dyn Reader,
    store_id: u64,
    witnessed: Option<Mark>,
    durability: Durability,
    options: &EngineOptions,
) -> Result<Recovered, OpenError> {
    let began = Instant::now();
    let clocks = Clocks { now_ms: options.clock.now_ms(), running_ms: options.clock.running_ms() };
    let (mut rebuild, mut read) = (Rebuild::new(options.users_shards_max, clocks), Replay::default());
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

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
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
