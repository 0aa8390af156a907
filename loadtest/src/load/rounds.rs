//! Batches that come and go: the claims of a run in rounds of equal length, each on batches of its own.
//!
//! A round is a stretch of slots on every connection. It is *open* once its batches exist, and over when all its claims
//! on all connections have their answer: then each connection has handed over its share of what was granted, and keeps
//! nothing of it. So memory is bounded by the rounds that are open at a time, however long the run is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use crate::proof::ledger::NO_SERIAL;

/// Which rounds may be claimed from.
#[derive(Debug, Default)]
pub struct Gate {
    /// Rounds whose batches exist, from the first round on. Written by the thread that creates them after the server
    /// has answered, read by the workers; it only grows. It guards no other memory.
    open: AtomicU64,
    /// Whether there will be no more: what the workers wait for does not come. Written once, likewise.
    is_shut: AtomicBool,
}

/// What one connection knows of one round.
#[derive(Clone, Debug)]
pub struct Share {
    /// Number of the connection.
    pub connection: u32,
    /// Number of the round.
    pub round: u64,
    /// Its first slot.
    pub first_slot: u64,
    /// By slot; empty if nothing was granted.
    pub serials: Vec<u32>,
    /// How many of them are serials.
    pub grants: u64,
    /// By place of the batch among those of the round: whether a claim was refused as sold out. Empty if none was.
    pub sold_out: Vec<bool>,
    answered: u64,
}

/// Where finished shares go; `None` says that there will be no more.
pub type ShareSender = Sender<Option<Share>>;

/// The rounds of one connection that are not over for it.
#[derive(Clone, Debug)]
pub struct Rounds {
    connection: u32,
    slots: u64,
    batches: usize,
    gate: Arc<Gate>,
    finished: ShareSender,
    /// The first one is round `first`.
    shares: VecDeque<Share>,
    first: u64,
}

impl Gate {
    /// From now on, claims of all rounds before `round` may leave.
    pub fn open_until(&self, round: u64) {
        self.open.store(round, Ordering::Relaxed);
    }

    /// Rounds that are open, from the first one on.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// No more rounds will be opened.
    pub fn shut(&self) {
        self.is_shut.store(true, Ordering::Relaxed);
    }

    /// Whether no more rounds will be opened.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Relaxed)
    }
}

impl Rounds {
    /// Rounds of `slots` slots on `connection`, each with so many batches.
    #[must_use]
    pub fn new(connection: u32, slots: u64, batches: u32, gate: Arc<Gate>, finished: ShareSender) -> Self {
        Self { connection, slots, batches: batches as usize, gate, finished, shares: VecDeque::new(), first: 0 }
    }

    /// Whether all slots before `slot` belong to the first `open` rounds.
    #[must_use]
    pub fn are_open(&self, slot: u64, open: u64) -> bool {
        slot <= open.saturating_mul(self.slots)
    }

    /// Whether all slots before `slot` may be claimed.
    #[must_use]
    #[inline]
    pub fn may_send(&self, slot: u64) -> bool {
        self.are_open(slot, self.gate.open())
    }

    /// The serial that the claim of `slot` got.
    #[must_use]
    pub fn serial(&self, slot: u64) -> Option<u32> {
        let share = self.shares.get(self.place(slot)?)?;
        let serial = share.serials.get(share.offset(slot)).copied();
        serial.filter(|serial| *serial != NO_SERIAL)
    }

    /// Records that the claim of `slot` got `serial`.
    pub fn record(&mut self, slot: u64, serial: u32) {
        let slots = usize::try_from(self.slots).expect("a round fits the memory");
        let share = self.share(slot);
        if share.serials.is_empty() {
            share.serials.resize(slots, NO_SERIAL);
        }
        let offset = share.offset(slot);
        share.serials[offset] = serial;
        share.grants += 1;
    }

    /// Records that the claim of `slot`, on batch `index` of the run, was refused as sold out.
    pub fn sold_out(&mut self, slot: u64, index: u32) {
        let batches = self.batches;
        let share = self.share(slot);
        share.sold_out.resize(batches, false);
        share.sold_out[index as usize % batches] = true;
    }

    /// `count` slots from `first_slot` on have their answer: hands over what is finished with them.
    pub fn answered(&mut self, first_slot: u64, count: u32) {
        let (mut slot, end) = (first_slot, first_slot + u64::from(count));
        while slot < end {
            let until = end.min((slot / self.slots + 1) * self.slots);
            self.share(slot).answered += until - slot;
            slot = until;
        }
        while self.shares.front().is_some_and(|share| share.answered == self.slots) {
            self.first += 1;
            // Whoever takes them outlives the load.
            let _ = self.finished.send(self.shares.pop_front());
        }
    }

    /// What is left at the end of the run.
    pub fn rest(&mut self) -> VecDeque<Share> {
        std::mem::take(&mut self.shares)
    }

    fn place(&self, slot: u64) -> Option<usize> {
        usize::try_from((slot / self.slots).checked_sub(self.first)?).ok()
    }

    /// The share of the round of `slot`, which is not over.
    fn share(&mut self, slot: u64) -> &mut Share {
        let place = self.place(slot).expect("a round is over only when all its slots have their answer");
        while self.shares.len() <= place {
            let round = self.first + self.shares.len() as u64;
            self.shares.push_back(Share {
                connection: self.connection,
                round,
                first_slot: round * self.slots,
                serials: Vec::new(),
                grants: 0,
                sold_out: Vec::new(),
                answered: 0,
            });
        }
        &mut self.shares[place]
    }
}

impl Share {
    fn offset(&self, slot: u64) -> usize {
        usize::try_from(slot - self.first_slot).expect("a slot of the round")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_share_is_handed_over_when_all_its_slots_have_their_answer() {
        let (finished, shares) = channel();
        let gate = Arc::new(Gate::default());
        let mut rounds = Rounds::new(3, 10, 2, Arc::clone(&gate), finished);
        assert!(rounds.may_send(0) && !rounds.may_send(1), "nothing is open");
        gate.open_until(2);
        assert!(rounds.may_send(20) && !rounds.may_send(21));
        rounds.record(4, 77);
        rounds.record(12, 5);
        rounds.sold_out(13, 3);
        rounds.answered(8, 8);
        assert!(shares.try_recv().is_err(), "eight of the first round's slots have no answer");
        assert_eq!([4, 5, 12].map(|slot| rounds.serial(slot)), [Some(77), None, Some(5)]);
        rounds.answered(0, 8);
        let first = shares.try_recv().unwrap().unwrap();
        assert_eq!((first.connection, first.round, first.first_slot, first.grants), (3, 0, 0, 1));
        assert_eq!((first.serials[4], first.serials.len(), first.sold_out.len()), (77, 10, 0));
        assert_eq!((rounds.serial(4), rounds.serial(12)), (None, Some(5)), "what is handed over is forgotten");
        let rest = rounds.rest();
        assert_eq!(
            (rest.len(), rest[0].round, rest[0].first_slot, &rest[0].sold_out[..]),
            (1, 1, 10, &[false, true][..])
        );
    }
}
