//! Lookup: what became of an earlier claim.

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, RequestKey};

use super::burst::Burst;
use super::claim::replay;
use crate::stock::Runs;

impl Burst<'_> {
    /// What the request got, or `REQUEST_UNKNOWN` when it has no effect at this instant.
    pub fn lookup(&mut self, key: &RequestKey) -> ClaimReply {
        let Some((in_burst, _)) = self.find(key.batch.get()) else {
            return ClaimReply::refused(Status::BatchUnknown);
        };
        let mut entry = in_burst.batch.users.entry(key.user.get());
        let (user_units, held) = entry.find(key.request.get());
        if entry.is_closed() {
            return ClaimReply::refused(Status::Closed);
        }
        if let Some(held) = held {
            return replay(&held, user_units, in_burst.remaining);
        }
        let mut reply = ClaimReply::refused(Status::RequestUnknown);
        reply.remaining.set(in_burst.remaining);
        reply.user_units.set(user_units);
        reply
    }

    /// All serials that the request got.
    ///
    /// # Errors
    /// When it got none.
    pub fn serials(&mut self, key: &RequestKey) -> Result<Runs, Status> {
        let (in_burst, _) = self.find(key.batch.get()).ok_or(Status::BatchUnknown)?;
        let mut entry = in_burst.batch.users.entry(key.user.get());
        if entry.is_closed() {
            return Err(Status::Closed);
        }
        entry.find(key.request.get()).1.map(|held| held.runs).ok_or(Status::RequestUnknown)
    }
}
