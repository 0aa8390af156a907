//! Who claims what: the user, request and batch of every claim, each a function of the seed, the connection and the
//! claim's *slot* (its position in what the connection sends).
//!
//! Nothing about a claim is stored while it is in flight or afterwards: whoever needs it computes it again. This is
//! what lets a run of 10⁸ claims be verified with a few bytes for each grant.
//!
//! A slot is an *original*, a *repeat* (a user who claimed before claims again, with a new request id: the limit's
//! turn) or a *retry* (an earlier claim is sent again as it was: exactly-once's turn). A retry has the identity of its
//! *origin*; every other slot is its own origin.

use crate::hash::{Key, scaled};
use crate::limits::REACH_SLOTS_MAX;
use crate::plan::Plan;
use crate::plan::batch_mix::BatchChoice;
use crate::time::{real, whole};

/// The three numbers that name a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Which of the run's batches.
    pub batch_index: u32,
    /// Who claims.
    pub user: u64,
    /// The request id.
    pub request: u64,
}

/// What a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A claim by the user whom the mix draws.
    Original,
    /// A new claim by the user of an earlier original of the same connection, on the same batch.
    Repeat {
        /// Slot of that original.
        of: u64,
    },
    /// An earlier claim of the same connection, sent again.
    Retry {
        /// Slot of that claim, which is no retry.
        of: u64,
    },
}

/// The crowd of one run.
#[derive(Clone, Debug)]
pub struct Population {
    users: Option<u64>,
    user_key: Key,
    request_key: Key,
    draw_key: Key,
    batch_key: Key,
    kind_key: Key,
    /// Kinds below `retry_limit` of 2^32 are retries; below `repeat_limit`, repeats.
    retry_limit: u64,
    repeat_limit: u64,
    batches: BatchChoice,
    batch_count: u32,
    /// The others follow: a list of a million ids would cost a claim a miss of the processor's cache.
    first_batch: u64,
    /// Slots of a connection after which its claims go to new batches; `None` = never.
    round_slots: Option<u64>,
}

const CERTAIN: u64 = 1 << 32;

impl Population {
    /// The crowd that `plan` describes, claiming from its batches: the one with the id `first_batch` and those after
    /// it. Users and choices follow from the plan's seed; request ids also from `run`, so that a second run on the same
    /// batch makes new requests.
    #[must_use]
    pub fn new(plan: &Plan, run: u64, first_batch: u64) -> Self {
        let retry_limit = whole(plan.retry_ratio * real(CERTAIN));
        Self {
            users: plan.users,
            user_key: Key::new(plan.seed, 1),
            request_key: Key::new(run, 2),
            draw_key: Key::new(plan.seed, 3),
            batch_key: Key::new(plan.seed, 4),
            kind_key: Key::new(plan.seed, 5),
            retry_limit,
            repeat_limit: retry_limit + whole(plan.repeat_ratio * real(CERTAIN)),
            batches: BatchChoice::new(plan.batch_mix, plan.batches),
            batch_count: plan.batches,
            first_batch,
            round_slots: plan.round_slots(),
        }
    }

    /// What `slot` of `connection` is.
    #[must_use]
    #[inline]
    pub fn kind(&self, connection: u32, slot: u64) -> Kind {
        if self.repeat_limit == 0 || slot == self.round_start(slot) {
            return Kind::Original;
        }
        let draw = self.kind_key.at(ordinal(connection, slot));
        let coin = draw >> 32;
        if coin < self.retry_limit {
            Kind::Retry { of: self.earlier(connection, slot, draw, self.retry_limit) }
        } else if coin < self.repeat_limit {
            Kind::Repeat { of: self.earlier(connection, slot, draw, self.repeat_limit) }
        } else {
            Kind::Original
        }
    }

    /// A slot before `slot` whose coin is not below `limit`: for a retry any that is no retry, for a repeat an
    /// original.
    fn earlier(&self, connection: u32, slot: u64, draw: u64, limit: u64) -> u64 {
        let start = self.round_start(slot);
        let reach = (slot - start).min(REACH_SLOTS_MAX);
        let mut target = slot - 1 - scaled(draw << 32, reach);
        while target > start && self.kind_key.at(ordinal(connection, target)) >> 32 < limit {
            target -= 1;
        }
        target
    }

    /// The slot whose claim `slot` is: an earlier one if it is a retry, else itself.
    #[must_use]
    #[inline]
    pub fn origin(&self, connection: u32, slot: u64) -> u64 {
        match self.kind(connection, slot) {
            Kind::Retry { of } => of,
            Kind::Original | Kind::Repeat { .. } => slot,
        }
    }

    /// The claim of `slot`.
    #[must_use]
    #[inline]
    pub fn identity(&self, connection: u32, slot: u64) -> Identity {
        let origin = self.origin(connection, slot);
        let drawn_at = self.drawn_at(connection, origin);
        let drawn = ordinal(connection, drawn_at);
        let user = match self.users {
            Some(users) => self.user_key.at(self.draw_key.below(users, drawn)),
            None => self.user_key.at(drawn),
        };
        let request = self.request_key.at(ordinal(connection, origin));
        Identity { batch_index: self.batch_at(connection, drawn_at), user, request }
    }

    /// Which of the run's batches the claim with this `origin` goes to.
    #[must_use]
    #[inline]
    pub fn batch_index(&self, connection: u32, origin: u64) -> u32 {
        if self.batch_count == 1 && self.round_slots.is_none() {
            return 0;
        }
        self.batch_at(connection, self.drawn_at(connection, origin))
    }

    /// The id of a batch of the run.
    #[must_use]
    pub fn batch_id(&self, index: u32) -> u64 {
        self.first_batch + u64::from(index)
    }

    /// Whether a user may have more than one request.
    #[must_use]
    pub fn users_return(&self) -> bool {
        self.users.is_some() || self.repeat_limit > self.retry_limit
    }

    /// The slot whose draw decides user and batch of the claim with this `origin`.
    fn drawn_at(&self, connection: u32, origin: u64) -> u64 {
        match self.kind(connection, origin) {
            Kind::Repeat { of } => of,
            Kind::Original | Kind::Retry { .. } => origin,
        }
    }

    fn batch_at(&self, connection: u32, drawn_at: u64) -> u32 {
        let place = match self.batch_count {
            1 => 0,
            _ => self.batches.choose(self.batch_key.at(ordinal(connection, drawn_at))),
        };
        let round = self.round_slots.map_or(0, |slots| drawn_at / slots);
        u32::try_from(round).expect("the plan bounds the batches of a run") * self.batch_count + place
    }

    /// The first slot of the round of `slot`: claims have to do with earlier ones of their round only, since those
    /// before may be on batches that are closed.
    #[inline]
    fn round_start(&self, slot: u64) -> u64 {
        self.round_slots.map_or(0, |slots| slot - slot % slots)
    }
}

/// A number for each claim of the run: 40 bits of slot below the connection's number.
pub(super) const fn ordinal(connection: u32, slot: u64) -> u64 {
    (connection as u64) << 40 | slot
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::plan::batch_mix::BatchMix;

    const SLOTS: u64 = 50_000;

    fn population(change: impl FnOnce(&mut Plan)) -> Population {
        let mut plan = Plan::default();
        change(&mut plan);
        Population::new(&plan, 99, 0)
    }

    #[test]
    fn without_repeats_every_claim_has_a_user_and_a_request_of_its_own() {
        let crowd = population(|_| ());
        let claims = (0..2).flat_map(|connection| (0..SLOTS).map(move |slot| (connection, slot)));
        let (users, requests): (HashSet<_>, HashSet<_>) = claims
            .map(|(connection, slot)| crowd.identity(connection, slot))
            .map(|one| (one.user, one.request))
            .unzip();
        assert_eq!((users.len() as u64, requests.len() as u64), (2 * SLOTS, 2 * SLOTS));
        assert!(!crowd.users_return());
    }

    #[test]
    fn a_bounded_crowd_has_as_many_users_as_asked_for() {
        let crowd = population(|plan| plan.users = Some(1_000));
        let users = (0..SLOTS).map(|slot| crowd.identity(0, slot).user).collect::<HashSet<_>>();
        assert_eq!(users.len(), 1_000);
        assert!(crowd.users_return());
    }

    #[test]
    fn retries_are_earlier_claims_and_repeats_are_earlier_users() {
        let crowd = population(|plan| {
            (plan.retry_ratio, plan.repeat_ratio) = (0.2, 0.1);
            (plan.batches, plan.batch_mix) = (4, BatchMix::Uniform);
        });
        let mut seen = HashMap::<u64, Identity>::new();
        let (mut retries, mut repeats) = (0_u64, 0_u64);
        for slot in 0..SLOTS {
            let claim = crowd.identity(3, slot);
            assert_eq!(crowd.batch_index(3, crowd.origin(3, slot)), claim.batch_index);
            match crowd.kind(3, slot) {
                Kind::Retry { of } => {
                    retries += 1;
                    assert_eq!(claim, seen[&of]);
                }
                Kind::Repeat { of } => {
                    repeats += 1;
                    let before = seen[&of];
                    assert_eq!(crowd.kind(3, of), Kind::Original);
                    assert_eq!((claim.user, claim.batch_index), (before.user, before.batch_index));
                    assert_ne!(claim.request, before.request);
                }
                Kind::Original => {}
            }
            seen.insert(slot, claim);
        }
        let requests = seen.values().map(|claim| claim.request).collect::<HashSet<_>>();
        assert_eq!(requests.len() as u64, SLOTS - retries, "only retries share a request");
        assert!(retries.abs_diff(10_000) < 500, "{retries} retries");
        assert!(repeats.abs_diff(5_000) < 400, "{repeats} repeats");
    }

    #[test]
    fn claims_of_a_round_are_on_its_batches_and_reach_back_within_it() {
        let crowd = population(|plan| {
            (plan.retry_ratio, plan.repeat_ratio) = (0.3, 0.2);
            (plan.batches, plan.connections, plan.turnover) = (3, 2, Some(200));
        });
        for slot in 0..SLOTS {
            let (claim, round) = (crowd.identity(1, slot), slot / 300);
            assert_eq!(u64::from(claim.batch_index / 3), round, "600 claims a round, 300 on each connection");
            let earlier = match crowd.kind(1, slot) {
                Kind::Retry { of } | Kind::Repeat { of } => of,
                Kind::Original => slot,
            };
            assert_eq!(earlier / 300, round, "slot {slot} has to do with {earlier}");
        }
    }

    #[test]
    fn another_run_with_the_same_seed_has_the_same_users_and_new_requests() {
        let plan = Plan::default();
        let (first, second) = (Population::new(&plan, 1, 5), Population::new(&plan, 2, 5));
        let (one, other) = (first.identity(1, 7), second.identity(1, 7));
        assert_eq!(one.user, other.user);
        assert_ne!(one.request, other.request);
    }
}
