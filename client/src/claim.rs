//! Claims: what callers hand in and get back, in plain types.

use stockade_protocol::Status;
use stockade_protocol::claim::{ABOUT, Claim, ClaimReply, RequestKey};

use crate::client::Client;
use crate::error::ClientError;
use crate::request::Request;

/// A claim: `quantity` units of `batch` for `user`. What is left to the default is one unit, whole, and no audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimRequest {
    /// Batch to take from.
    pub batch: u64,
    /// Who takes.
    pub user: u64,
    /// The caller's id of this request, unique per batch and user, reservations included. Keep it: it is what repeats
    /// and resolves the claim.
    pub request: u64,
    /// 32 flags about the user, of which the batch may ask for some ([`Audience`](crate::Audience)).
    pub audience: u32,
    /// Units, 1..=255.
    pub quantity: u8,
    /// Take fewer when there are fewer, instead of none.
    pub up_to: bool,
}

impl Default for ClaimRequest {
    fn default() -> Self {
        Self { batch: 0, user: 0, request: 0, audience: 0, quantity: 1, up_to: false }
    }
}

impl ClaimRequest {
    fn to_wire(self) -> Claim {
        let claim = Claim::new(self.batch, self.user, self.request, self.quantity).with_audience(self.audience);
        if self.up_to { claim.up_to() } else { claim }
    }
}

/// What became of a claim or a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimOutcome {
    /// `GRANTED`, `RESERVED`, or why not; `DONE` of a cancellation.
    pub status: Status,
    /// The serials held by this request, all of them: `granted` in number.
    pub serials: Vec<u32>,
    /// Units held by this request; 0 unless granted or reserved.
    pub granted: u8,
    /// Units of the batch that can be claimed, of today's where a day has a limit: a hint that may be old.
    pub remaining: u32,
    /// Whether `remaining` was no more than an estimate when it left.
    pub remaining_is_approximate: bool,
    /// Units of the batch that the user holds, 65,535 for that many or more: a hint.
    pub user_units: u32,
    /// Those of them that were taken today, 65,535 for that many or more: a hint.
    pub day_units: u32,
    /// Whether this is the answer to an earlier copy of the request.
    pub replayed: bool,
    /// The epoch that had to be durable before this answer could leave. Readers that are given it see the effect.
    pub epoch: u64,
}

impl ClaimOutcome {
    /// The reply in plain types. `serials` stay empty when the reply does not hold them all.
    pub(crate) fn from_wire(reply: &ClaimReply) -> Self {
        let status = reply.status().expect("the status was checked when the reply came");
        let serials = if reply.is_split() { Vec::new() } else { serials_of(reply.serial.get(), reply.granted.into()) };
        Self {
            status,
            serials,
            granted: reply.granted,
            remaining: reply.remaining.get(),
            remaining_is_approximate: reply.flags & ABOUT != 0,
            user_units: reply.user_units.get().into(),
            day_units: reply.day_units.get().into(),
            replayed: reply.is_replayed(),
            epoch: reply.epoch.get(),
        }
    }
}

/// `count` serials from `first` on. The caller has checked that `first + count` is within range.
pub(crate) fn serials_of(first: u32, count: u32) -> Vec<u32> {
    (0..count).map(|offset| first + offset).collect()
}

impl Client {
    /// Takes units of a batch for a user. Refusals such as `SOLD_OUT` are outcomes.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the claim may still be granted:
    /// [`lookup`](Client::lookup) tells, and so does claiming again with the same request id.
    ///
    /// # Errors
    /// `UnknownOutcome` when the claim may have been granted without our knowing its serials. `Unavailable`, `Refused`
    /// and `Protocol`: it was surely not granted.
    pub async fn claim(&self, request: ClaimRequest) -> Result<ClaimOutcome, ClientError> {
        let key = RequestKey::new(request.batch, request.user, request.request);
        self.units_call(Request::Claim(request.to_wire()), key).await
    }

    /// Asks what became of an earlier claim or reservation: its grant, its reservation or how that ended, or
    /// `REQUEST_UNKNOWN` when it has had no effect so far.
    ///
    /// After an unknown outcome `REQUEST_UNKNOWN` is not yet a "never": a copy that is still on its way may be granted
    /// when it arrives. Claiming again with the same request id settles it.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn lookup(&self, batch: u64, user: u64, request: u64) -> Result<ClaimOutcome, ClientError> {
        let key = RequestKey::new(batch, user, request);
        match self.units_call(Request::Lookup(key), key).await {
            // It ended between its answer and its serials: now the answer says how.
            Err(ClientError::Refused {
                status: Status::ReservationCancelled | Status::ReservationExpired | Status::Closed,
                ..
            }) => self.units_call(Request::Lookup(key), key).await,
            other => other,
        }
    }
}
