//! The table of one batch: shards, each behind its own lock.

use std::hash::BuildHasher;

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};

use super::shard::{Found, Shard};
use super::slot::{Asked, Held};
use crate::stock::Runs;

/// Units of stock for which another shard is worth its memory.
const STOCK_PER_SHARD: u32 = 512;

/// Who holds what of one batch.
///
/// The hash of a user id is keyed with a random number of this process, so that nobody can choose ids that collide.
pub struct Users {
    /// A power of two of them. Which one: the low bits of the hash; the place within: the high bits.
    shards: Box<[CachePadded<Mutex<Shard>>]>,
    hasher: RandomState,
}

/// One user's claims, locked. Other requests of the user (and of others in the shard) wait until it is dropped.
pub struct Entry<'a> {
    shard: MutexGuard<'a, Shard>,
    hasher: &'a RandomState,
    hash: u64,
    user: u64,
}

impl Users {
    /// A table for a batch of `stock` units, with at most `shards_max` locks.
    #[must_use]
    pub fn new(stock: u32, shards_max: u32) -> Self {
        let shards = (stock / STOCK_PER_SHARD).clamp(1, shards_max.max(1)).next_power_of_two();
        let shards = (0..shards).map(|_| CachePadded::new(Mutex::new(Shard::default()))).collect();
        Self { shards, hasher: RandomState::default() }
    }

    /// Locks what is known of `user`.
    #[must_use]
    pub fn entry(&self, user: u64) -> Entry<'_> {
        let hash = self.hasher.hash_one(user);
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
        let shard = self.shards[hash as usize & (self.shards.len() - 1)].lock();
        Entry { shard, hasher: &self.hasher, hash, user }
    }

    /// Units held by all users.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lock().units()).sum()
    }

    /// Gives all memory back, for good.
    pub fn close(&self) {
        self.shards.iter().for_each(|shard| shard.lock().close());
    }
}

impl Entry<'_> {
    /// Units that the user holds, and what became of `request` if it was granted.
    #[must_use]
    pub fn find(&self, request: u64) -> (u32, Option<Held>) {
        let Found { units, held } = self.shard.find(self.hash, self.user, request);
        (units, held)
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
        let hasher = self.hasher;
        self.shard.insert(&|user| hasher.hash_one(user), self.user, request, asked, runs);
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
}
