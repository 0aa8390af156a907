//! Extend: a reservation lives longer, once.

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, REPLAYED, RequestKey};
use stockade_protocol::reservation::Extend;

use super::burst::Burst;
use super::settle::Found;
use super::sight::Sight;
use super::take::{Echo, reserved};
use super::timers::Timer;
use crate::journal::Step;
use crate::users::Phase;

impl<'a> Burst<'a> {
    /// Extends a reservation.
    pub fn extend(&mut self, extend: &Extend) -> ClaimReply {
        self.extend_sighted(extend, &Sight::default())
    }

    /// The same for one of which something is known already.
    pub fn extend_sighted(&mut self, extend: &Extend, sight: &Sight<'a>) -> ClaimReply {
        let (ttl_s, engine, core) = (extend.ttl_s.get(), self.engine, self.core);
        if !(1..=engine.ttl_s_max).contains(&ttl_s) {
            return ClaimReply::refused(Status::TtlInvalid);
        }
        let refused = |status: Status, echo: Echo| echo.on(ClaimReply::refused(status));
        let key = RequestKey::new(extend.batch.get(), extend.user.get(), extend.request.get());
        match self.find_reservation(&key, sight) {
            Found::Reserved(mut case) => {
                let mut reply = reserved(&case.claim.runs);
                match case.entry.extended_s(&case.claim) {
                    Some(before) if before == ttl_s => reply.flags |= REPLAYED,
                    Some(_) => return refused(Status::ReservationExtended, case.echo),
                    None if engine.is_out_of_space() => return refused(Status::NoSpace, case.echo),
                    None => {
                        let due_ms = case.running_ms + u64::from(ttl_s) * 1_000;
                        case.pass.mark();
                        case.entry.extend(&case.claim, due_ms, ttl_s, &case.moment);
                        let at = case.entry.claim_ref(case.claim.place);
                        engine.timers.add(core, due_ms, Timer { batch: case.batch.index, at });
                        case.record(Step::Extend { ttl_s }, 0, 0);
                    }
                }
                case.echo.on(reply)
            }
            Found::Ended(Phase::Granted, _, echo) => refused(Status::ReservationConfirmed, echo),
            Found::Ended(Phase::Cancelled | Phase::Mark, _, echo) => refused(Status::ReservationCancelled, echo),
            Found::Ended(Phase::Lapsed | Phase::Reserved, _, echo) => refused(Status::ReservationExpired, echo),
            Found::Nothing(_, _, echo, ..) => refused(Status::RequestUnknown, echo),
            Found::Refused(reply) => reply,
        }
    }
}
