//! The committer: one plain thread that turns epochs into groups. The commit path, top to bottom:
//!
//! 1. close the epoch, wait until no core is inside it;
//! 2. collect the cores' buffers, encode one group;
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

use super::entrance::{Journal, parity};
use super::group::{Encoder, Hash};
use super::ledger::{Ledger, Mark};
use super::store::{Store, StoreError};
use crate::metrics::CommitMetrics;
use crate::types::{Epoch, TimeMs};

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
        let effects = self.collect(epoch);
        let time_ms = effects.time_ms;
        let mut mark = None;
        if !self.encoder.is_empty() {
            mark = Some(self.write(epoch, time_ms)?);
        }
        effects.effects.into_iter().for_each(|effect| effect());
        self.journal.epochs.set_durable(epoch);
        self.journal.wake_waiters(epoch);
        if let (Some(mark), Some(ledger)) = (mark, &self.options.ledger) {
            ledger.write(mark).map_err(|error| StoreError { reason: format!("the commit ledger: {error}") })?;
        }
        Ok(())
    }

    fn close(&mut self) -> Epoch {
        let epoch = self.journal.epochs.close();
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

    fn collect(&mut self, epoch: Epoch) -> Collected {
        let mut collected = Collected { time_ms: 0, effects: Vec::new() };
        let mut buffers = self.journal.buffers.iter().map(|buffers| buffers[parity(epoch)].lock()).collect::<Vec<_>>();
        // The group's time is that of its first burst; controls carry their own.
        let first = buffers.iter().filter_map(|buffer| buffer.bursts.first()).map(|burst| burst.time_ms).min();
        collected.time_ms = first.unwrap_or(0);
        for buffer in buffers.iter_mut().filter(|buffer| !buffer.is_empty()) {
            let mut start = 0;
            for burst in &buffer.bursts {
                let later_ms = u32::try_from(burst.time_ms - collected.time_ms).unwrap_or(u32::MAX);
                self.encoder.grants(later_ms, &buffer.grants[start..burst.end]);
                start = burst.end;
            }
            self.encoder.controls(&buffer.controls);
            collected.effects.append(&mut buffer.effects);
            buffer.clear();
        }
        collected
    }

    fn write(&mut self, epoch: Epoch, time_ms: TimeMs) -> Result<Mark, StoreError> {
        let records = self.encoder.records();
        let started = Instant::now();
        let (group, hash) = self.encoder.finish(epoch, time_ms, self.options.last_hash);
        let bytes = group.len();
        self.options.store.write(epoch, group)?;
        let written = Instant::now();
        if self.options.sync {
            self.options.store.sync()?;
        }
        self.options.last_hash = hash;
        self.options.metrics.group(records, bytes, written - started, written.elapsed());
        Ok(Mark { epoch, hash })
    }
}

struct Collected {
    time_ms: TimeMs,
    effects: Vec<super::buffer::Effect>,
}
