//! Confirm: the units of a reservation are the user's for good.

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, REPLAYED, RequestKey};

use super::aftermath::Item;
use super::burst::Burst;
use super::settle::Found;
use super::sight::Sight;
use super::take::{byte, granted};
use crate::journal::Step;
use crate::users::Phase;

impl<'a> Burst<'a> {
    /// Confirms a reservation.
    pub fn confirm(&mut self, key: &RequestKey) -> ClaimReply {
        self.confirm_sighted(key, &Sight::default())
    }

    /// The same for one of which something is known already.
    pub fn confirm_sighted(&mut self, key: &RequestKey, sight: &Sight<'a>) -> ClaimReply {
        let status = match self.find_reservation(key, sight) {
            Found::Reserved(mut case) => {
                let units = case.claim.runs.units();
                case.pass.mark();
                case.entry.confirm(&case.claim, &case.moment);
                case.aftermath.add(case.batch, Item::LetGo(units));
                case.record(Step::Confirm, 0, byte(units));
                return case.echo.on(granted(&case.claim.runs));
            }
            Found::Ended(Phase::Granted, claim, echo) => {
                let mut reply = granted(&claim.runs);
                reply.flags |= REPLAYED;
                return echo.on(reply);
            }
            Found::Ended(Phase::Cancelled | Phase::Mark, _, echo) => (Status::ReservationCancelled, echo),
            Found::Ended(Phase::Lapsed | Phase::Reserved, _, echo) => (Status::ReservationExpired, echo),
            Found::Nothing(_, _, echo, ..) => (Status::RequestUnknown, echo),
            Found::Refused(reply) => return reply,
        };
        status.1.on(ClaimReply::refused(status.0))
    }
}
