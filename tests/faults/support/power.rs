//! A store whose power goes at a moment that a seed chose: at a call of the committer or the checkpointer, before or
//! after the call does its work, or when a number of answers was sent. What was sent before that moment is what a
//! client may rely on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use parking_lot::{Mutex, RwLock};
use stockade::journal::{Group, Mark, MemoryStore, StoreError};

use super::rng::Rng;
use super::wrapped::{Around, Wrapped};

/// When the power goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// At this call (from 1) of `write` or `sync`, before it does its work.
    Before(u64),
    /// At this call, after its work and before the journal learns of it.
    After(u64),
    /// When so many answers were sent.
    Sent(u64),
}

/// The power of one life of a machine.
pub(crate) struct Power {
    store: MemoryStore,
    cut: Cut,
    calls: AtomicU64,
    sent: AtomicU64,
    off: AtomicBool,
    /// Held for reading while an answer is sent, for writing when the power goes: what is sent is sent before.
    sending: RwLock<()>,
    left: Mutex<Option<Left>>,
    rng: Mutex<Rng>,
}

/// What a machine leaves behind.
pub(crate) struct Left {
    /// The disk.
    pub(crate) disk: MemoryStore,
    /// A group that was durable.
    pub(crate) witnessed: Option<Mark>,
    /// Bytes that were written and are gone.
    pub(crate) lost_bytes: usize,
    /// Bytes that were not synced and are there nevertheless.
    pub(crate) lucky_bytes: usize,
}

impl Power {
    pub(crate) fn new(store: MemoryStore, cut: Cut, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            store,
            cut,
            calls: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            off: AtomicBool::new(false),
            sending: RwLock::new(()),
            left: Mutex::new(None),
            rng: Mutex::new(Rng::new(seed)),
        })
    }

    /// The store as the journal gets it.
    pub(crate) fn disk(power: &Arc<Power>) -> Disk {
        Wrapped { store: power.store.clone(), around: Arc::clone(power) }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.off.load(Ordering::SeqCst)
    }

    /// Sends an answer if the power is on: `send` tells whether there was one to send.
    pub(crate) fn send(&self, send: impl FnOnce() -> bool) -> bool {
        let sending = self.sending.read();
        let sent = !self.is_off() && send();
        let count = if sent { self.sent.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
        drop(sending);
        if matches!(self.cut, Cut::Sent(at) if at == count) {
            self.turn_off();
        }
        sent
    }

    /// The power goes, if it has not gone before.
    pub(crate) fn turn_off(&self) {
        let _nobody_sends = self.sending.write();
        if self.off.swap(true, Ordering::SeqCst) {
            return;
        }
        let mut rng = self.rng.lock();
        let unsynced = self.store.unsynced_bytes();
        let lucky_bytes = if rng.chance(30) { 0 } else { index(&mut rng, unsynced + 1) };
        let mut durable = Vec::new();
        let synced = self.store.after_power_loss(0);
        synced.for_each_ever(&mut |epoch, bytes| {
            let group = Group::decode(bytes).expect("a synced group is whole");
            durable.push(Mark { epoch, hash: group.hash });
            true
        });
        // The ledger may lag behind.
        let lag = index(&mut rng, 3);
        let witnessed = durable.len().checked_sub(1 + lag).map(|at| durable[at]);
        let disk = self.store.after_power_loss(lucky_bytes);
        let lost_bytes = unsynced - lucky_bytes;
        *self.left.lock() = Some(Left { disk, witnessed, lost_bytes, lucky_bytes });
    }

    /// What is left, after the power went.
    pub(crate) fn left(&self) -> Left {
        self.left.lock().take().expect("the power has gone")
    }

    /// Gives bursts time to come in between two steps of the committer.
    fn dawdle(&self) {
        let rounds = self.rng.lock().below(6);
        (0..rounds).for_each(|_| thread::yield_now());
    }
}

fn index(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).expect("less than the bound")
}

/// See [`Power::disk`].
pub(crate) type Disk = Wrapped<MemoryStore, Arc<Power>>;

impl Around for Arc<Power> {
    fn around(&self, _call: &'static str, work: &mut dyn FnMut() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.dawdle();
        if matches!(self.cut, Cut::Before(at) if at == call) {
            self.turn_off();
        }
        let result = work();
        if matches!(self.cut, Cut::After(at) if at == call) {
            self.turn_off();
        }
        self.dawdle();
        result
    }
}
