//! A shard's part of a restart: puts claims aside as the journal brings them, and looks at all of them at the end.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::coupon::Verdict;
use super::index::Index;
use super::recent::{Moment, Recent};
use super::record::{INLINE_CLAIMS_MAX, PLACED_TOGETHER};
use super::shard::{SCANNED_MAX, Shard, index};
use super::slot::{Asked, Kind, Phase, Slot};
use super::staged::{Broken, Move, Staged, StagedMove};
use crate::stock::{Day, Runs};
use crate::types::Epoch;

/// Everything that a restart reads is durable.
fn past(day: Day) -> Moment {
    Moment { day, epoch: 0, durable: Epoch::MAX, core: 0 }
}

impl Shard {
    /// Takes in a claim without a look at it; [`Shard::settle`] looks at all of them. `due_ms` is when a reservation
    /// expires.
    #[inline]
    pub(super) fn stage(
        &mut self,
        (user, request): (u64, u64),
        (asked, runs): (Asked, &Runs),
        (day, due_ms): (Day, u64),
        epoch: Epoch,
        staged: &mut Staged,
    ) {
        let (mut slot, number) = (self.slot(user, request, asked, runs), self.claims.len());
        if asked.reserves {
            slot = self.held(slot, due_ms);
        } else {
            self.claimed += u64::from(slot.granted);
        }
        self.note_day(index(number), day);
        self.claims.push(slot);
        staged.note(number, epoch);
    }

    /// Looks at what was staged, in order, and makes the index. What breaks a promise is `wrong`.
    pub(super) fn settle(
        &mut self,
        staged: &Staged,
        limit: Option<u32>,
        hasher: &RandomState,
        wrong: &mut dyn FnMut(Epoch, Broken),
    ) {
        if staged.is_empty() {
            return;
        }
        // What is given back later must not count: then the limit is looked at last.
        let at_once = limit.filter(|_| staged.moves.is_empty());
        let broken = match self.settle_in_place(at_once, hasher) {
            Some(broken) => broken,
            None => self.settle_anew(at_once, hasher),
        };
        broken.into_iter().for_each(|(number, broken)| wrong(staged.epoch(number), broken));
        self.settle_moves(&staged.moves, hasher, wrong);
        if let Some(limit) = limit.filter(|_| !staged.moves.is_empty()) {
            self.settle_limit(limit, hasher, &mut |place, broken| wrong(staged.epoch(place), broken));
        }
        if self.rare.as_ref().is_some_and(|rare| rare.is_unused()) {
            self.rare = None;
        }
    }

    /// Leaves the claims where they are. `None` when a user has too many for that; then nothing is right yet.
    fn settle_in_place(&mut self, limit: Option<u32>, hasher: &RandomState) -> Option<Vec<(usize, Broken)>> {
        let (claims, mut broken) = (self.claims.len(), Vec::new());
        if claims <= SCANNED_MAX {
            let few = self.claims.newest();
            for (number, slot) in few.iter().enumerate() {
                check(number, slot, few[..number].iter(), limit, &mut broken)?;
            }
            return Some(broken);
        }
        let mut index_of_all = Index::for_claims(claims, self.phase);
        let mut ahead = [0; PLACED_TOGETHER];
        for first in (0..claims).step_by(PLACED_TOGETHER) {
            let numbers = first..(first + PLACED_TOGETHER).min(claims);
            for (hash, number) in ahead.iter_mut().zip(numbers.clone()) {
                *hash = hasher.hash_one(self.claims.get(index(number)).user);
                index_of_all.prefetch(*hash);
            }
            for (hash, number) in ahead.iter().zip(numbers) {
                let slot = self.claims.get(index(number));
                let before = index_of_all.places(*hash).map(|place| self.claims.get(place));
                check(number, slot, before, limit, &mut broken)?;
                index_of_all.insert(*hash, index(number));
            }
        }
        self.index = index_of_all;
        Some(broken)
    }

    /// Takes one claim after the other in, as if they came now.
    fn settle_anew(&mut self, limit: Option<u32>, hasher: &RandomState) -> Vec<(usize, Broken)> {
        let days = (0..self.claims.len()).map(|number| self.day_of(index(number))).collect::<Vec<_>>();
        let (claims, mut broken) = (std::mem::take(&mut self.claims), Vec::new());
        self.rare_mut().days.clear();
        self.index = Index::for_claims(claims.len(), self.phase);
        for (number, (slot, day)) in claims.iter().zip(days).enumerate() {
            let (user, request, hash, now) = (slot.user, slot.request, hasher.hash_one(slot.user), past(day));
            let found = self.find(hash, user, request, &now);
            if found.claim.is_some() {
                broken.push((number, Broken::Repeated { user, request }));
                continue;
            }
            let units = found.units + u32::from(slot.granted);
            if limit.is_some_and(|limit| units > limit) {
                broken.push((number, Broken::OverLimit { user, units }));
            }
            self.insert_slot(hash, found.standing, *slot, &now, hasher);
        }
        broken
    }

    fn settle_moves(&mut self, moves: &[StagedMove], hasher: &RandomState, wrong: &mut dyn FnMut(Epoch, Broken)) {
        let mut ahead = [0; PLACED_TOGETHER];
        for together in moves.chunks(PLACED_TOGETHER) {
            for (hash, moved) in ahead.iter_mut().zip(together) {
                *hash = hasher.hash_one(moved.user);
                if !self.index.words().is_empty() {
                    self.index.prefetch(*hash);
                }
            }
            for (hash, moved) in ahead.iter().zip(together) {
                if let Err((what, step)) = self.settle_move(*hash, moved, hasher) {
                    wrong(moved.epoch, Broken::Impossible { user: moved.user, what, step });
                }
            }
        }
        if let Some(rare) = &mut self.rare {
            rare.recent = Recent::default();
        }
    }

    fn settle_move(&mut self, hash: u64, moved: &StagedMove, hasher: &RandomState) -> Result<(), (u64, &'static str)> {
        let (now, user, request) = (past(self.last_day.0), moved.user, moved.request);
        if let Move::Coupon(change) = &moved.moved {
            let serial = u64::from(change.serial);
            let unit =
                self.unit(hash, user, change.serial).ok_or((serial, "a coupon changes that the user has not"))?;
            if unit.phase != Phase::Granted {
                return Err((serial, "a unit changes that is no coupon"));
            }
            // Nothing expires in a replay: that it had not was decided then.
            let verdict = unit.coupon.verdict(change.action, change.order, false);
            if !matches!(verdict, Verdict::Changes | Verdict::Marks) {
                return Err((serial, "a coupon changes in a way that its state does not allow"));
            }
            self.change_coupon(&unit, change, verdict == Verdict::Marks, &now);
            return Ok(());
        }
        let look = self.find(hash, user, request, &now);
        if matches!(moved.moved, Move::Mark) {
            if look.claim.is_some() {
                return Err((request, "a reservation is cancelled ahead that was there"));
            }
            self.insert_mark((user, hash), look.standing, request, &now, hasher);
            return Ok(());
        }
        let claim = look.claim.filter(|claim| claim.phase == Phase::Reserved);
        let place = claim.ok_or((request, "something ends that is not reserved"))?.place;
        match moved.moved {
            Move::Confirm => self.confirm(place, look.standing, &now),
            Move::Cancel { stranded } => self.give_up(place, look.standing, Phase::Cancelled, stranded, &now),
            Move::Lapse { stranded } => self.give_up(place, look.standing, Phase::Lapsed, stranded, &now),
            Move::Extend { due_ms, ttl_s } => self.extend(place, due_ms, ttl_s, &now),
            Move::Mark | Move::Coupon(_) => unreachable!("they were handled"),
        }
        Ok(())
    }

    /// Holds what every user holds at the end against the limit.
    fn settle_limit(&self, limit: u32, hasher: &RandomState, wrong: &mut dyn FnMut(usize, Broken)) {
        for (place, slot) in (0..).zip(self.claims.iter()) {
            let (user, mut units) = (slot.user, 0);
            if slot.is_unindexed() {
                continue;
            }
            let mut is_first = true;
            self.for_each_of(hasher.hash_one(user), user, |other, slot| {
                is_first &= other >= place;
                units += match slot.kind() {
                    Kind::Busy => self.rare().busy[slot.place as usize].units,
                    Kind::OneRun | Kind::Split => slot.held(),
                };
            });
            if is_first && units > limit {
                wrong(place as usize, Broken::OverLimit { user, units });
            }
        }
    }
}

/// Holds a staged claim against those of its hash before it. `None` when its user has too many for the index.
fn check<'a>(
    number: usize,
    slot: &Slot,
    before: impl Iterator<Item = &'a Slot>,
    limit: Option<u32>,
    broken: &mut Vec<(usize, Broken)>,
) -> Option<()> {
    let (user, request) = (slot.user, slot.request);
    let (mut claims, mut units) = (0, u32::from(slot.granted));
    for other in before.filter(|other| other.user == user) {
        claims += 1;
        units += u32::from(other.granted);
        if other.request == request {
            broken.push((number, Broken::Repeated { user, request }));
        }
    }
    if limit.is_some_and(|limit| units > limit) {
        broken.push((number, Broken::OverLimit { user, units }));
    }
    (claims < INLINE_CLAIMS_MAX).then_some(())
}
