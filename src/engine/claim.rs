//! Claim: take units of a batch for a user, for good.

use stockade_protocol::Status;
use stockade_protocol::claim::{Claim, ClaimReply};

use super::burst::Burst;
use super::sight::Sight;
use super::take::Wish;
use crate::stock::Mode;
use crate::users::Asked;

impl<'a> Burst<'a> {
    /// Decides one claim.
    pub fn claim(&mut self, claim: &Claim) -> ClaimReply {
        self.claim_sighted(claim, &Sight::default())
    }

    /// The same for a claim of which something is known already.
    #[inline]
    pub fn claim_sighted(&mut self, claim: &Claim, sight: &Sight<'a>) -> ClaimReply {
        if claim.quantity == 0 {
            return ClaimReply::refused(Status::QuantityInvalid);
        }
        let mode = if claim.is_up_to() { Mode::UpTo } else { Mode::AllOrNothing };
        let wish = Wish {
            batch: claim.batch.get(),
            user: claim.user.get(),
            request: claim.request.get(),
            audience: claim.audience.get(),
            asked: Asked { quantity: claim.quantity, mode, reserves: false },
            ttl_s: 0,
        };
        self.take(&wish, sight)
    }
}
