//! One user's entry in the table, locked: everything that a request does with its user happens here.

use foldhash::fast::RandomState;
use parking_lot::MutexGuard;

use super::moves::Due;
use super::recent::Moment;
use super::redeem::{CouponChange, Unit};
use super::shard::{Look, Shard, Standing};
use super::slot::{Asked, Claim, Phase};
use super::table::{ClaimRef, HashedUser, Lane};
use crate::stock::{Day, Runs};

/// One user's claims, locked. Other requests of the user (and of others in the shard) wait until it is dropped.
pub struct Entry<'a> {
    lane: &'a Lane,
    /// The lane's number.
    number: u16,
    shard: MutexGuard<'a, Shard>,
    hasher: &'a RandomState,
    user: HashedUser,
    /// What the last look found.
    standing: Standing,
}

impl<'a> Entry<'a> {
    pub(super) fn new(
        (lane, number): (&'a Lane, u16),
        shard: MutexGuard<'a, Shard>,
        hasher: &'a RandomState,
        user: HashedUser,
    ) -> Self {
        Self { lane, number, shard, hasher, user, standing: Standing::default() }
    }

    /// What the user holds, and what became of `request` if it took effect.
    #[must_use]
    #[inline]
    pub fn find(&mut self, request: u64, now: &Moment) -> Look {
        let look = self.shard.find(self.user.hash, self.user.user, request, now);
        self.standing = look.standing;
        look
    }

    /// Whether the table was given back.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shard.is_closed()
    }

    /// Records a grant. The last [`Entry::find`] must have been for this request and not have found it.
    ///
    /// # Panics
    /// When the grant is empty or larger than what was asked for.
    #[inline]
    pub fn insert(&mut self, request: u64, asked: Asked, runs: &Runs, now: &Moment) {
        let HashedUser { user, hash } = self.user;
        self.shard.insert((user, hash), self.standing, request, (asked, runs), now, self.hasher);
        self.lane.note(&self.shard);
    }

    /// Records a reservation in the same way, which expires at `due_ms` of the running clock.
    pub fn insert_reserved(
        &mut self,
        request: u64,
        asked: Asked,
        runs: &Runs,
        (now, due_ms): (&Moment, u64),
    ) -> ClaimRef {
        let HashedUser { user, hash } = self.user;
        let (claim, when) = ((asked, runs), (now, due_ms));
        let place = self.shard.insert_reserved((user, hash), self.standing, request, claim, when, self.hasher);
        self.lane.note(&self.shard);
        self.claim_ref(place)
    }

    /// Remembers that a reservation which has not come was cancelled. The last [`Entry::find`] must have been for this
    /// request and not have found it.
    pub fn insert_mark(&mut self, request: u64, now: &Moment) {
        let HashedUser { user, hash } = self.user;
        self.shard.insert_mark((user, hash), self.standing, request, now, self.hasher);
        self.lane.note(&self.shard);
    }

    /// Whether a change of the claim that the last [`Entry::find`] found would overtake nothing that is not durable.
    #[must_use]
    pub fn may_settle(&self, claim: &Claim, now: &Moment) -> bool {
        self.shard.may_change(claim.place, None, now)
    }

    /// When a claim is due to expire, by the running clock.
    #[must_use]
    pub fn due(&self, claim: &Claim, running_ms: u64) -> Due {
        match self.shard.hold_of(claim.place) {
            None => Due::Never,
            Some(hold) if hold.due_ms <= running_ms => Due::Now,
            Some(hold) => Due::At(hold.due_ms),
        }
    }

    /// By how many seconds a reservation was extended, if it was.
    #[must_use]
    pub fn extended_s(&self, claim: &Claim) -> Option<u16> {
        self.shard.hold_of(claim.place).map(|hold| hold.extended_s).filter(|extended_s| *extended_s > 0)
    }

    /// Makes a reserved claim, which the last [`Entry::find`] found, a grant.
    pub fn confirm(&mut self, claim: &Claim, now: &Moment) {
        self.shard.confirm(claim.place, self.standing, now);
    }

    /// Ends such a claim: its units come back, or are `stranded`.
    pub fn give_up(&mut self, claim: &Claim, how: Phase, stranded: bool, now: &Moment) {
        self.shard.give_up(claim.place, self.standing, how, stranded, now);
    }

    /// Lets such a claim live until `due_ms`, if that is longer.
    pub fn extend(&mut self, claim: &Claim, due_ms: u64, ttl_s: u16, now: &Moment) {
        self.shard.extend(claim.place, due_ms, ttl_s, now);
    }

    /// The day on which a claim was taken.
    #[must_use]
    pub fn day_of(&self, claim: &Claim) -> Day {
        self.shard.day_of(claim.place)
    }

    /// Where a claim stands.
    #[must_use]
    pub fn claim_ref(&self, place: u32) -> ClaimRef {
        ClaimRef { lane: self.number, place }
    }

    /// The unit `serial`, if the user took it.
    #[must_use]
    pub fn unit(&mut self, serial: u32) -> Option<Unit> {
        self.shard.unit(self.user.hash, self.user.user, serial)
    }

    /// Whether a change of a coupon would overtake nothing that is not durable.
    #[must_use]
    pub fn may_change(&self, unit: &Unit, serial: u32, now: &Moment) -> bool {
        self.shard.may_change(unit.place, Some(serial), now)
    }

    /// Does to a coupon what its verdict allowed. `marks` says that the order only gives up what it never had.
    pub fn change_coupon(&mut self, unit: &Unit, change: &CouponChange, marks: bool, now: &Moment) {
        self.shard.change_coupon(unit, change, marks, now);
    }
}
