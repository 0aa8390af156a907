//! The look-ahead over the requests of one frame: while one is decided, the memory of those further on is on its way.
//!
//! The tables of users are far larger than the caches, and with many batches so are the batches. A claim touches some
//! seven places, each known only when the one before was read; fetched one after the other they cost more than all else
//! together. So up to six steps run ahead of the decision at as many distances: far enough to cover a memory access
//! each, near enough for the first-level cache.

use super::burst::Burst;
use super::sight::{Named, Sight};

/// Claims ahead of the decision at which a step is done: the sixth one, the fifth, the fourth, the third, the second.
const GRASPED: usize = 6;
const RECALLED: usize = 11;
const REACHED: usize = 16;
const APPROACHED: usize = 32;
const SIGHTED: usize = 48;
/// And how many claims further on the first one is done.
const ASKED: usize = 12;

/// Places for what is known of claims that are not decided yet; a power of two.
const SIGHTS: usize = 64;
const _: () = assert!(SIGHTED < SIGHTS);

/// Requests from which on a look-ahead is worth its preparation; fewer are better looked at together with their
/// neighbours.
pub const LOOK_AHEAD_WORTH: usize = REACHED;

/// See the module.
pub struct LookAhead<'a, 'c, T> {
    requests: &'c [T],
    sights: [Sight<'a>; SIGHTS],
    /// Whether the fifth step is done, and the sixth: a claim by somebody who has none yet gains nothing by it.
    recalls: bool,
    decided: usize,
    grasped: usize,
    recalled: usize,
    reached: usize,
    approached: usize,
    sighted: usize,
}

impl<'a, 'c, T: Named> LookAhead<'a, 'c, T> {
    /// A look-ahead over all claims of a frame, none decided yet. `retries`: most of them were probably made before.
    #[must_use]
    pub fn new(requests: &'c [T], retries: bool) -> Self {
        let (sights, recalls) = ([Sight::default(); SIGHTS], T::IS_LATER || retries);
        Self { requests, sights, recalls, decided: 0, grasped: 0, recalled: 0, reached: 0, approached: 0, sighted: 0 }
    }

    /// What is known of the next claim to decide, and a step ahead for those after it.
    #[inline]
    pub fn next(&mut self, burst: &mut Burst<'a>) -> Sight<'a> {
        let (decided, count) = (self.decided, self.requests.len());
        let ahead = |distance: usize| (decided + distance).min(count);
        let (reach, approach, sight) = (ahead(REACHED), ahead(APPROACHED), ahead(SIGHTED));
        while self.sighted < sight {
            if let Some(further) = self.requests.get(self.sighted + ASKED) {
                burst.ask(further);
            }
            self.sights[self.sighted % SIGHTS] = burst.sight(&self.requests[self.sighted]);
            self.sighted += 1;
        }
        while self.approached < approach {
            burst.approach(&self.requests[self.approached], &mut self.sights[self.approached % SIGHTS]);
            self.approached += 1;
        }
        while self.reached < reach {
            burst.reach(&self.sights[self.reached % SIGHTS]);
            self.reached += 1;
        }
        if self.recalls {
            self.recall(burst, ahead(RECALLED), ahead(GRASPED));
        }
        let sight = self.sights[self.decided % SIGHTS];
        self.decided += 1;
        sight
    }

    /// The last two steps, on their own: most frames go without them.
    #[inline(never)]
    fn recall(&mut self, burst: &Burst<'a>, recall: usize, grasp: usize) {
        while self.recalled < recall {
            burst.recall(&self.requests[self.recalled], &self.sights[self.recalled % SIGHTS]);
            self.recalled += 1;
        }
        while self.grasped < grasp {
            burst.grasp(&self.requests[self.grasped], &self.sights[self.grasped % SIGHTS]);
            self.grasped += 1;
        }
    }
}
