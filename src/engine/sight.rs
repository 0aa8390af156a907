//! Look-ahead: fetching the memory that claims further on will need, in three steps, since each step needs to have read
//! what the one before fetched. Decides nothing; a claim without it is decided the same.

use stockade_protocol::claim::Claim;

use super::batch::Batch;
use super::burst::Burst;
use super::shelf::Place;
use crate::prefetch::prefetch;
use crate::users::HashedUser;

/// What is known of a claim before it is decided.
#[derive(Clone, Copy, Default)]
pub struct Sight<'a> {
    place: Option<&'a Place>,
    pub(super) batch: Option<&'a Batch>,
    pub(super) user: Option<HashedUser>,
}

impl<'a> Burst<'a> {
    /// First step: finds where the batch stands, and asks for it.
    #[inline]
    #[must_use]
    pub fn sight(&mut self, claim: &Claim) -> Sight<'a> {
        let id = claim.batch.get();
        if self.sighted.is_none_or(|(sighted, _)| sighted != id) {
            let Some(place) = self.engine.registry.place(id) else { return Sight::default() };
            prefetch(place, 1);
            self.sighted = Some((id, place));
        }
        Sight { place: self.sighted.map(|(_, place)| place), ..Sight::default() }
    }

    /// Second step: finds the user's place in the batch's table, and asks for the lock of it, and for the bucket.
    #[inline]
    pub fn approach(&self, claim: &Claim, sight: &mut Sight<'a>) {
        if let Some(batch) = sight.place.and_then(Place::get) {
            let user = batch.users.hashed(claim.user.get());
            // Those of the batch that is being sold are near.
            if !self.last.as_ref().is_some_and(|last| std::ptr::eq(last.batch, batch)) {
                batch.users.prefetch_lane(user);
                batch.pool.prefetch(self.core);
            }
            (sight.batch, sight.user) = (Some(batch), Some(user));
        }
    }

    /// Third step: asks for what the table has there.
    #[inline]
    pub fn reach(&self, sight: &Sight<'a>) {
        if let Sight { batch: Some(batch), user: Some(user), .. } = sight {
            batch.users.prefetch(*user);
        }
    }
}
