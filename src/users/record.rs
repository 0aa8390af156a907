//! A shard takes a claim in: its slot, and its place in the index.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::busy::BusyUser;
use super::holds::Hold;
use super::recent::Moment;
use super::shard::{SCANNED_MAX, Shard, Standing, index};
use super::slot::{Asked, Kind, Phase, Slot};
use crate::stock::Runs;

/// Claims of one user that stand in the index.
pub(super) const INLINE_CLAIMS_MAX: usize = 8;

/// Claims whose memory is fetched before the first of them is put into an index.
pub(super) const PLACED_TOGETHER: usize = 16;

impl Shard {
    /// Records a claim that [`Shard::find`] did not find, for a user of this hash and of the standing that it found.
    /// `hasher` tells the hash of other users. Returns its place.
    #[inline]
    pub(super) fn insert(
        &mut self,
        (user, hash): (u64, u64),
        standing: Standing,
        request: u64,
        (asked, runs): (Asked, &Runs),
        now: &Moment,
        hasher: &RandomState,
    ) -> u32 {
        let slot = self.slot(user, request, asked, runs);
        if !asked.reserves {
            self.claimed += u64::from(slot.granted);
        }
        self.insert_slot(hash, standing, slot, now, hasher)
    }

    /// Records a reservation in the same way, which expires at `due_ms` of the running clock.
    pub(super) fn insert_reserved(
        &mut self,
        user: (u64, u64),
        standing: Standing,
        request: u64,
        claim: (Asked, &Runs),
        (now, due_ms): (&Moment, u64),
        hasher: &RandomState,
    ) -> u32 {
        let slot = self.slot(user.0, request, claim.0, claim.1);
        let slot = self.held(slot, due_ms);
        self.insert_slot(user.1, standing, slot, now, hasher)
    }

    /// The slot of a reservation: it refers to a hold.
    pub(super) fn held(&mut self, mut slot: Slot, due_ms: u64) -> Slot {
        let rare = self.rare_mut();
        rare.tally.reserved += u64::from(slot.granted);
        slot.place = rare.holds.put(Hold { due_ms, place: slot.place, extended_s: 0 });
        slot.set_phase(Phase::Reserved);
        slot
    }

    /// Remembers that a reservation which has not come was cancelled.
    pub(super) fn insert_mark(
        &mut self,
        (user, hash): (u64, u64),
        standing: Standing,
        request: u64,
        now: &Moment,
        hasher: &RandomState,
    ) -> u32 {
        let nothing = Asked { quantity: 0, mode: crate::stock::Mode::AllOrNothing, reserves: true };
        let mut slot = Slot::new(user, request, (nothing, 0), Kind::OneRun, 0);
        slot.set_phase(Phase::Mark);
        self.rare_mut().ended += 1;
        self.insert_slot(hash, standing, slot, now, hasher)
    }

    #[inline]
    pub(super) fn slot(&mut self, user: u64, request: u64, asked: Asked, runs: &Runs) -> Slot {
        assert!(!self.is_closed(), "a closed batch grants nothing");
        let granted = u8::try_from(runs.units()).expect("a claim asks for at most 255 units");
        assert!(granted > 0 && granted <= asked.quantity, "granted {granted} of {}", asked.quantity);
        let (kind, place) = if runs.is_one_run() {
            (Kind::OneRun, runs.first().first)
        } else {
            let splits = &mut self.rare_mut().splits;
            splits.push(runs.clone());
            (Kind::Split, index(splits.len() - 1))
        };
        Slot::new(user, request, (asked, granted), kind, place)
    }

    #[inline]
    pub(super) fn insert_slot(
        &mut self,
        hash: u64,
        standing: Standing,
        slot: Slot,
        now: &Moment,
        hasher: &RandomState,
    ) -> u32 {
        if standing.busy.is_none() && standing.inline < INLINE_CLAIMS_MAX {
            return self.place(hash, slot, now, hasher);
        }
        self.insert_busy(hash, standing, slot, now, hasher)
    }

    /// The same for a user who has too many claims for the index.
    #[cold]
    fn insert_busy(
        &mut self,
        hash: u64,
        standing: Standing,
        mut slot: Slot,
        now: &Moment,
        hasher: &RandomState,
    ) -> u32 {
        let busy = standing.busy.unwrap_or_else(|| {
            let rare = self.rare_mut();
            rare.busy.push(BusyUser::default());
            let busy = index(rare.busy.len() - 1);
            let nothing = (slot.asked(), 0);
            self.place(hash, Slot::new(slot.user, 0, nothing, Kind::Busy, busy), now, hasher);
            busy
        });
        slot.set_unindexed();
        let place = index(self.claims.len());
        self.note_day(place, now.day);
        self.fresh.note(place, now);
        let runs = self.runs(&slot);
        self.claims.push(slot);
        self.rare_mut().busy[busy as usize].add(place, &slot, &runs, now.day);
        place
    }

    #[inline]
    fn place(&mut self, hash: u64, slot: Slot, now: &Moment, hasher: &RandomState) -> u32 {
        let taken = self.claims.len();
        let place = index(taken);
        self.note_day(place, now.day);
        self.fresh.note(place, now);
        if taken >= SCANNED_MAX || !self.index.words().is_empty() {
            if !self.index.has_room(taken) {
                self.grow(hasher);
            }
            self.index.insert(hash, place);
        }
        self.claims.push(slot);
        place
    }

    /// Puts all claims into a larger index: some at once, so that their words arrive together.
    #[cold]
    fn grow(&mut self, hasher: &RandomState) {
        let mut larger = self.index.larger(self.phase);
        let mut all = (0..).zip(self.claims.iter()).filter(|(_, slot)| !slot.is_unindexed());
        let mut ahead = [(0, 0); PLACED_TOGETHER];
        loop {
            let mut count = 0;
            for (next, (place, slot)) in ahead.iter_mut().zip(&mut all) {
                *next = (hasher.hash_one(slot.user), place);
                larger.prefetch(next.0);
                count += 1;
            }
            if count == 0 {
                break;
            }
            ahead[..count].iter().for_each(|(hash, place)| larger.insert(*hash, *place));
        }
        self.index = larger;
    }
}
