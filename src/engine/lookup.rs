//! Lookup: what became of an earlier claim or reservation.

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, RequestKey};

use super::burst::Burst;
use super::sight::Sight;
use super::take::{Echo, granted, replay};
use crate::stock::Runs;
use crate::users::{Claim, Phase};
use stockade_protocol::claim::REPLAYED;

impl<'a> Burst<'a> {
    /// What the request has now, how it ended, or `REQUEST_UNKNOWN` when it has no effect at this instant.
    pub fn lookup(&mut self, key: &RequestKey) -> ClaimReply {
        self.lookup_sighted(key, &Sight::default())
    }

    /// The same for one of which something is known already.
    pub fn lookup_sighted(&mut self, key: &RequestKey, sight: &Sight<'a>) -> ClaimReply {
        match self.look_up(key, sight) {
            Err(status) => ClaimReply::refused(status),
            Ok((None, echo)) => echo.on(ClaimReply::refused(Status::RequestUnknown)),
            Ok((Some(claim), echo)) if claim.phase == Phase::Granted => {
                let mut reply = granted(&claim.runs);
                reply.flags |= REPLAYED;
                echo.on(reply)
            }
            Ok((Some(claim), echo)) => replay(&claim, echo),
        }
    }

    /// All serials that the request has.
    ///
    /// # Errors
    /// When it has none.
    pub fn serials(&mut self, key: &RequestKey) -> Result<Runs, Status> {
        let (claim, _) = self.look_up(key, &Sight::default())?;
        let claim = claim.ok_or(Status::RequestUnknown)?;
        match claim.phase {
            Phase::Granted | Phase::Reserved => Ok(claim.runs),
            Phase::Cancelled | Phase::Mark => Err(Status::ReservationCancelled),
            Phase::Lapsed => Err(Status::ReservationExpired),
        }
    }

    fn look_up(&mut self, key: &RequestKey, sight: &Sight<'a>) -> Result<(Option<Claim>, Echo), Status> {
        let day = self.find_sighted(key.batch.get(), sight).map(|in_burst| in_burst.day);
        let moment = self.moment(day.ok_or(Status::BatchUnknown)?);
        let in_burst = self.last.as_mut().expect("it was found");
        let mut entry = in_burst.batch.users.entry(key.user.get());
        if entry.is_closed() {
            return Err(Status::Closed);
        }
        let mut look = entry.find(key.request.get(), &moment);
        Ok((look.claim.take(), Echo::new(&look, in_burst)))
    }
}
