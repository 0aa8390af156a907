//! The table of one batch: shards, each behind its own lock.

use std::hash::BuildHasher;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;
use parking_lot::Mutex;

use super::coupon::Coupon;
use super::entry::Entry;
use super::shard::Shard;
use super::slot::Slot;
use super::tally::Tally;
use crate::stock::Day;

/// Units of stock for which another shard is worth its memory.
const STOCK_PER_SHARD: u32 = 512;

/// Locks of one table: a claim names its lane by 16 bits.
const LANES_MAX: u32 = 1 << 15;

/// Who holds what of one batch.
///
/// The hash of a user id is keyed with a random number of this process, so that nobody can choose ids that collide.
pub struct Users {
    /// A power of two of them, made when the first claim comes. Which one: the low bits of the hash; the place within:
    /// the others.
    pub(super) lanes: OnceLock<Box<[CachePadded<Lane>]>>,
    lanes_wanted: u32,
    pub(super) hasher: RandomState,
}

/// A shard behind its lock.
pub(super) struct Lane {
    pub(super) shard: Mutex<Shard>,
    /// Where the shard's index lies and how many words it has, for prefetching only: may be out of date.
    pub(super) words: AtomicPtr<u32>,
    pub(super) length: AtomicUsize,
    /// Where the next claim goes, or all claims stand while there is no index; the same.
    pub(super) claims: AtomicPtr<Slot>,
}

/// Where a claim stands: its lane, and its place there. It stays as long as the batch is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimRef {
    pub(super) lane: u16,
    pub(super) place: u32,
}

/// A user and the place in one table that the user's id stands for.
#[derive(Clone, Copy, Debug, Default)]
pub struct HashedUser {
    pub(super) user: u64,
    pub(super) hash: u64,
}

impl Users {
    /// A table for a batch of `stock` units, with at most `shards_max` locks. It takes no memory before its first
    /// claim.
    #[must_use]
    pub fn new(stock: u32, shards_max: u32) -> Self {
        let lanes_wanted = (stock / STOCK_PER_SHARD).clamp(1, shards_max.clamp(1, LANES_MAX)).next_power_of_two();
        Self { lanes: OnceLock::new(), lanes_wanted, hasher: RandomState::default() }
    }

    /// The user's place in this table.
    #[inline]
    #[must_use]
    pub fn hashed(&self, user: u64) -> HashedUser {
        HashedUser { user, hash: self.hasher.hash_one(user) }
    }

    /// Locks what is known of `user`.
    #[must_use]
    pub fn entry(&self, user: u64) -> Entry<'_> {
        self.entry_of(self.hashed(user))
    }

    /// The same for a user of this table whose place is known.
    #[inline]
    #[must_use]
    pub fn entry_of(&self, user: HashedUser) -> Entry<'_> {
        let lanes = self.lanes();
        let (lane, number) = (lane(lanes, user.hash), number(lanes, user.hash));
        Entry::new((lane, number), lane.shard.lock(), &self.hasher, user)
    }

    /// Locks the user of a claim, and names its request; `None` when the batch is closed.
    #[must_use]
    pub fn entry_at(&self, at: ClaimRef) -> Option<(Entry<'_>, u64, u64)> {
        let lane = self.lanes.get()?.get(usize::from(at.lane))?;
        let shard = lane.shard.lock();
        if shard.is_closed() {
            return None;
        }
        let (user, request) = (shard.claims().get(at.place).user, shard.claims().get(at.place).request);
        let entry = Entry::new((lane, at.lane), shard, &self.hasher, self.hashed(user));
        Some((entry, user, request))
    }

    /// What became of all units: shard by shard, not at one instant.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.lanes.get().into_iter().flatten().for_each(|lane| sum.add(&lane.shard.lock().tally()));
        sum
    }

    /// Calls `count` while no request is under way, with what became of all units.
    pub fn while_still<T>(&self, count: impl FnOnce(Tally) -> T) -> T {
        let shards = self.lanes.get().into_iter().flatten().map(|lane| lane.shard.lock()).collect::<Vec<_>>();
        let mut sum = Tally::default();
        shards.iter().for_each(|shard| sum.add(&shard.tally()));
        count(sum)
    }

    /// Coupons that have expired, as `has_expired` says of one that nobody has locked and that was taken on some day.
    /// Shard by shard, not at one instant.
    #[must_use]
    pub fn expired(&self, has_expired: &dyn Fn(&Coupon, Day) -> bool) -> u64 {
        self.lanes.get().into_iter().flatten().map(|lane| lane.shard.lock().expired(has_expired)).sum()
    }

    /// Reservations that ended without a grant, and cancellations of such as never came.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.lanes.get().into_iter().flatten().map(|lane| u64::from(lane.shard.lock().ended())).sum()
    }

    /// Visits all reserved claims, for a restart.
    pub fn for_each_hold(&self, mut visit: impl FnMut(ClaimRef, u64)) {
        for (index, lane) in (0..).zip(self.lanes.get().into_iter().flatten()) {
            let shard = lane.shard.lock();
            // Most batches have none, and claims are many.
            let has_some = shard.rare.as_ref().is_some_and(|rare| !rare.holds.is_empty());
            for place in (0..).take(if has_some { shard.claims().len() } else { 0 }) {
                if let Some(hold) = shard.hold_of(place) {
                    visit(ClaimRef { lane: index, place }, hold.due_ms);
                }
            }
        }
    }

    /// Gives all memory back, for good, and returns how many claims there were, and what became of their units. A table
    /// that was never used keeps one lane, to say that it is closed.
    pub fn close(&self) -> (u64, Tally) {
        let lanes = self.lanes.get_or_init(|| Box::new([CachePadded::new(Lane::new(Shard::default()))]));
        let (mut claims, mut tally) = (0, Tally::default());
        for (more, part) in lanes.iter().map(|lane| lane.shard.lock().close()) {
            claims += more;
            tally.add(&part);
        }
        (claims, tally)
    }

    /// Units of all users that were taken on a day and are still theirs.
    #[must_use]
    pub fn units_of_day(&self, day: Day) -> u64 {
        self.lanes.get().into_iter().flatten().map(|lane| lane.shard.lock().units_of_day(day)).sum()
    }

    #[cfg(test)]
    pub(super) fn lane_count(&self) -> usize {
        self.lanes().len()
    }

    /// Shards that the table has, or will have.
    pub(super) fn lanes_wanted(&self) -> usize {
        self.lanes_wanted as usize
    }

    /// Begins with these shards, all of the table.
    pub(super) fn begin_with(&self, shards: impl Iterator<Item = Shard>) {
        let lanes = shards.map(|shard| CachePadded::new(Lane::new(shard))).collect::<Box<[_]>>();
        lanes.iter().for_each(|lane| lane.note(&lane.shard.lock()));
        assert!(self.lanes.set(lanes).is_ok(), "nothing uses a table before it is filled");
    }

    fn lanes(&self) -> &[CachePadded<Lane>] {
        let wanted = self.lanes_wanted();
        let lane = |lane| CachePadded::new(Lane::new(Shard::new(phase(lane, wanted))));
        self.lanes.get_or_init(|| (0..wanted).map(lane).collect())
    }
}

impl Lane {
    fn new(shard: Shard) -> Self {
        let (words, length, claims) = (AtomicPtr::new(null_mut()), AtomicUsize::new(0), AtomicPtr::new(null_mut()));
        Self { shard: Mutex::new(shard), words, length, claims }
    }

    /// Notes where the shard's memory lies.
    #[inline]
    pub(super) fn note(&self, shard: &Shard) {
        let (words, claims) = (shard.index().words(), shard.claims());
        if words.len() != self.length.load(Ordering::Relaxed) {
            self.words.store(words.as_ptr().cast_mut(), Ordering::Relaxed);
            self.length.store(words.len(), Ordering::Relaxed);
        }
        let near = if words.is_empty() { claims.newest().as_ptr() } else { claims.tail() };
        self.claims.store(near.cast_mut(), Ordering::Relaxed);
    }
}

/// How far the growth of a shard's index is from that of the first one; see `Index::larger`.
pub(super) fn phase(lane: usize, lanes: usize) -> u8 {
    u8::try_from(lane * 256 / lanes).expect("there is no such lane")
}

/// The lane of a hash.
#[inline]
pub(super) fn lane(lanes: &[CachePadded<Lane>], hash: u64) -> &Lane {
    &lanes[usize::from(number(lanes, hash))]
}

/// The number of that lane.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted, and there are at most LANES_MAX")]
fn number(lanes: &[CachePadded<Lane>], hash: u64) -> u16 {
    (hash as usize & (lanes.len() - 1)) as u16
}
