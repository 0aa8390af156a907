//! Reserve: take units of a batch for a user, for a while.

use stockade_protocol::Status;
use stockade_protocol::claim::ClaimReply;
use stockade_protocol::reservation::Reserve;

use super::burst::Burst;
use super::sight::Sight;
use super::take::Wish;
use crate::stock::Mode;
use crate::users::Asked;

impl<'a> Burst<'a> {
    /// Decides one reservation.
    pub fn reserve(&mut self, reserve: &Reserve) -> ClaimReply {
        self.reserve_sighted(reserve, &Sight::default())
    }

    /// The same for one of which something is known already.
    pub fn reserve_sighted(&mut self, reserve: &Reserve, sight: &Sight<'a>) -> ClaimReply {
        if reserve.quantity == 0 {
            return ClaimReply::refused(Status::QuantityInvalid);
        }
        if !(1..=self.engine.ttl_s_max).contains(&reserve.ttl_s.get()) {
            return ClaimReply::refused(Status::TtlInvalid);
        }
        let mode = if reserve.is_up_to() { Mode::UpTo } else { Mode::AllOrNothing };
        let wish = Wish {
            batch: reserve.batch.get(),
            user: reserve.user.get(),
            request: reserve.request.get(),
            audience: reserve.audience.get(),
            asked: Asked { quantity: reserve.quantity, mode, reserves: true },
            ttl_s: reserve.ttl_s.get(),
        };
        self.take(&wish, sight)
    }
}
