//! The cores' side of the journal: entering an epoch, handing in records, waiting for durability.

use std::sync::OnceLock;

use crossbeam_utils::CachePadded;
use parking_lot::{Mutex, MutexGuard};

use super::buffer::{Buffer, Effect};
use super::cue::Cue;
use super::epochs::Epochs;
use super::group::{ClaimRecord, Control, CouponRecord};
use super::waiter::{Waiter, Wake};
use crate::types::{Epoch, TimeMs};

/// Where cores hand in what they decided, and learn when it is durable.
pub struct Journal {
    pub(super) epochs: Epochs,
    /// Per core, one buffer for even and one for odd epochs. Uncontended: the core and the committer use different
    /// ones.
    pub(super) buffers: Box<[CachePadded<[Mutex<Buffer>; 2]>]>,
    waiters: Box<[CachePadded<Waiter>]>,
    pub(super) cue: CachePadded<Cue>,
    /// Why no commit will ever succeed again. The first reason stays.
    failure: OnceLock<String>,
    /// Records that one core may hand in during one epoch.
    records_per_core_max: usize,
}

/// One core's stay inside an epoch, for one burst.
pub struct Pass<'a> {
    journal: &'a Journal,
    core: usize,
    epoch: Epoch,
    time_ms: TimeMs,
    marked: bool,
    /// The epoch to publish on leaving: the pass's own, or a later one after a barrier.
    publish: Epoch,
    /// Taken out before leaving, so that the committer never finds it locked.
    buffer: Option<MutexGuard<'a, Buffer>>,
}

impl Journal {
    /// A journal for `cores` cores whose next epoch is `first`. A group holds at most `records_max` records, plus
    /// the rest of the burst that reached the limit.
    #[must_use]
    pub fn new(cores: usize, first: Epoch, records_max: usize) -> Self {
        Self {
            epochs: Epochs::new(cores, first),
            buffers: (0..cores).map(|_| CachePadded::new([Mutex::default(), Mutex::default()])).collect(),
            waiters: (0..cores).map(|_| CachePadded::new(Waiter::new())).collect(),
            cue: CachePadded::new(Cue::new(first - 1)),
            failure: OnceLock::new(),
            records_per_core_max: (records_max / cores).max(1),
        }
    }

    /// Enters the current epoch for a burst that is decided at the time that `now_ms` tells. One pass a core at a time.
    ///
    /// The clock is read within the epoch: if it never goes back, no burst of a later epoch is earlier.
    #[must_use]
    pub fn enter(&self, core: usize, now_ms: impl FnMut() -> TimeMs) -> Pass<'_> {
        let (epoch, time_ms) = self.epochs.enter(core, now_ms);
        let buffer = Some(self.buffers[core][parity(epoch)].lock());
        Pass { journal: self, core, epoch, time_ms, marked: false, publish: epoch, buffer }
    }

    /// Number of cores.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.buffers.len()
    }

    /// The epoch that bursts enter now.
    #[must_use]
    pub fn current(&self) -> Epoch {
        self.epochs.current()
    }

    /// Newest durable epoch.
    #[must_use]
    pub fn durable(&self) -> Epoch {
        self.epochs.durable()
    }

    /// The newest epoch in which anybody began to take something: what is seen now is in it, or before it.
    #[must_use]
    pub fn newest(&self) -> Epoch {
        self.epochs.newest()
    }

    /// Whether an answer that depends on `epoch` may leave. Never again after a failure.
    #[must_use]
    pub fn may_leave(&self, epoch: Epoch) -> bool {
        self.epochs.durable() >= epoch && self.failure.get().is_none()
    }

    /// Why the journal stopped, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Names the one to wake when an epoch that `core` waits for is durable. Once per core; later calls do nothing.
    pub fn set_wake(&self, core: usize, wake: Box<dyn Wake>) {
        self.waiters[core].set_wake(wake);
    }

    /// Asks for one wake-up of `core` when `epoch` is durable, and forgets what it asked for before. True when it is
    /// already; then the wake-up may still come.
    pub fn wait(&self, core: usize, epoch: Epoch) -> bool {
        self.waiters[core].wait(epoch, &self.epochs)
    }

    pub(super) fn wake_waiters(&self, epoch: Epoch) {
        self.waiters.iter().for_each(|waiter| waiter.wake(epoch));
    }

    pub(super) fn fail(&self, reason: String) {
        let _first_reason_stays = self.failure.set(reason);
    }
}

impl Pass<'_> {
    /// The epoch that this burst is in.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The newest durable epoch.
    #[must_use]
    pub fn durable(&self) -> Epoch {
        self.journal.epochs.durable()
    }

    /// The time at which this burst is decided.
    #[must_use]
    pub fn time_ms(&self) -> TimeMs {
        self.time_ms
    }

    /// How many more records this core may hand in during this epoch.
    #[must_use]
    pub fn room(&self) -> usize {
        let used = self.buffer.as_ref().map_or(0, |buffer| buffer.portion.records());
        self.journal.records_per_core_max.saturating_sub(used)
    }

    /// Must be called before anything is taken that a record of this pass will report.
    pub fn mark(&mut self) {
        if !self.marked {
            self.journal.epochs.mark(self.epoch);
            self.marked = true;
        }
    }

    /// Hands in a step of a claim.
    ///
    /// # Panics
    /// When the epoch was not marked before the take.
    #[inline]
    pub fn claim(&mut self, record: &ClaimRecord) {
        assert!(self.marked, "a take must be announced before it can be seen");
        let time_ms = self.time_ms;
        self.buffer().portion.claim(time_ms, record);
    }

    /// Hands in what happened to a coupon.
    ///
    /// # Panics
    /// The same.
    #[inline]
    pub fn coupon(&mut self, record: &CouponRecord) {
        assert!(self.marked, "a change must be announced before it can be seen");
        let time_ms = self.time_ms;
        self.buffer().portion.coupon(time_ms, record);
    }

    /// Hands in what shall be done when this epoch is durable.
    pub fn effect(&mut self, effect: Effect) {
        self.mark();
        self.buffer().effects.push(effect);
    }

    /// Hands in an operation on a batch, and what makes it visible once it is durable.
    pub fn control(&mut self, control: Control, effect: Option<Effect>) {
        self.mark();
        let buffer = self.buffer();
        buffer.portion.control(control);
        buffer.effects.extend(effect);
    }

    /// Makes the burst's answers wait until every burst that is under way on any core has ended: whoever enters later
    /// sees what was stored before this call.
    pub fn barrier(&mut self) {
        self.mark();
        self.publish = self.journal.epochs.barrier();
    }

    /// Ends the burst. Returns the epoch that its answers must wait for: all that the burst looked at, or wrote, is
    /// durable with it.
    #[must_use]
    pub fn leave(self) -> Epoch {
        self.journal.epochs.newest()
    }

    fn buffer(&mut self) -> &mut Buffer {
        self.buffer.as_mut().expect("only dropping the pass takes it out")
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        drop(self.buffer.take());
        self.journal.epochs.leave(self.core);
        if self.marked {
            self.journal.cue.give(self.publish);
        }
    }
}

/// Which of a core's two buffers belongs to an epoch.
pub(super) fn parity(epoch: Epoch) -> usize {
    usize::from(epoch % 2 == 1)
}
