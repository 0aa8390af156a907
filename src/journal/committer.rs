//! The committer: one plain thread that turns epochs into groups. The commit path, top to bottom:
//!
//! 1. close the epoch, wait until no core is inside it;
//! 2. put the cores' portions together as one group;
//! 3. write it, sync it;
//! 4. run the inflows' effects;
//! 5. announce the epoch as durable, wake each core that waits;
//! 6. witness the group in the ledger.
//!
//! An epoch without records skips 3 and 6. After the first error nothing follows: the outcome of a failed write or sync
//! is unknown, and only a restart finds out.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::checkpoint::Usage;
use super::entrance::{Journal, parity};
use super::group::{Encoder, Hash, Portion};
use super::ledger::{Ledger, Mark};
use super::store::{Store, StoreError};
use crate::metrics::CommitMetrics;
use crate::types::Epoch;

/// Rounds of busy waiting for a burst to end before the processor is offered to others.
const SPIN_ROUNDS: u32 = 64;

/// What a committer works with.
pub struct CommitterOptions {
    /// Where groups go.
    pub store: Box<dyn Store>,
    /// Whether a group is synced before it counts as durable.
    pub sync: bool,
    /// The hash of the last group that is stored.
    pub last_hash: Hash,
    /// Witness of what is durable; none where nothing is kept.
    pub ledger: Option<Arc<Ledger>>,
    /// Counts what is stored.
    pub usage: Arc<Usage>,
    /// Sizes and times of commits.
    pub metrics: Arc<CommitMetrics>,
    /// Called once, with the reason, when a commit fails. The process should end here.
    pub on_failure: Box<dyn FnOnce(&str) + Send>,
}

/// A running committer. Dropping it stops it like [`Committer::stop`].
pub struct Committer {
    journal: Arc<Journal>,
    thread: Option<JoinHandle<()>>,
}

struct Work {
    journal: Arc<Journal>,
    options: CommitterOptions,
    encoder: Encoder,
    closed: Epoch,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Panics
    /// When the system refuses a thread.
    #[must_use]
    pub fn start(journal: Arc<Journal>, options: CommitterOptions) -> Self {
        let closed = journal.durable();
        let work = Work { journal: Arc::clone(&journal), options, encoder: Encoder::default(), closed };
        let thread = thread::Builder::new().name("committer".into()).spawn(move || work.run());
        Self { journal, thread: Some(thread.expect("the system has room for one more thread at start")) }
    }

    /// Commits what was handed in so far, then ends the thread. No core may enter any more.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.journal.cue.stop(thread.thread());
            let _panicked = thread.join();
        }
    }
}

impl Work {
    fn run(mut self) {
        while self.journal.cue.wait(self.closed) {
            if let Err(error) = self.commit() {
                let reason = format!("a group could not be made durable: {error}");
                self.journal.fail(reason.clone());
                (self.options.on_failure)(&reason);
                return;
            }
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let epoch = self.close();
        let journal = Arc::clone(&self.journal);
        let mut buffers = journal.buffers.iter().map(|buffers| buffers[parity(epoch)].lock()).collect::<Vec<_>>();
        buffers.retain(|buffer| !buffer.is_empty());
        let mut mark = None;
        let portions = buffers.iter().map(|buffer| &buffer.portion).filter(|portion| !portion.is_empty());
        let portions = portions.collect::<Vec<_>>();
        if !portions.is_empty() {
            mark = Some(self.write(epoch, &portions)?);
        }
        for mut buffer in buffers {
            buffer.effects.drain(..).for_each(|effect| effect());
            buffer.portion.clear();
        }
        self.journal.epochs.set_durable(epoch);
        self.journal.wake_waiters(epoch);
        if let (Some(mark), Some(ledger)) = (mark, &self.options.ledger) {
            ledger.write(mark).map_err(|error| StoreError { reason: format!("the commit ledger: {error}") })?;
        }
        Ok(())
    }

    fn close(&mut self) -> Epoch {
        let epoch = self.journal.epochs.close();
        // A core holds its buffer for the time of its burst: the lock sleeps where a look at the pins would spin. A
        // core that has pinned the epoch and not yet locked its buffer, or the other way round, is a moment away.
        self.journal.buffers.iter().for_each(|buffers| drop(buffers[parity(epoch)].lock()));
        let mut rounds = 0;
        while self.journal.epochs.is_inside(epoch) {
            rounds += 1;
            if rounds < SPIN_ROUNDS {
                std::hint::spin_loop();
            } else {
                // The burst's thread may be waiting for this processor.
                thread::yield_now();
            }
        }
        self.closed = epoch;
        epoch
    }

    fn write(&mut self, epoch: Epoch, portions: &[&Portion]) -> Result<Mark, StoreError> {
        let records = portions.iter().map(|portion| portion.records()).sum();
        let started = Instant::now();
        let (group, hash) = self.encoder.encode(epoch, self.options.last_hash, portions);
        let bytes = group.len();
        self.options.store.write(epoch, group)?;
        let written = Instant::now();
        if self.options.sync {
            self.options.store.sync()?;
        }
        self.options.last_hash = hash;
        self.options.usage.wrote(bytes);
        self.options.metrics.group(records, bytes, written - started, written.elapsed());
        Ok(Mark { epoch, hash })
    }
}
