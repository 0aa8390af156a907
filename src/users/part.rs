//! A part of a table while a restart rebuilds it: shards that one thread fills, not behind locks yet.
//!
//! Parts of a table share nothing, so they are filled at once. (Behind their locks, until 28 November 2026: a lock that
//! is given back waits for the stores before it, so each claim waited until the one before it lay in memory.)

use super::ahead::SLOTS_AHEAD;
use super::shard::Shard;
use super::slot::Asked;
use super::staged::{Broken, Move, Staged};
use super::table::{HashedUser, Users, phase};
use crate::prefetch::prefetch;
use crate::stock::{Day, Runs};
use crate::types::Epoch;

/// Which part of a table.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Number of the part, from 0.
    pub number: usize,
    /// Number of parts; a power of two.
    pub of: usize,
    /// Spreads the tables that have fewer shards than there are parts.
    pub salt: u64,
}

/// See the module.
pub struct Part {
    share: Share,
    /// Shards of the whole table.
    lanes: usize,
    /// Those of the part, in order.
    shards: Vec<(Shard, Staged)>,
}

impl Share {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    fn has_lane(self, lane: usize) -> bool {
        lane.wrapping_add(self.salt as usize) & (self.of - 1) == self.number
    }
}

impl Part {
    /// An empty part of a table; `None` where the share has none of its shards.
    #[must_use]
    pub fn of(users: &Users, share: Share) -> Option<Self> {
        let lanes = users.lanes_wanted();
        let shard = |lane: usize| share.has_lane(lane).then(|| (Shard::new(phase(lane, lanes)), Staged::default()));
        let shards = (0..lanes).filter_map(shard).collect::<Vec<_>>();
        (!shards.is_empty()).then_some(Self { share, lanes, shards })
    }

    /// Whether a user belongs to it.
    #[inline]
    #[must_use]
    pub fn has(&self, user: HashedUser) -> bool {
        self.share.has_lane(self.lane(user))
    }

    /// Asks the processor for the memory that taking in a claim of one of its users will need.
    #[inline]
    pub fn prefetch(&self, user: HashedUser) {
        prefetch(self.shards[self.place(user)].0.claims().tail(), SLOTS_AHEAD);
    }

    /// Takes in a claim of one of its users without a look at it, taken on some day; `due_ms` is when a reservation
    /// expires.
    #[inline]
    pub fn stage(&mut self, user: HashedUser, request: u64, claim: (Asked, &Runs), when: (Day, u64), epoch: Epoch) {
        let place = self.place(user);
        let (shard, staged) = &mut self.shards[place];
        shard.stage((user.user, request), claim, when, epoch, staged);
    }

    /// Takes in what became of a claim.
    pub fn stage_move(&mut self, user: HashedUser, request: u64, moved: Move, epoch: Epoch) {
        let place = self.place(user);
        self.shards[place].1.note_move(user.user, request, moved, epoch);
    }

    /// Looks at all that was taken in: what breaks a promise is `wrong`.
    pub fn settle(&mut self, users: &Users, limit: Option<u32>, wrong: &mut dyn FnMut(Epoch, Broken)) {
        for (shard, staged) in &mut self.shards {
            shard.settle(&std::mem::take(staged), limit, &users.hasher, wrong);
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    fn lane(&self, user: HashedUser) -> usize {
        user.hash as usize & (self.lanes - 1)
    }

    #[inline]
    fn place(&self, user: HashedUser) -> usize {
        // The shards of a part are as far from each other as there are parts.
        self.lane(user) >> self.share.of.trailing_zeros()
    }
}

impl Users {
    /// Puts the table together from what was filled and settled: all parts of it, less those that nobody needed.
    ///
    /// # Panics
    /// When the table was used before.
    pub fn assemble(&self, parts: impl Iterator<Item = Part>) {
        let lanes = self.lanes_wanted();
        let mut shards = (0..lanes).map(|_| None).collect::<Vec<_>>();
        for part in parts {
            let places = (0..lanes).filter(|lane| part.share.has_lane(*lane));
            places.zip(part.shards).for_each(|(place, (shard, _))| shards[place] = Some(shard));
        }
        let shards = shards.into_iter().enumerate();
        self.begin_with(shards.map(|(lane, shard)| shard.unwrap_or_else(|| Shard::new(phase(lane, lanes)))));
    }
}
