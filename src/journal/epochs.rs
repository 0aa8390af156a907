//! Epochs: which burst belongs to which group, and which answers may leave.
//!
//! - `current` is the epoch that bursts enter. A core *pins* it for the time of a burst.
//! - `newest` is the newest epoch in which a core began to take something. It is raised *before* the take can be seen.
//! - `durable` is the newest epoch that is safe, with all before it.
//!
//! Whoever looks at shared state and then reads `newest` gets an epoch that covers all that was seen: an answer that
//! waits until `durable` reaches it depends on nothing that a crash can undo. (Reading it *before* the look is wrong: a
//! take of a later epoch could be seen. `tests/loom` shows both.) While nothing is taken, `newest` stays where it is,
//! so refusals of a sold-out batch leave at once, without a write and without waking anybody.
//!
//! Where a store must be seen before a load of another atomic, a sequentially consistent fence stands between them; the
//! accesses themselves only acquire and release. (So loom can check all of it: it takes a sequentially consistent
//! access for less than it is.)

use crossbeam_utils::CachePadded;

use super::sync::{AtomicU64, Ordering, fence};
use crate::types::Epoch;

/// Not inside any epoch.
const OUTSIDE: u64 = 0;

/// See the module.
pub struct Epochs {
    /// Raised by the committer only; read by every core at the start of a burst. Fenced against the pins.
    current: CachePadded<AtomicU64>,
    /// Raised by cores before their first take of a burst; read by every core after its last look.
    newest: CachePadded<AtomicU64>,
    /// Raised by the committer only (release), read by every core before it lets answers go (acquire).
    durable: CachePadded<AtomicU64>,
    /// One per core: the epoch that its burst is in, or [`OUTSIDE`]. Written by the core, read by the committer.
    pins: Box<[CachePadded<AtomicU64>]>,
}

impl Epochs {
    /// Epochs for `cores` cores, the first one being `first`; those before it are durable.
    ///
    /// # Panics
    /// When `first` is zero: no burst can be inside epoch 0.
    #[must_use]
    pub fn new(cores: usize, first: Epoch) -> Self {
        assert!(first > OUTSIDE, "epochs count from 1");
        let at = |epoch: Epoch| CachePadded::new(AtomicU64::new(epoch));
        Self {
            current: at(first),
            newest: at(first - 1),
            durable: at(first - 1),
            pins: (0..cores).map(|_| at(OUTSIDE)).collect(),
        }
    }

    /// Pins the current epoch for a burst of `core`, and reads something within it: what `read` wrote can be seen by
    /// every `read` of a later epoch.
    #[must_use]
    pub fn enter<T>(&self, core: usize, mut read: impl FnMut() -> T) -> (Epoch, T) {
        let mut epoch = self.current.load(Ordering::Acquire);
        loop {
            // Release: the committer may find this pin without ever having seen that the burst before ended.
            self.pins[core].store(epoch, Ordering::Release);
            let read = read();
            fence(Ordering::SeqCst);
            // If the committer closed the epoch in between, it may have looked at the pin before it was set.
            let now = self.current.load(Ordering::Acquire);
            if now == epoch {
                return (epoch, read);
            }
            epoch = now;
        }
    }

    /// Ends the burst of `core`. Its records must be in its buffer.
    pub fn leave(&self, core: usize) {
        self.pins[core].store(OUTSIDE, Ordering::Release);
    }

    /// Announces that a burst of `epoch` is about to take something. To be called before the take.
    pub fn mark(&self, epoch: Epoch) {
        if self.newest.load(Ordering::Relaxed) < epoch {
            self.newest.fetch_max(epoch, Ordering::AcqRel);
        }
    }

    /// The epoch that an answer must wait for, to be read after all looks at shared state.
    #[must_use]
    pub fn newest(&self) -> Epoch {
        self.newest.load(Ordering::Acquire)
    }

    /// The epoch whose durability proves that every burst that is under way on any core has ended, marked: whoever
    /// enters a later one sees what was stored before this call.
    #[must_use]
    pub fn barrier(&self) -> Epoch {
        // Pairs with the fence of a burst that enters: this sees that burst's epoch, or that burst sees the stores.
        fence(Ordering::SeqCst);
        let current = self.current.load(Ordering::Acquire);
        self.mark(current);
        current
    }

    /// The newest durable epoch.
    #[must_use]
    pub fn durable(&self) -> Epoch {
        self.durable.load(Ordering::Acquire)
    }

    /// The epoch that bursts enter now.
    #[must_use]
    pub fn current(&self) -> Epoch {
        self.current.load(Ordering::Acquire)
    }

    /// Closes the current epoch: new bursts enter the next one. Returns the closed one. Committer only.
    #[must_use]
    pub fn close(&self) -> Epoch {
        let closed = self.current.fetch_add(1, Ordering::AcqRel);
        // Pairs with the fence of a burst that enters: it sees the new number, or `is_inside` sees its pin.
        fence(Ordering::SeqCst);
        closed
    }

    /// Whether a burst is still inside `epoch`. Committer only, after closing it.
    #[must_use]
    pub fn is_inside(&self, epoch: Epoch) -> bool {
        self.pins.iter().any(|pin| pin.load(Ordering::Acquire) == epoch)
    }

    /// Announces that `epoch` is durable, as all before it are. Committer only; it then wakes those who wait for it.
    pub fn set_durable(&self, epoch: Epoch) {
        let before = self.durable.swap(epoch, Ordering::AcqRel);
        assert_eq!(before + 1, epoch, "epochs become durable one by one");
        // Pairs with the fence of a waiter: it sees this epoch, or the committer sees that it waits.
        fence(Ordering::SeqCst);
    }
}
