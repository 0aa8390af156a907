//! Claim: take units of a batch for a user.

use stockade_protocol::Status;
use stockade_protocol::claim::{Claim, ClaimReply, REPLAYED};

use super::burst::Burst;
use super::sight::Sight;
use crate::journal::GrantRecord;
use crate::stock::{Mode, Runs};
use crate::users::{Asked, Held};

impl<'a> Burst<'a> {
    /// Decides one claim. The order of the checks is the protocol's order of precedence.
    ///
    /// The user's entry stays locked from the look for a replay to the record of the grant: a second request of the
    /// same user is decided on what the first became.
    ///
    /// While the disk is nearly full, what was decided before is still answered; everything else is `NO_SPACE`.
    pub fn claim(&mut self, claim: &Claim) -> ClaimReply {
        self.claim_sighted(claim, &Sight::default())
    }

    /// The same for a claim of which something is known already.
    pub fn claim_sighted(&mut self, claim: &Claim, sight: &Sight<'a>) -> ClaimReply {
        if claim.quantity == 0 {
            return ClaimReply::refused(Status::QuantityInvalid);
        }
        let (now_ms, core, out_of_space) = (self.now_ms(), self.core, self.engine.is_out_of_space());
        let Some((in_burst, pass)) = self.find_sighted(claim.batch.get(), sight) else {
            return ClaimReply::refused(if out_of_space { Status::NoSpace } else { Status::BatchUnknown });
        };
        let batch = &in_burst.batch;
        let (user, request) = (claim.user.get(), claim.request.get());
        let mode = if claim.is_up_to() { Mode::UpTo } else { Mode::AllOrNothing };
        let asked = Asked { quantity: claim.quantity, mode };

        let mut entry = batch.users.entry_of(sight.user.unwrap_or_else(|| batch.users.hashed(user)));
        let (user_units, held) = entry.find(request);
        let refuse = |status, remaining| {
            let mut reply = ClaimReply::refused(status);
            reply.remaining.set(remaining);
            reply.user_units.set(user_units);
            reply
        };
        if entry.is_closed() {
            return refuse(Status::Closed, in_burst.remaining);
        }
        if let Some(held) = held {
            return if held.asked == asked {
                replay(&held, user_units, in_burst.remaining)
            } else {
                refuse(Status::RequestConflict, in_burst.remaining)
            };
        }
        if out_of_space {
            return refuse(Status::NoSpace, in_burst.remaining);
        }
        if let Some(status) = batch.refusal(now_ms) {
            return refuse(status, in_burst.remaining);
        }
        let Some(quantity) = within_limit(asked, user_units, batch.terms.per_user()) else {
            return refuse(Status::LimitReached, in_burst.remaining);
        };
        let Some(runs) = batch.pool.draw(core, quantity, mode, || pass.mark()) else {
            in_burst.remaining = batch.pool.units_hint();
            return refuse(Status::SoldOut, in_burst.remaining);
        };

        // The units are taken: from here on nothing can fail.
        entry.insert(request, asked, &runs);
        let granted = runs.units();
        let mut drawn = 0;
        for run in runs.iter() {
            drawn += run.count;
            let units = u8::try_from(run.count).expect("a claim asks for at most 255 units");
            let (batch, continues) = (batch.id, drawn < granted);
            pass.grant(&GrantRecord { batch, user, request, serial: run.first, units, asked, continues });
        }
        in_burst.remaining = in_burst.remaining.saturating_sub(granted);
        let mut reply = granted_reply(&runs);
        reply.remaining.set(in_burst.remaining);
        reply.user_units.set(user_units + granted);
        reply
    }
}

/// How many units the limit leaves of those asked for; `None` = the claim must be refused.
fn within_limit(asked: Asked, held: u32, limit: Option<u32>) -> Option<u8> {
    let Some(limit) = limit else { return Some(asked.quantity) };
    let left = limit.saturating_sub(held);
    if left >= u32::from(asked.quantity) {
        return Some(asked.quantity);
    }
    match asked.mode {
        Mode::AllOrNothing => None,
        Mode::UpTo => u8::try_from(left).ok().filter(|left| *left > 0),
    }
}

/// The answer to an earlier copy of the request: what it got then, with today's hints.
pub(super) fn replay(held: &Held, user_units: u32, remaining: u32) -> ClaimReply {
    let mut reply = granted_reply(&held.runs);
    reply.flags |= REPLAYED;
    reply.remaining.set(remaining);
    reply.user_units.set(user_units);
    reply
}

fn granted_reply(runs: &Runs) -> ClaimReply {
    let byte = |units: u32| u8::try_from(units).expect("a claim asks for at most 255 units");
    let first = runs.first();
    ClaimReply::granted(byte(runs.units()), first.first, byte(first.count))
}
