//! Look-ahead: fetching the memory that requests further on will need, in six steps, since each step needs to have
//! read what the one before fetched. Decides nothing; a request without it is decided the same.

use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon;
use stockade_protocol::reservation::{Extend, Reserve};
use zerocopy::little_endian::U64;

use super::batch::Batch;
use super::burst::Burst;
use super::shelf::Place;
use crate::prefetch::prefetch;
use crate::types::BatchId;
use crate::users::HashedUser;

/// A request about one user of one batch.
pub trait Named {
    /// Whether it is about a claim that the user has made before.
    const IS_LATER: bool;

    /// The batch, and the user.
    fn names(&self) -> (U64, U64);

    /// The coupon that it is about, if it is about one.
    fn serial(&self) -> Option<u32> {
        None
    }
}

macro_rules! named {
    ($is_later:literal: $($request:ty),*) => {
        $(impl Named for $request {
            const IS_LATER: bool = $is_later;

            #[inline]
            fn names(&self) -> (U64, U64) {
                (self.batch, self.user)
            }
        })*
    };
}

named!(false: Claim, Reserve);
named!(true: RequestKey, Extend);

impl Named for coupon::Change {
    const IS_LATER: bool = true;

    #[inline]
    fn names(&self) -> (U64, U64) {
        (self.batch, self.user)
    }

    #[inline]
    fn serial(&self) -> Option<u32> {
        Some(self.serial.get())
    }
}

/// What is known of a request before it is decided.
#[derive(Clone, Copy, Default)]
pub struct Sight<'a> {
    /// Where the batch stands, if its hint is right.
    place: Option<&'a Place>,
    pub(super) batch: Option<&'a Batch>,
    pub(super) user: Option<HashedUser>,
}

impl<'a> Burst<'a> {
    /// First step: asks for the hint where the batch stands.
    #[inline]
    pub fn ask(&self, request: &impl Named) {
        let id = request.names().0.get();
        if self.sighted.is_none_or(|(sighted, _)| sighted != id) {
            self.engine.registry.ask(id);
        }
    }

    /// Second step: finds where the batch stands, and asks for it.
    #[inline]
    #[must_use]
    pub fn sight(&mut self, request: &impl Named) -> Sight<'a> {
        let id = request.names().0.get();
        if self.sighted.is_none_or(|(sighted, _)| sighted != id) {
            let Some(place) = self.engine.registry.hinted(id) else { return Sight::default() };
            prefetch(place, 1);
            self.sighted = Some((id, place));
        }
        Sight { place: self.sighted.map(|(_, place)| place), ..Sight::default() }
    }

    /// Third step: finds the user's place in the batch's table, and asks for the lock of it, and for the bucket.
    #[inline]
    pub fn approach(&self, request: &impl Named, sight: &mut Sight<'a>) {
        let id = request.names().0.get();
        if let Some(hinted) = sight.place.and_then(Place::get) {
            let Some(batch) = (if hinted.id == id { Some(hinted) } else { self.found_otherwise(id) }) else { return };
            let user = batch.users.hashed(request.names().1.get());
            // Those of the batch that is being sold are near.
            if !self.last.as_ref().is_some_and(|last| std::ptr::eq(last.batch, batch)) {
                batch.users.prefetch_lane(user);
                batch.pool.prefetch(self.core);
            }
            (sight.batch, sight.user) = (Some(batch), Some(user));
        }
    }

    /// The batch with an id whose hint was that of another.
    #[cold]
    fn found_otherwise(&self, id: BatchId) -> Option<&'a Batch> {
        self.engine.registry.find(id)
    }

    /// Fourth step: asks for what the table has there.
    #[inline]
    pub fn reach(&self, sight: &Sight<'a>) {
        if let Sight { batch: Some(batch), user: Some(user), .. } = sight {
            batch.users.prefetch(*user);
        }
    }

    /// Fifth step, where the user is expected to have claims: finds them in the table, and asks for them.
    #[inline]
    pub fn recall(&self, request: &impl Named, sight: &Sight<'a>) {
        if let Sight { batch: Some(batch), user: Some(user), .. } = sight {
            batch.users.prefetch_claims(*user, request.serial());
        }
    }

    /// Sixth step, where a request is about a coupon: asks for what is known of it.
    #[inline]
    pub fn grasp(&self, request: &impl Named, sight: &Sight<'a>) {
        if let (Sight { batch: Some(batch), user: Some(user), .. }, Some(serial)) = (sight, request.serial()) {
            batch.users.prefetch_coupon(*user, serial);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stockade_protocol::Status;
    use stockade_protocol::batch::{Create, Terms};
    use stockade_protocol::claim::Claim;

    use crate::engine::{EngineOptions, LookAhead, Source, start};

    const STOCK: u32 = 100;
    const BATCHES: [u64; 3] = [7, 8, 9];

    #[test]
    fn a_hint_that_is_wrong_or_missing_moves_no_claim_to_another_batch() {
        let options = EngineOptions::new(1, Arc::new(|reason| panic!("{reason}")));
        let running = start(Source::memory(), options).expect("a new journal");
        let engine = &running.engine;
        let mut burst = engine.burst(0);
        let terms = Terms { stock: STOCK, ..Terms::default() };
        for id in BATCHES {
            let created = burst.create(&Create::new(id, &terms).expect("an empty name fits"));
            assert_eq!(created.status(), Some(Status::Done));
        }
        let epoch = burst.leave();
        while engine.journal().durable() < epoch {
            std::thread::yield_now();
        }
        // To the second batch, to nothing that is known, and to a place that no batch has taken.
        engine.registry.mislead(7, Some(1));
        engine.registry.mislead(8, None);
        engine.registry.mislead(9, Some(900));
        let claims =
            BATCHES.iter().cycle().zip(0..64).map(|(id, user)| Claim::new(*id, user, 1, 1)).collect::<Vec<_>>();
        let (mut burst, mut ahead) = (engine.burst(0), LookAhead::new(&claims, false));
        for claim in &claims {
            let sight = ahead.next(&mut burst);
            assert_eq!(burst.claim_sighted(claim, &sight).status(), Some(Status::Granted));
        }
        let _epoch = burst.leave();
        let left = BATCHES.map(|id| engine.registry.find(id).expect("it is there").pool.units_hint());
        assert_eq!(left, [STOCK - 22, STOCK - 21, STOCK - 21]);
    }
}
