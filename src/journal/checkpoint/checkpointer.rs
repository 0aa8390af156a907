//! The checkpointer: a plain thread that takes a checkpoint when enough of the journal is no longer needed.
//!
//! It never stands in the way of claims: the committer writes its groups meanwhile, and the only thing that both need
//! for a moment is the log, at the end, for one small record. A checkpoint that fails changes nothing that counts; the
//! journal only stays as large as it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::condenser::Condenser;
use super::head::Head;
use super::replay::{Depth, Replay, ReplayError, replay_to};
use super::usage::{Due, Usage};
use crate::journal::entrance::Journal;
use crate::journal::ledger::Mark;
use crate::journal::space::Space;
use crate::journal::store::{CheckpointStore, StoreError};
use crate::metrics::CheckpointMetrics;
use crate::pace::Pace;
use crate::types::Epoch;

/// Time between two looks whether a checkpoint is due.
const ROUND: Duration = Duration::from_millis(100);

/// Time between a draft that failed and the next one.
const PAUSE: Duration = Duration::from_secs(10);

/// Longest time over which the reading of the journal is spread.
const SPREAD_MAX: Duration = Duration::from_secs(10);

/// How much more a byte costs that is written again than one that is only read: it is copied and hashed, and the disk
/// takes it, where most that was read comes from the system's cache.
const WRITING_COST: u64 = 4;

/// What a checkpointer works with.
pub struct CheckpointerOptions {
    /// Where checkpoints go.
    pub store: Box<dyn CheckpointStore>,
    /// Identity of the data.
    pub store_id: u64,
    /// The checkpoint that there is.
    pub head: Option<Head>,
    /// Knows what is durable.
    pub journal: Arc<Journal>,
    /// Knows what is needed.
    pub usage: Arc<Usage>,
    /// The disk: a checkpoint needs room before it gives any back.
    pub space: Arc<Space>,
    /// A checkpoint must give back this many bytes.
    pub least_bytes: u64,
    /// Asked when a checkpoint is due: the newest epoch that nobody needs to read in the journal any more.
    pub may_replace: Box<dyn Fn() -> Epoch + Send>,
    /// What is measured.
    pub metrics: Arc<CheckpointMetrics>,
}

/// A running checkpointer. Dropping it ends the thread; a checkpoint under way is given up.
pub struct Checkpointer {
    stop: Option<Sender<()>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A checkpoint that was taken.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Its head.
    pub head: Head,
    /// Bytes of the groups that it replaces, the checkpoint before included.
    pub before_bytes: u64,
    /// Bytes of its own groups.
    pub after_bytes: u64,
}

/// Why no checkpoint was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeError {
    /// It could not be written. Nothing has changed.
    Draft(StoreError),
    /// What is stored is damaged, or it is not known whether the checkpoint counts: only a restart finds out.
    InDoubt(ReplayError),
}

impl TakeError {
    fn in_doubt(error: StoreError) -> Self {
        Self::InDoubt(ReplayError::Store(error))
    }
}

impl Checkpointer {
    /// Starts the thread.
    ///
    /// # Panics
    /// When the system refuses a thread.
    #[must_use]
    pub fn start(options: CheckpointerOptions) -> Self {
        let (stop, stopped) = channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stopping);
        let work = move || {
            let cleared = options.head.map_or(Ok(()), |head| clear(&*options.store, &head));
            let mut result = cleared.map_err(TakeError::in_doubt);
            let mut wait = ROUND;
            let mut replaced = options.head.map_or(0, |head| head.replaced.epoch);
            let mut before = Instant::now();
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                match result {
                    Ok(()) => wait = ROUND,
                    Err(TakeError::Draft(error)) => {
                        tracing::warn!("no checkpoint could be written, trying again later: {error}");
                        wait = PAUSE;
                    }
                    Err(TakeError::InDoubt(error)) => {
                        tracing::error!(
                            "no checkpoint will be taken before a restart: {error}; claims go on, the journal keeps \
                             growing; run `stockade verify` on the folder once the server has stopped"
                        );
                        return;
                    }
                }
                let taken = options.due(replaced).map_or(Ok(None), |(up_to, due)| {
                    let pace = options.pace(before.elapsed(), &due);
                    before = Instant::now();
                    options.take(up_to, &due, pace, &stops)
                });
                result = taken.map(|taken| replaced = taken.unwrap_or(replaced));
            }
        };
        let thread = thread::Builder::new().name("checkpointer".into()).spawn(work);
        let thread = Some(thread.expect("the system has room for one more thread at start"));
        Self { stop: Some(stop), stopping, thread }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl CheckpointerOptions {
    /// The checkpoint that is due, and the epoch up to which.
    fn due(&self, replaced: Epoch) -> Option<(Epoch, Due)> {
        let due = self.usage.due(self.least_bytes)?;
        // Twice what is needed: a checkpoint must never be what fills the disk.
        let fits = self.space.free_bytes().is_none_or(|free| due.needed_bytes.saturating_mul(2) < free);
        let may_replace = if fits { (self.may_replace)() } else { return None };
        Some((may_replace.min(self.journal.durable()), due)).filter(|(epoch, _)| *epoch > replaced)
    }

    /// A checkpoint is spread over three quarters of the time in which the next one will be due, so that it is not
    /// late; unless claims are refused for want of space.
    fn pace(&self, since_last: Duration, due: &Due) -> Pace {
        let is_urgent = self.space.is_below_floor();
        Pace::over(if is_urgent { Duration::ZERO } else { spread(since_last, due) })
    }

    /// Takes one up to an epoch. Returns the last epoch that is replaced now, if it was taken.
    fn take(&self, up_to: Epoch, due: &Due, pace: Pace, stopping: &AtomicBool) -> Result<Option<Epoch>, TakeError> {
        let began = Instant::now();
        let cost = |read_bytes, written_bytes: u64| read_bytes + written_bytes.saturating_mul(WRITING_COST);
        let goes_on = |read_bytes, written_bytes| {
            pace.keep(cost(read_bytes, written_bytes), cost(due.read_bytes, due.needed_bytes));
            !stopping.load(Ordering::Relaxed)
        };
        let taken = take(&*self.store, self.store_id, (up_to, due.depth), &self.usage, &goes_on)?;
        let Some(taken) = taken else { return Ok(None) };
        let Taken { head, before_bytes, after_bytes } = taken;
        self.metrics.taken(began.elapsed(), after_bytes);
        // Under full load of short batches there is one a second: the metrics count them.
        tracing::debug!(
            "checkpoint {} up to epoch {}: {before_bytes} bytes of groups became {after_bytes}",
            head.generation,
            head.replaced.epoch
        );
        clear(&*self.store, &head).map_err(TakeError::in_doubt)?;
        Ok(Some(head.replaced.epoch))
    }
}

/// Takes a checkpoint of the groups up to the epoch `durable`, and installs it; nothing is deleted. One that is
/// `Recent` stands on the base of the one before, which it does not read. `None` when there is no group, or `goes_on`,
/// which is told before each group how many bytes were read and how many written, said no.
///
/// # Errors
/// When what is stored is damaged, or the store fails. Then a restart finds either this checkpoint or what was before.
pub fn take(
    store: &dyn CheckpointStore,
    store_id: u64,
    (durable, depth): (Epoch, Depth),
    usage: &Usage,
    goes_on: &dyn Fn(u64, u64) -> bool,
) -> Result<Option<Taken>, TakeError> {
    // Claims of a batch lie at most one epoch after its closing: with that one, none of it can come any more.
    let begun = usage.begin(durable);
    let generation = store.last_generation().map_err(TakeError::Draft)? + 1;
    store.begin(generation).map_err(TakeError::Draft)?;
    let mut condenser = Condenser::new(store, (store_id, generation), (&begun.fates, depth));
    let (mut replaced, mut before_bytes, mut failed): (_, _, Option<StoreError>) = (None, 0, None);
    let mut read = Replay::default();
    let mut gave_up = false;
    replay_to(depth, store, store_id, None, &mut read, &mut |group, bytes| {
        gave_up = !goes_on(before_bytes, condenser.bytes);
        if group.epoch > durable || gave_up {
            return false;
        }
        replaced = Some(Mark { epoch: group.epoch, hash: group.hash });
        before_bytes += bytes.len() as u64;
        failed = condenser.add(group).err();
        failed.is_none()
    })
    .map_err(TakeError::InDoubt)?;
    if let Some(error) = failed {
        return Err(TakeError::Draft(error));
    }
    let Some(mut replaced) = replaced.filter(|_| !gave_up) else { return Ok(None) };
    if let Some(before) = read.head.filter(|head| head.replaced.epoch == replaced.epoch) {
        // Nothing came after the checkpoint before: the journal goes on where that one said.
        replaced = before.replaced;
    }
    condenser.finish().map_err(TakeError::Draft)?;
    let (end, after_bytes) = (condenser.end, condenser.bytes);
    let last_ms = condenser.last_ms.max(read.last_ms());
    store.finish().map_err(TakeError::Draft)?;
    let base = read.head.filter(|_| depth == Depth::Recent).map(|head| head.first_part());
    let depth = if base.is_some() { Depth::Recent } else { Depth::Whole };
    let head = Head { generation, replaced, end, last_ms, base };
    store.install(&head.encode()).map_err(TakeError::in_doubt)?;
    usage.condensed(&begun, depth, (before_bytes, after_bytes), &|batch| condenser.created(batch));
    Ok(Some(Taken { head, before_bytes, after_bytes }))
}

/// Over how long a checkpoint is spread: so much died since the one before began, and the next one is due after as much
/// as that takes which must be dead. One that reads the base as well reads no faster.
fn spread(since_last: Duration, due: &Due) -> Duration {
    let part = |duration: u128, of: u64, all: u64| duration * u128::from(of) / u128::from(all.max(1));
    // Where nothing dies, the next one will not come sooner than this one did.
    let dead_bytes = due.dead_bytes.max(1);
    let until_due_ns = part(since_last.as_nanos(), due.threshold_bytes.min(dead_bytes), dead_bytes);
    let spread_ns = part(until_due_ns, due.read_bytes, due.recent_bytes) * 3 / 4;
    Duration::from_nanos(u64::try_from(spread_ns).unwrap_or(u64::MAX)).min(SPREAD_MAX)
}

fn clear(store: &dyn CheckpointStore, head: &Head) -> Result<(), StoreError> {
    store.clear(&head.generations(), head.replaced.epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_checkpoint_does_not_make_the_next_one_later() {
        let (second, recent) = (Duration::from_secs(1), Due::recent(64, 64));
        assert_eq!(spread(second, &recent), second * 3 / 4, "on time");
        assert_eq!(
            spread(second * 2, &Due::recent(64, 128)),
            second * 3 / 4,
            "late: in twice the time died twice as much"
        );
        assert_eq!(spread(second / 2, &recent), second * 3 / 8, "more dies a second");
        assert_eq!(
            spread(second, &Due { read_bytes: 300, ..recent }),
            second * 9 / 4,
            "with twice as much of the base"
        );
        assert_eq!(spread(second * 3_600, &recent), SPREAD_MAX);
        assert_eq!(spread(second, &Due::recent(64, 0)), second * 3 / 4, "nothing is dead: the base's turn");
    }

    impl Due {
        fn recent(threshold_bytes: u64, dead_bytes: u64) -> Self {
            let (depth, needed_bytes) = (Depth::Recent, 36);
            Self { depth, read_bytes: 100, recent_bytes: 100, dead_bytes, threshold_bytes, needed_bytes }
        }
    }
}
