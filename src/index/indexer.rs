//! The indexer: a plain thread that follows the journal, another that makes files of full segments, and a third that
//! merges those.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use stockade_protocol::feed::Kind;

use super::segment::Segment;
use super::{Index, SEGMENT_EVENTS};
use crate::journal::{Group, Head, Journal, Reader, StoreError, Visit};
use crate::pace::Pace;
use crate::stock::Day;
use crate::types::{BatchId, Epoch, TimeMs};

/// Time between two looks at the journal, while nobody waits for it.
const ROUND: Duration = Duration::from_millis(5);

/// Time until a file that could not be written is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Longest time over which the making of a file is spread.
const SPREAD_MAX: Duration = Duration::from_secs(1);

/// Priority of the threads that write files: a tenth of a processor for which all want more.
const NICE: i32 = 10;

/// What an indexer works with.
pub struct IndexerOptions {
    /// Where the groups are.
    pub reader: Box<dyn Reader + Send>,
    /// Tells which epoch is durable.
    pub journal: Arc<Journal>,
    /// The day of a batch at some time.
    pub day_of: Box<dyn Fn(BatchId, TimeMs) -> Day + Send>,
    /// Is told the time of each group when readers see it.
    pub on_visible: Box<dyn Fn(TimeMs) + Send>,
}

/// A running indexer. Dropping it ends the threads; what is in no file yet is read again at the next start.
pub struct Indexer {
    index: Arc<Index>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Work {
    index: Arc<Index>,
    options: IndexerOptions,
    stopping: Arc<AtomicBool>,
    /// Full segments go here.
    full: SyncSender<Arc<Segment>>,
}

impl Indexer {
    /// Starts the threads.
    ///
    /// # Panics
    /// When the system refuses a thread.
    #[must_use]
    pub fn start(index: Arc<Index>, options: IndexerOptions) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let (full, segments) = sync_channel(1);
        let sealed = Arc::clone(&index);
        let (more, wakes) = channel();
        let sealer = spawn("sealer", move || seal_all(&sealed, &segments, &more));
        let merged = Arc::clone(&index);
        let merger = spawn("merger", move || merge_all(&merged, &wakes));
        let followed = Arc::clone(&index);
        let work = Work { index, options, stopping: Arc::clone(&stopping), full };
        let run = move || {
            let _nobody_cares = work.index.thread.set(thread::current());
            work.run();
            drop(work);
            let _panicked = sealer.join().and(merger.join());
        };
        Self { index: followed, stopping, thread: Some(spawn("indexer", run)) }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // A process that ends would wait for the merging of files, which the next start does as well.
        self.index.store.stop_merging_packs();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _panicked = thread.join();
        }
        self.index.store.stop();
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = thread::Builder::new().name(name.into()).spawn(run);
    thread.expect("the system has room for a few more threads at start")
}

impl Work {
    fn run(&self) {
        let mut has_checkpoint = false;
        while !self.stopping.load(Ordering::Acquire) {
            let read = if has_checkpoint { self.catch_up() } else { self.read_checkpoint() };
            has_checkpoint |= read == Ok(true);
            if let Err(reason) = read {
                return tracing::error!("the index stays behind until a restart: {reason}");
            }
            self.seal_if_due();
            thread::park_timeout(ROUND);
        }
    }

    /// An index that is new, or was made anew, begins with what the checkpoint has. Whether it has all of it.
    fn read_checkpoint(&self) -> Result<bool, String> {
        let head = self.options.reader.head().map_err(|error| error.to_string())?;
        let Some(head) = head.and_then(|bytes| Head::decode(&bytes)) else { return Ok(true) };
        let (through, reaches) = (self.index.through(), head.replaced.epoch);
        if through >= reaches {
            return Ok(true);
        }
        let each = |visit: &mut Visit<'_>| head.for_each(&*self.options.reader, through, visit);
        self.read(&each, reaches)
    }

    /// Takes in what became durable. Whether there was room for all of it.
    fn catch_up(&self) -> Result<bool, String> {
        let (through, durable) = (self.index.through(), self.options.journal.durable());
        if durable <= through {
            return Ok(true);
        }
        self.read(&|visit: &mut Visit<'_>| self.options.reader.for_each(through, visit), durable)
    }

    /// Takes in groups up to an epoch. Whether there was room for all of them.
    fn read(&self, each: &dyn Fn(&mut Visit<'_>) -> Result<(), StoreError>, up_to: Epoch) -> Result<bool, String> {
        let (mut failed, mut is_full) = (None, false);
        let read = each(&mut |epoch, bytes| {
            if epoch > up_to || self.stopping.load(Ordering::Relaxed) {
                return false;
            }
            is_full = self.is_full();
            if is_full {
                return false;
            }
            match self.add(bytes) {
                Ok(time_ms) => {
                    self.reach(epoch);
                    (self.options.on_visible)(time_ms);
                    self.seal_if_due();
                }
                Err(reason) => failed = Some(reason),
            }
            failed.is_none()
        });
        read.map_err(|error| error.to_string())?;
        if let Some(reason) = failed {
            return Err(reason);
        }
        let is_whole = !is_full && !self.stopping.load(Ordering::Relaxed);
        if is_whole {
            self.reach(up_to);
        }
        Ok(is_whole)
    }

    /// Adds the events of a group, and tells its time. Readers see none of them, or all.
    fn add(&self, bytes: &[u8]) -> Result<TimeMs, String> {
        // Its hash was checked when it was written, or at the start.
        let group = Group::read_again(bytes).map_err(|error| format!("a group {error}"))?;
        let mut tail = self.index.tail.write();
        let mut last = (0, 0, None);
        let added = group.for_each_event(|event| {
            let (batch, time_ms) = (event.batch.get(), event.time_ms.get());
            let day = match last {
                (of, at, Some(day)) if (of, at) == (batch, time_ms) => day,
                _ => (self.options.day_of)(batch, time_ms),
            };
            last = (batch, time_ms, Some(day));
            if event.kind() == Some(Kind::BatchPurged) {
                self.index.purged.lock().insert(batch, group.epoch);
            }
            tail.open.add(&event, self.index.store.bucket(event.user.get()), day);
        });
        tail.open.reaches(group.epoch);
        added.map_err(|error| format!("the group of epoch {} {error}", group.epoch))?;
        Ok(group.time_ms)
    }

    /// Whether there is no room for more until a file is written: the journal keeps the rest.
    fn is_full(&self) -> bool {
        let tail = self.index.tail.read();
        tail.sealing.is_some() && tail.open.len() >= 2 * SEGMENT_EVENTS
    }

    fn reach(&self, epoch: Epoch) {
        self.index.through.store(epoch, Ordering::Release);
        let _waits_for_no_reader = self.index.progress.0.lock();
        self.index.progress.1.notify_all();
    }

    /// Hands a full segment over, or one whose space is wanted.
    fn seal_if_due(&self) {
        let wanted = self.index.seal_wanted.load(Ordering::Relaxed);
        let through = self.index.through();
        let (events, is_busy) = {
            let tail = self.index.tail.read();
            (tail.open.len(), tail.sealing.is_some())
        };
        let is_due = events >= SEGMENT_EVENTS || (wanted && through > self.index.sealed());
        if !is_due || is_busy {
            return;
        }
        self.index.seal_wanted.store(false, Ordering::Relaxed);
        let mut tail = self.index.tail.write();
        let mut full = std::mem::replace(&mut tail.open, Segment::new());
        full.reaches(through);
        let full = Arc::new(full);
        tail.sealing = Some(Arc::clone(&full));
        drop(tail);
        let _the_sealer_ended = self.full.send(full);
    }
}

/// Lets the threads that sell, and the indexer, go first where processors are short.
fn stand_back() {
    // Where that is forbidden, the sealer only takes more of the processors.
    let _is_a_favour = rustix::process::setpriority_process(None, NICE);
}

pub(super) fn seal_all(index: &Index, segments: &Receiver<Arc<Segment>>, more: &Sender<()>) {
    stand_back();
    for segment in segments {
        // It becomes a file in half of the time in which it was filled: done well before the next one is full.
        let pace = Pace::over((segment.age() / 2).min(SPREAD_MAX));
        // Until then it is readable where it is; the indexer waits when another is full, the journal keeps what comes.
        while let Err(error) = index.store.seal(&segment, &pace) {
            tracing::error!("the index cannot write a file, and tries again: {error}");
            if index.store.is_stopping_within(PAUSE) {
                return;
            }
        }
        index.sealed.store(segment.last_epoch(), Ordering::Release);
        index.tail.write().sealing = None;
        let _the_merger_ended = more.send(());
    }
}

/// Merges files at the start, and whenever there is another.
fn merge_all(index: &Index, wakes: &Receiver<()>) {
    stand_back();
    loop {
        if let Err(error) = index.store.merge_packs() {
            tracing::warn!("files of the index could not be merged, which is tried again with the next one: {error}");
        }
        if wakes.recv().is_err() {
            return;
        }
    }
}
