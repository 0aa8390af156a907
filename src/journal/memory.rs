//! A store in memory that can fail like a disk: lose what was not synced, tear the last group, fail the n-th call.
//!
//! It keeps one log of bytes, as a file would: per group its epoch, length and checksum, then the group. After a crash
//! the log is read up to the first record that is not whole, as RocksDB's point-in-time recovery does.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_64;

use super::store::{CheckpointStore, Reader, Store, StoreError, Visit};
use crate::types::Epoch;

const HEAD_BYTES: usize = 24;

/// When the store fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The number (from 1) of the call of `write` or `sync` that fails, and with it all later ones; 0 = none.
    pub fail_call: u64,
    /// The same for the calls that make a checkpoint.
    pub fail_checkpoint_call: u64,
    /// Whether the failing call does its work before it fails: the caller cannot know.
    pub keeps_failed: bool,
}

#[derive(Default)]
struct Log {
    bytes: Vec<u8>,
    synced: usize,
    calls: u64,
    /// The last group may be torn: the next write drops it, as a restarted disk would begin a new file.
    torn: bool,
    checkpoints: Checkpoints,
}

/// What is kept of checkpoints. Only a finished draft is on the disk.
#[derive(Clone, Default)]
struct Checkpoints {
    head: Option<Vec<u8>>,
    /// By generation.
    kept: BTreeMap<u64, Groups>,
    draft: Option<(u64, Groups)>,
    /// The groups up to this epoch are not there any more.
    cleared: Epoch,
    calls: u64,
}

type Groups = Vec<(Epoch, Vec<u8>)>;

/// The store. Clones share the log, so that a test can look at what the journal's copy did.
#[derive(Clone, Default)]
pub struct MemoryStore {
    log: Arc<Mutex<Log>>,
    faults: Faults,
}

impl MemoryStore {
    /// An empty store with these faults.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        Self { log: Arc::default(), faults }
    }

    /// What a disk would hold after the power went: all that was synced, and the first `unsynced_bytes` of the rest
    /// (the last group may be torn). The copy has no faults.
    #[must_use]
    pub fn after_power_loss(&self, unsynced_bytes: usize) -> Self {
        let log = self.log.lock();
        let kept = (log.synced + unsynced_bytes).min(log.bytes.len());
        let checkpoints = Checkpoints { draft: None, calls: 0, ..log.checkpoints.clone() };
        let survived = Log { bytes: log.bytes[..kept].to_vec(), synced: kept, calls: 0, torn: true, checkpoints };
        Self { log: Arc::new(Mutex::new(survived)), faults: Faults::default() }
    }

    /// Bytes that were written and not synced.
    #[must_use]
    pub fn unsynced_bytes(&self) -> usize {
        let log = self.log.lock();
        log.bytes.len() - log.synced
    }

    /// Cuts the log after `bytes`, synced or not: damage, not a crash.
    pub fn truncate(&self, bytes: usize) {
        let mut log = self.log.lock();
        log.bytes.truncate(bytes);
        log.synced = log.synced.min(bytes);
        log.torn = true;
    }

    /// Bytes of the log.
    #[must_use]
    pub fn len(&self) -> usize {
        self.log.lock().bytes.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls of `write` and `sync` so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.log.lock().calls
    }

    /// Calls that make a checkpoint so far.
    #[must_use]
    pub fn checkpoint_calls(&self) -> u64 {
        self.log.lock().checkpoints.calls
    }

    /// Visits every group that was ever written and kept, those too that a checkpoint replaced: the history that a test
    /// holds what is read now against.
    pub fn for_each_ever(&self, visit: &mut Visit<'_>) {
        let bytes = self.log.lock().bytes.clone();
        let mut groups = groups(&bytes);
        while groups.next().is_some_and(|(epoch, group)| visit(epoch, group)) {}
    }

    /// Lets `change` change the groups of the installed or any other generation, and the head: damage.
    pub fn damage_checkpoint<T>(
        &self,
        change: impl FnOnce(&mut Option<Vec<u8>>, &mut BTreeMap<u64, Groups>) -> T,
    ) -> T {
        let checkpoints = &mut self.log.lock().checkpoints;
        change(&mut checkpoints.head, &mut checkpoints.kept)
    }

    /// Counts a call. Tells whether it does its work, and whether it fails.
    fn call(&self, log: &mut Log) -> (bool, Result<(), StoreError>) {
        log.calls += 1;
        self.outcome(log.calls, self.faults.fail_call)
    }

    fn checkpoint_call(&self, work: impl FnOnce(&mut Log)) -> Result<(), StoreError> {
        let log = &mut *self.log.lock();
        log.checkpoints.calls += 1;
        let (works, result) = self.outcome(log.checkpoints.calls, self.faults.fail_checkpoint_call);
        if works {
            work(log);
        }
        result
    }

    fn outcome(&self, call: u64, fails: u64) -> (bool, Result<(), StoreError>) {
        if fails == 0 || call < fails {
            return (true, Ok(()));
        }
        let works = self.faults.keeps_failed && call == fails;
        (works, Err(StoreError { reason: format!("injected failure of call {call}") }))
    }
}

impl Store for MemoryStore {
    fn write(&mut self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        let mut log = self.log.lock();
        let (works, result) = self.call(&mut log);
        if works {
            if std::mem::take(&mut log.torn) {
                let whole = groups(&log.bytes).map(|(_, group)| HEAD_BYTES + group.len()).sum();
                log.bytes.truncate(whole);
                log.synced = log.synced.min(whole);
            }
            log.bytes.extend_from_slice(&epoch.to_le_bytes());
            log.bytes.extend_from_slice(&(group.len() as u64).to_le_bytes());
            log.bytes.extend_from_slice(&xxh3_64(group).to_le_bytes());
            log.bytes.extend_from_slice(group);
        }
        result
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let mut log = self.log.lock();
        let (works, result) = self.call(&mut log);
        if works {
            log.synced = log.bytes.len();
        }
        result
    }
}

impl Reader for MemoryStore {
    fn for_each(&self, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let cleared = self.log.lock().checkpoints.cleared;
        self.for_each_ever(&mut |epoch, group| epoch <= after.max(cleared) || visit(epoch, group));
        Ok(())
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.log.lock().checkpoints.head.clone())
    }

    fn for_each_of_checkpoint(&self, generation: u64, after: Epoch, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let kept = self.log.lock().checkpoints.kept.get(&generation).cloned().unwrap_or_default();
        let mut groups = kept.iter().filter(|(epoch, _)| *epoch > after);
        while groups.next().is_some_and(|(epoch, group)| visit(*epoch, group)) {}
        Ok(())
    }
}

impl CheckpointStore for MemoryStore {
    fn last_generation(&self) -> Result<u64, StoreError> {
        Ok(self.log.lock().checkpoints.kept.keys().next_back().copied().unwrap_or(0))
    }

    fn begin(&self, generation: u64) -> Result<(), StoreError> {
        self.checkpoint_call(|log| log.checkpoints.draft = Some((generation, Groups::new())))
    }

    fn append(&self, epoch: Epoch, group: &[u8]) -> Result<(), StoreError> {
        self.checkpoint_call(|log| {
            let (_, groups) = log.checkpoints.draft.as_mut().expect("a draft was begun");
            groups.push((epoch, group.to_vec()));
        })
    }

    fn finish(&self) -> Result<(), StoreError> {
        self.checkpoint_call(|log| {
            let (generation, groups) = log.checkpoints.draft.take().expect("a draft was begun");
            log.checkpoints.kept.insert(generation, groups);
        })
    }

    fn install(&self, head: &[u8]) -> Result<(), StoreError> {
        self.checkpoint_call(|log| {
            log.checkpoints.head = Some(head.to_vec());
            // One log holds both: what was written before is synced with it.
            log.synced = log.bytes.len();
        })
    }

    fn clear(&self, generations: &[u64], up_to: Epoch) -> Result<(), StoreError> {
        self.checkpoint_call(|log| {
            log.checkpoints.cleared = log.checkpoints.cleared.max(up_to);
            log.checkpoints.kept.retain(|kept, _| generations.contains(kept));
        })
    }
}

/// The groups of a log, up to the first that is not whole.
fn groups(mut rest: &[u8]) -> impl Iterator<Item = (Epoch, &[u8])> {
    std::iter::from_fn(move || {
        let (head, after) = rest.split_first_chunk::<HEAD_BYTES>()?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| head[at + index]));
        let (epoch, length, check) = (number(0), number(8), number(16));
        let (group, next) = after.split_at_checked(usize::try_from(length).ok()?)?;
        rest = next;
        (xxh3_64(group) == check).then_some((epoch, group))
    })
}
