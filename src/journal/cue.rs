//! The committer's cue: which epoch wants to be committed, and the committer's sleep until then.
//!
//! No cue is lost: a core raises `published`, then looks whether the committer sleeps; the committer says that it
//! sleeps, then looks at `published`. Both looks at `published` are read-modify-writes, and those of one atomic have
//! one order: either the committer finds the core's epoch, or the core has read from the committer and sees that it
//! sleeps. (So a core needs no fence for it, which would be dearer than everything else here.)

use std::sync::OnceLock;

use super::sync::{AtomicBool, AtomicU64, Ordering, Thread, current, park};
use crate::types::Epoch;

/// See the module.
pub(super) struct Cue {
    /// Newest epoch that a core left with something taken in it. Raised by cores (release), read by the committer.
    published: AtomicU64,
    /// Whether the committer sleeps or is about to. It sets this; a core that clears it wakes the committer. Every
    /// change is a swap, so each follows the one that it read.
    sleeps: AtomicBool,
    /// Set once: the committer ends when nothing is left.
    stopping: AtomicBool,
    /// Known before `sleeps` is set for the first time.
    committer: OnceLock<Thread>,
}

impl Cue {
    /// A cue for a committer for whom all epochs up to `closed` are done.
    pub(super) fn new(closed: Epoch) -> Self {
        Self {
            published: AtomicU64::new(closed),
            sleeps: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            committer: OnceLock::new(),
        }
    }

    /// Tells the committer that a burst took something in `epoch`, or before it, and has left.
    pub(super) fn give(&self, epoch: Epoch) {
        self.published.fetch_max(epoch, Ordering::AcqRel);
        if self.sleeps.load(Ordering::Acquire) && self.sleeps.swap(false, Ordering::AcqRel) {
            self.committer.get().expect("only a committer that is known sleeps").unpark();
        }
    }

    /// Lets `committer` end once nothing is left. No cue may be given any more.
    pub(super) fn stop(&self, committer: &Thread) {
        self.stopping.store(true, Ordering::Release);
        committer.unpark();
    }

    /// Sleeps until an epoch after `closed` wants to be committed. False when the committer shall end and nothing is
    /// left. Committer only, always the same thread.
    pub(super) fn wait(&self, closed: Epoch) -> bool {
        self.committer.get_or_init(current);
        loop {
            // Before `published`: what was handed in before the stop must be found after it.
            let stopping = self.stopping.load(Ordering::Acquire);
            if self.published.load(Ordering::Acquire) > closed {
                return true;
            }
            if stopping {
                return false;
            }
            self.sleeps.swap(true, Ordering::AcqRel);
            let published = self.published.fetch_max(closed, Ordering::AcqRel);
            if published <= closed {
                // Returns at once after a cue or a stop that came since.
                park();
            }
            self.sleeps.swap(false, Ordering::AcqRel);
        }
    }
}
