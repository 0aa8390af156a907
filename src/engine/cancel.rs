//! Cancel: the units of a reservation go back.

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, REPLAYED, RequestKey};

use super::burst::Burst;
use super::settle::Found;
use super::sight::Sight;
use crate::journal::{ClaimRecord, Step};
use crate::stock::Mode;
use crate::users::{Asked, Phase};

impl<'a> Burst<'a> {
    /// Cancels a reservation. One that has not come yet is cancelled ahead: it is refused when it comes.
    pub fn cancel(&mut self, key: &RequestKey) -> ClaimReply {
        self.cancel_sighted(key, &Sight::default())
    }

    /// The same for one of which something is known already.
    pub fn cancel_sighted(&mut self, key: &RequestKey, sight: &Sight<'a>) -> ClaimReply {
        let (status, echo) = match self.find_reservation(key, sight) {
            Found::Reserved(mut case) => {
                case.give_back(Phase::Cancelled);
                (Status::Done, case.echo)
            }
            Found::Ended(Phase::Cancelled | Phase::Mark, _, echo) => {
                let mut reply = ClaimReply::refused(Status::Done);
                reply.flags |= REPLAYED;
                return echo.on(reply);
            }
            Found::Ended(Phase::Granted, _, echo) => (Status::ReservationConfirmed, echo),
            Found::Ended(Phase::Lapsed | Phase::Reserved, _, echo) => (Status::ReservationExpired, echo),
            Found::Nothing(mut entry, moment, echo, in_burst, pass) => {
                let more = in_burst.batch.more();
                if !more.has_history_left() {
                    return in_burst.refused(Status::HistoryFull, echo);
                }
                pass.mark();
                more.note_move();
                more.note_end();
                entry.insert_mark(key.request.get(), &moment);
                let (batch, user, request) = (key.batch.get(), key.user.get(), key.request.get());
                let asked = Asked { quantity: 0, mode: Mode::AllOrNothing, reserves: true };
                let (step, serial, units, continues) = (Step::Mark, 0, 0, false);
                pass.claim(&ClaimRecord { batch, user, request, step, serial, units, asked, continues });
                (Status::Done, echo)
            }
            Found::Refused(reply) => return reply,
        };
        echo.on(ClaimReply::refused(status))
    }
}
