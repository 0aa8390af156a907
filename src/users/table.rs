//! The table of one batch: shards, each behind its own lock.

use std::hash::BuildHasher;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};

use super::index::home;
use super::shard::{Shard, Standing};
use super::slot::{Asked, Held, Slot};
use super::staged::Broken;
use crate::prefetch::prefetch;
use crate::stock::Runs;
use crate::types::Epoch;

/// Units of stock for which another shard is worth its memory.
const STOCK_PER_SHARD: u32 = 512;

/// Who holds what of one batch.
///
/// The hash of a user id is keyed with a random number of this process, so that nobody can choose ids that collide.
pub struct Users {
    /// A power of two of them, made when the first claim comes. Which one: the low bits of the hash; the place within:
    /// the others.
    lanes: OnceLock<Box<[CachePadded<Lane>]>>,
    lanes_wanted: u32,
    hasher: RandomState,
}

/// A shard behind its lock.
struct Lane {
    shard: Mutex<Shard>,
    /// Where the shard's index lies and how many words it has, for prefetching only: may be out of date.
    words: AtomicPtr<u32>,
    length: AtomicUsize,
    /// Where the next claim goes, or all claims stand while there is no index; the same.
    claims: AtomicPtr<Slot>,
}

/// Words of the index that a look-up of a new user reads, rounded up to whole cache lines.
const WORDS_AHEAD: usize = 32;

/// Claims that are looked at, or written, at once.
const SLOTS_AHEAD: usize = 3;

/// One user's claims, locked. Other requests of the user (and of others in the shard) wait until it is dropped.
pub struct Entry<'a> {
    lane: &'a Lane,
    shard: MutexGuard<'a, Shard>,
    hasher: &'a RandomState,
    user: HashedUser,
    /// What the last look found.
    standing: Option<Standing>,
}

/// A user and the place in one table that the user's id stands for.
#[derive(Clone, Copy, Debug)]
pub struct HashedUser {
    user: u64,
    hash: u64,
}

impl Users {
    /// A table for a batch of `stock` units, with at most `shards_max` locks. It takes no memory before its first
    /// claim.
    #[must_use]
    pub fn new(stock: u32, shards_max: u32) -> Self {
        let lanes_wanted = (stock / STOCK_PER_SHARD).clamp(1, shards_max.max(1)).next_power_of_two();
        Self { lanes: OnceLock::new(), lanes_wanted, hasher: RandomState::default() }
    }

    /// The user's place in this table.
    #[inline]
    #[must_use]
    pub fn hashed(&self, user: u64) -> HashedUser {
        HashedUser { user, hash: self.hasher.hash_one(user) }
    }

    /// Asks the processor for the lock of a user's shard, and for where its memory lies.
    #[inline]
    pub fn prefetch_lane(&self, HashedUser { hash, .. }: HashedUser) {
        let Some(lanes) = self.lanes.get() else { return };
        prefetch(lane(lanes, hash), 1);
    }

    /// Asks the processor for the memory that a look at a user, and a grant to them, will need. Best when the lane is
    /// near.
    #[inline]
    pub fn prefetch(&self, HashedUser { hash, .. }: HashedUser) {
        let Some(lanes) = self.lanes.get() else { return };
        let lane = lane(lanes, hash);
        let (words, length) = (lane.words.load(Ordering::Relaxed), lane.length.load(Ordering::Relaxed));
        if length > 0 {
            prefetch(words.wrapping_add(home(hash, length)), WORDS_AHEAD);
        }
        prefetch(lane.claims.load(Ordering::Relaxed), SLOTS_AHEAD);
    }

    /// Locks what is known of `user`.
    #[must_use]
    pub fn entry(&self, user: u64) -> Entry<'_> {
        self.entry_of(self.hashed(user))
    }

    /// The same for a user of this table whose place is known.
    #[must_use]
    pub fn entry_of(&self, user: HashedUser) -> Entry<'_> {
        let lane = lane(self.lanes(), user.hash);
        Entry { lane, shard: lane.shard.lock(), hasher: &self.hasher, user, standing: None }
    }

    /// Units held by all users.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.lanes.get().into_iter().flatten().map(|lane| lane.shard.lock().units()).sum()
    }

    /// Gives all memory back, for good, and returns how many claims there were. A table that was never used keeps one
    /// lane, to say that it is closed.
    pub fn close(&self) -> u64 {
        let lanes = self.lanes.get_or_init(|| Box::new([CachePadded::new(Lane::new(0))]));
        lanes.iter().map(|lane| lane.shard.lock().close()).sum()
    }

    /// Which of `shares` parts of the table a user belongs to. Parts share nothing, so they can be filled at once.
    /// `salt` spreads the tables that are too small to have parts.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    pub fn share(&self, user: HashedUser, salt: u64, shares: usize) -> usize {
        share_of_lane(user.hash as usize & (self.lanes().len() - 1), salt, shares)
    }

    /// Takes in a claim of a restart without a look at it. False when the table is closed.
    #[must_use]
    pub fn stage(
        &self,
        HashedUser { user, hash }: HashedUser,
        request: u64,
        claim: (Asked, &Runs),
        epoch: Epoch,
    ) -> bool {
        lane(self.lanes(), hash).shard.lock().stage(user, request, claim, epoch)
    }

    /// Looks at all claims of one part that were taken in so: what breaks a promise is `wrong`.
    pub fn settle_share(
        &self,
        (share, salt, shares): (usize, u64, usize),
        limit: Option<u32>,
        wrong: &mut dyn FnMut(Epoch, Broken),
    ) {
        let rehash = |user| self.hasher.hash_one(user);
        for lane in self.lanes_of(share, salt, shares) {
            let mut shard = lane.shard.lock();
            shard.settle(limit, &rehash, wrong);
            lane.note(&shard);
        }
    }

    /// Gives the memory of one part back, for good.
    pub fn close_share(&self, share: usize, salt: u64, shares: usize) {
        self.lanes();
        for lane in self.lanes_of(share, salt, shares) {
            lane.shard.lock().close();
        }
    }

    /// The lanes of one part, if the table was ever used.
    fn lanes_of(&self, share: usize, salt: u64, shares: usize) -> impl Iterator<Item = &Lane> {
        let lanes = self.lanes.get().into_iter().flatten().enumerate();
        lanes.filter(move |(index, _)| share_of_lane(*index, salt, shares) == share).map(|(_, lane)| &**lane)
    }

    fn lanes(&self) -> &[CachePadded<Lane>] {
        let lane = |index: u32| {
            let phase = u64::from(index) * 256 / u64::from(self.lanes_wanted);
            CachePadded::new(Lane::new(u8::try_from(phase).expect("below 256")))
        };
        self.lanes.get_or_init(|| (0..self.lanes_wanted).map(lane).collect())
    }
}

impl Lane {
    fn new(phase: u8) -> Self {
        let (words, length, claims) = (AtomicPtr::new(null_mut()), AtomicUsize::new(0), AtomicPtr::new(null_mut()));
        Self { shard: Mutex::new(Shard::new(phase)), words, length, claims }
    }

    /// Notes where the shard's memory lies.
    #[inline]
    fn note(&self, shard: &Shard) {
        let (words, claims) = (shard.index().words(), shard.claims());
        if words.len() != self.length.load(Ordering::Relaxed) {
            self.words.store(words.as_ptr().cast_mut(), Ordering::Relaxed);
            self.length.store(words.len(), Ordering::Relaxed);
        }
        let near = if words.is_empty() { claims.first().as_ptr() } else { claims.tail() };
        self.claims.store(near.cast_mut(), Ordering::Relaxed);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
fn share_of_lane(lane: usize, salt: u64, shares: usize) -> usize {
    lane.wrapping_add(salt as usize) % shares
}

/// The lane of a hash.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
fn lane(lanes: &[CachePadded<Lane>], hash: u64) -> &Lane {
    &lanes[hash as usize & (lanes.len() - 1)]
}

impl Entry<'_> {
    /// Units that the user holds, and what became of `request` if it was granted.
    #[must_use]
    pub fn find(&mut self, request: u64) -> (u32, Option<Held>) {
        let found = self.shard.find(self.user.hash, self.user.user, request);
        self.standing = Some(found.standing());
        (found.units, found.held)
    }

    /// Whether the table was given back.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shard.is_closed()
    }

    /// Records a grant. [`Entry::find`] must not have found the request.
    ///
    /// # Panics
    /// When the grant is empty or larger than what was asked for.
    pub fn insert(&mut self, request: u64, asked: Asked, runs: &Runs) {
        let HashedUser { user, hash } = self.user;
        let standing = self.standing.take().unwrap_or_else(|| self.shard.find(hash, user, request).standing());
        let rehash = |user| self.hasher.hash_one(user);
        self.shard.insert((user, hash), standing, request, (asked, runs), &rehash);
        self.lane.note(&self.shard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::{Mode, Run};

    const ONE: Asked = Asked { quantity: 1, mode: Mode::AllOrNothing };

    #[test]
    fn many_users_and_one_busy_user_are_all_found_again() {
        let users = Users::new(10_000, 4);
        for serial in 0..5_000_u32 {
            let run = Runs::one(Run::new(serial, 1));
            users.entry(u64::from(serial)).insert(u64::from(serial) + 7, ONE, &run);
            users.entry(u64::MAX).insert(u64::from(serial), ONE, &Runs::one(Run::new(serial + 5_000, 1)));
        }
        assert_eq!(users.units(), 10_000);
        for serial in 0..5_000_u32 {
            let (units, held) = users.entry(u64::from(serial)).find(u64::from(serial) + 7);
            assert_eq!((units, held.expect("granted").runs.first().first), (1, serial));
            assert_eq!(users.entry(u64::from(serial)).find(3).1, None, "another request of the same user");
            let (units, held) = users.entry(u64::MAX).find(u64::from(serial));
            assert_eq!((units, held.expect("granted").runs.first().first), (5_000, serial + 5_000));
        }
        assert_eq!(users.entry(123_456).find(1), (0, None));
    }

    #[test]
    fn split_serials_come_back_as_they_were() {
        let users = Users::new(10, 1);
        let runs = [Run::new(3, 2), Run::new(8, 1)].into_iter().collect::<Runs>();
        let asked = Asked { quantity: 4, mode: Mode::UpTo };
        users.entry(0).insert(0, asked, &runs);
        assert_eq!(users.entry(0).find(0), (3, Some(Held { asked, runs })));
    }

    #[test]
    fn a_closed_table_is_empty_and_says_so() {
        let users = Users::new(10, 1);
        users.entry(1).insert(1, ONE, &Runs::one(Run::new(0, 1)));
        users.close();
        assert!(users.entry(1).is_closed());
        assert_eq!(users.entry(1).find(1), (0, None));
        assert_eq!(users.units(), 0);
    }

    #[test]
    fn a_table_that_closes_unused_stays_small_and_says_that_it_is_closed() {
        let users = Users::new(u32::MAX, 256);
        users.close();
        assert_eq!(users.lanes().len(), 1);
        assert!((0..1_000).all(|user| users.entry(user).is_closed()));
    }

    /// Settles all of a table in two parts; returns what is broken, in order of the epoch.
    fn settled(users: &Users, limit: Option<u32>) -> Vec<(Epoch, Broken)> {
        let mut broken = Vec::new();
        for share in 0..2 {
            users.settle_share((share, 1, 2), limit, &mut |epoch, what| broken.push((epoch, what)));
        }
        broken.sort_by_key(|(epoch, _)| *epoch);
        broken
    }

    #[test]
    fn claims_that_were_put_aside_are_found_like_those_that_came_one_by_one() {
        // Few, so that there is no index; many; many of which one user has too many for the index.
        for (count, busy) in [(5_u32, 0_u32), (9, 0), (5_000, 0), (5_000, 40), (3, 12)] {
            let users = Users::new(10_000, 4);
            let split = [Run::new(9_000, 1), Run::new(9_500, 1)].into_iter().collect::<Runs>();
            let two = Asked { quantity: 2, mode: Mode::UpTo };
            for serial in 0..count {
                let (user, run) = (users.hashed(u64::from(serial)), Runs::one(Run::new(serial, 1)));
                assert!(users.stage(user, 7, (ONE, &run), u64::from(serial / 10)));
                if serial < busy {
                    let run = Runs::one(Run::new(serial + 6_000, 1));
                    assert!(users.stage(users.hashed(77_777), u64::from(serial), (ONE, &run), 1));
                }
            }
            assert!(users.stage(users.hashed(88_888), 1, (two, &split), 600));
            assert_eq!(settled(&users, None), []);
            assert_eq!(settled(&users, None), [], "there is nothing left to settle");
            let mine = busy.min(count);
            assert_eq!(users.units(), u64::from(count + mine + 2));
            for serial in 0..count {
                let (units, held) = users.entry(u64::from(serial)).find(7);
                assert_eq!((units, held.expect("granted").runs.first().first), (1, serial));
                // Work goes on.
                users.entry(u64::from(serial)).insert(8, ONE, &Runs::one(Run::new(serial + 20_000, 1)));
            }
            for serial in 0..mine {
                let (units, held) = users.entry(77_777).find(u64::from(serial));
                assert_eq!((units, held.expect("granted").runs.first().first), (mine, serial + 6_000));
            }
            assert_eq!(users.entry(88_888).find(1).1.expect("granted").runs, split);
            assert_eq!(users.entry(99_999).find(1), (0, None));
        }
    }

    #[test]
    fn what_was_put_aside_and_breaks_a_promise_is_named_with_its_epoch() {
        for (others, busy) in [(0, 0), (4, 0), (300, 0), (300, 30)] {
            let users = Users::new(4_000, 1);
            let (mut serial, mut epoch) = (0, 0);
            let mut stage = |user: u64, request: u64| {
                (serial, epoch) = (serial + 1, epoch + 1);
                let run = Runs::one(Run::new(serial, 1));
                assert!(users.stage(users.hashed(user), request, (ONE, &run), epoch));
                epoch
            };
            for user in 0..others {
                stage(1_000 + user, 1);
            }
            for request in 0..busy {
                stage(5_000, request);
            }
            stage(1, 1);
            stage(1, 2);
            let again = stage(1, 1);
            let third = stage(1, 3);
            let mut broken = settled(&users, Some(2));
            broken.retain(|(_, what)| !matches!(what, Broken::OverLimit { user: 5_000, .. }));
            broken.retain(|(epoch, what)| !(*epoch == again && matches!(what, Broken::OverLimit { .. })));
            assert_eq!(broken[0], (again, Broken::Repeated { user: 1, request: 1 }), "{others}, {busy}");
            let over = broken.iter().filter(|(epoch, _)| *epoch == third).map(|(_, what)| *what).collect::<Vec<_>>();
            assert!(matches!(over[..], [Broken::OverLimit { user: 1, .. }]), "{others}, {busy}: {broken:?}");
        }
    }

    #[test]
    fn nothing_is_put_aside_for_a_closed_table() {
        let users = Users::new(10, 1);
        users.close();
        assert!(!users.stage(users.hashed(1), 1, (ONE, &Runs::one(Run::new(0, 1))), 1));
    }
}
