//! How much of what is stored is still needed: when a checkpoint is worth its work, and of which depth.
//!
//! A checkpoint of one part would read and write all that is needed each time, a million closed batches' operations
//! too. So it has two: one that is written again only when half of it is dead, or half as much came after it.

use parking_lot::Mutex;

use super::fates::{Ended, Fate, Fates};
use super::replay::{Depth, Replay};
use crate::types::{BatchId, Epoch};

/// Bytes of a claim that go with it: its user and its request. (Its share of a run goes too; that is not counted.)
const CLAIM_BYTES: u64 = 16;

/// Bytes that the operations of a batch which was purged took, at least.
const BATCH_BYTES: u64 = 192;

/// Bytes that a group has besides its columns. A checkpoint has a few large groups instead of many small ones.
const GROUP_BYTES: u64 = 80;

/// See the module. Bytes are those of groups; what the store adds is not known here.
#[derive(Default)]
pub struct Usage {
    parts: Mutex<Parts>,
    /// Batches of which not all that is stored is needed any more, in the order in which that became known.
    ended: Mutex<Vec<Ended>>,
}

#[derive(Clone, Copy, Default)]
struct Parts {
    /// The checkpoint's base.
    base: Bytes,
    /// What came after it.
    recent: Bytes,
}

#[derive(Clone, Copy, Default)]
struct Bytes {
    stored: u64,
    /// A lower bound.
    dead: u64,
}

impl Bytes {
    fn needed(self) -> u64 {
        self.stored.saturating_sub(self.dead)
    }

    /// Bytes that must be dead for a checkpoint to be due: `least`, and half of what it must write.
    fn due(self, least: u64) -> u64 {
        least.max(self.needed() / 2)
    }

    fn is_due(self, least: u64) -> bool {
        self.dead >= self.due(least)
    }
}

/// A checkpoint that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) depth: Depth,
    /// Bytes that it reads.
    pub(super) read_bytes: u64,
    /// Those of them that came after the base.
    pub(super) recent_bytes: u64,
    /// How much of those is dead, and how much must be.
    pub(super) dead_bytes: u64,
    pub(super) threshold_bytes: u64,
    /// Bytes that it writes, at most.
    pub(super) needed_bytes: u64,
}

/// What a checkpoint begins with.
pub(super) struct Begun {
    pub(super) fates: Fates,
    /// How many batches that ended were looked at.
    known: usize,
    /// It replaces what is stored up to here.
    up_to: Epoch,
}

impl Usage {
    /// This was read at a start.
    #[must_use]
    pub fn of(read: &Replay) -> Self {
        let base = Bytes { stored: read.base_bytes, dead: 0 };
        let recent = Bytes { stored: read.bytes - read.base_bytes, dead: read.groups * GROUP_BYTES };
        Self { parts: Mutex::new(Parts { base, recent }), ended: Mutex::default() }
    }

    /// A group of so many bytes is stored.
    pub fn wrote(&self, bytes: usize) {
        let recent = &mut self.parts.lock().recent;
        recent.stored += bytes as u64;
        recent.dead += GROUP_BYTES;
    }

    /// A batch has closed by a durable record of `epoch`, with so many claims.
    pub fn closed(&self, batch: BatchId, epoch: Epoch, claims: u64) {
        if claims > 0 {
            self.end(Ended { batch, epoch, fate: Fate::Closed, bytes: claims * CLAIM_BYTES });
        }
    }

    /// A batch was purged by a durable record of `epoch`.
    pub fn purged(&self, batch: BatchId, epoch: Epoch) {
        self.end(Ended { batch, epoch, fate: Fate::Purged, bytes: BATCH_BYTES });
    }

    /// Bytes of all groups, those of the checkpoint included.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        let Parts { base, recent } = *self.parts.lock();
        base.stored + recent.stored
    }

    /// Bytes that a checkpoint would give back, at least.
    #[must_use]
    pub fn dead_bytes(&self) -> u64 {
        let Parts { base, recent } = *self.parts.lock();
        base.dead + recent.dead
    }

    /// The checkpoint that is due, if one is: it gives back `least` bytes, and half of what it must write.
    pub(super) fn due(&self, least: u64) -> Option<Due> {
        let Parts { base, recent } = *self.parts.lock();
        if !base.is_due(least) && !recent.is_due(least) {
            return None;
        }
        let is_whole = base.is_due(least) || recent.needed() >= base.needed() / 2;
        let (depth, old) = if is_whole { (Depth::Whole, base) } else { (Depth::Recent, Bytes::default()) };
        Some(Due {
            depth,
            read_bytes: old.stored + recent.stored,
            recent_bytes: recent.stored,
            dead_bytes: recent.dead,
            threshold_bytes: recent.due(least),
            needed_bytes: old.needed() + recent.needed(),
        })
    }

    /// What a checkpoint up to `epoch` leaves out: of the batches that ended before, as far as it is known.
    pub(super) fn begin(&self, epoch: Epoch) -> Begun {
        let ended = self.ended.lock();
        let fates = ended.iter().filter(|ended| ended.epoch < epoch).copied().collect();
        Begun { fates, known: ended.len(), up_to: epoch }
    }

    /// That checkpoint was taken, with this depth: it replaced `before` bytes by `after`. `began` tells when a batch
    /// that it had a fate for was created, if it read that too: nothing of such a batch is left.
    pub(super) fn condensed(
        &self,
        begun: &Begun,
        depth: Depth,
        (before, after): (u64, u64),
        began: &dyn Fn(BatchId) -> Option<Epoch>,
    ) {
        let (mut number, mut left) = (0, 0);
        self.ended.lock().retain_mut(|ended| {
            number += 1;
            if number > begun.known || ended.epoch >= begun.up_to {
                return true;
            }
            let is_done = depth == Depth::Whole || began(ended.batch).is_some_and(|epoch| epoch <= ended.epoch);
            if !is_done {
                left += std::mem::take(&mut ended.bytes);
            }
            !is_done
        });
        let less = |bytes: &mut u64, by: u64| *bytes = bytes.saturating_sub(by);
        let given_back = before.saturating_sub(after);
        let Parts { base, recent } = &mut *self.parts.lock();
        match depth {
            Depth::Recent => {
                less(&mut recent.stored, given_back);
                // What is left lies in the base.
                less(&mut recent.dead, given_back + left);
                base.dead += left;
            }
            Depth::Whole => {
                less(&mut recent.stored, before.saturating_sub(base.stored));
                less(&mut recent.dead, given_back.saturating_sub(base.dead));
                *base = Bytes { stored: after, dead: 0 };
            }
        }
    }

    fn end(&self, ended: Ended) {
        self.ended.lock().push(ended);
        self.parts.lock().recent.dead += ended.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn what_ends_while_a_checkpoint_is_taken_is_left_to_the_next_one() {
        let usage = Usage::default();
        usage.closed(1, 5, 10);
        usage.closed(2, 9, 10);
        let begun = usage.begin(9);
        assert_eq!((begun.fates.of(1, 3), begun.fates.of(2, 3)), (Some(Fate::Closed), None));
        // Durable before the checkpoint began, and told after that.
        usage.purged(3, 6);
        usage.condensed(&begun, Depth::Whole, (1_000, 100), &|_| None);
        let fates = usage.begin(10).fates;
        assert_eq!((fates.of(1, 3), fates.of(2, 3), fates.of(3, 6)), (None, Some(Fate::Closed), Some(Fate::Purged)));
        assert_eq!(fates.of(3, 7), None, "the id is used again");
    }

    #[test]
    fn the_base_is_written_again_when_half_of_it_is_dead_or_half_as_much_came_after_it() {
        let usage = Usage::of(&Replay { base_bytes: 100 * MIB, bytes: 100 * MIB, ..Replay::default() });
        let due = |usage: &Usage| usage.due(MIB).map(|due| (due.depth, due.read_bytes / MIB));
        assert_eq!(due(&usage), None);
        // Ten MiB came, of which two are dead: not worth it. Then five.
        usage.wrote(10 << 20);
        usage.closed(1, 2, 2 * MIB / CLAIM_BYTES);
        assert_eq!(due(&usage), None);
        usage.closed(2, 3, 3 * MIB / CLAIM_BYTES);
        assert_eq!(due(&usage), Some((Depth::Recent, 10)));
        // The second one began before the base: what is dead of it, only the whole gives back.
        usage.condensed(&usage.begin(4), Depth::Recent, (10 * MIB, 8 * MIB), &|batch| Some(1).filter(|_| batch == 1));
        assert_eq!((due(&usage), usage.dead_bytes() / MIB, usage.stored_bytes() / MIB), (None, 3, 108));
        assert_eq!((usage.begin(4).fates.of(1, 2), usage.begin(4).fates.of(2, 2)), (None, Some(Fate::Closed)));
        // Much of the base dies at once.
        usage.closed(3, 5, 40 * MIB / CLAIM_BYTES);
        assert_eq!(due(&usage), Some((Depth::Recent, 8)), "nobody knows yet where it lies");
        usage.condensed(&usage.begin(6), Depth::Recent, (8 * MIB, 8 * MIB), &|_| None);
        assert_eq!(due(&usage), Some((Depth::Whole, 108)));
        usage.condensed(&usage.begin(6), Depth::Whole, (108 * MIB, 65 * MIB), &|_| None);
        assert_eq!((due(&usage), usage.dead_bytes() / MIB, usage.stored_bytes() / MIB), (None, 0, 65));
        // Half as much came after it.
        usage.wrote(50 << 20);
        usage.closed(4, 8, 17 * MIB / CLAIM_BYTES);
        assert_eq!(due(&usage), Some((Depth::Whole, 115)));
    }
}
