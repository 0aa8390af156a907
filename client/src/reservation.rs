//! Reservations: units that are taken for a while, until they are confirmed, cancelled or expire.

use stockade_protocol::claim::RequestKey;
use stockade_protocol::reservation::{Extend, Reserve};

use crate::claim::ClaimOutcome;
use crate::client::Client;
use crate::error::ClientError;
use crate::request::Request;

/// A reservation: `quantity` units of `batch` for `user`, for `ttl_s` seconds. What is left to the default is one unit,
/// whole, and no audience; `ttl_s` has none and must be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReserveRequest {
    /// Batch to take from.
    pub batch: u64,
    /// Who takes.
    pub user: u64,
    /// The caller's id of this request, unique per batch and user, claims included. Keep it: it is what repeats,
    /// confirms, cancels, extends and resolves the reservation.
    pub request: u64,
    /// 32 flags about the user, of which the batch may ask for some ([`Audience`](crate::Audience)).
    pub audience: u32,
    /// Units, 1..=255.
    pub quantity: u8,
    /// Take fewer when there are fewer, instead of none.
    pub up_to: bool,
    /// Seconds that it lives, 1..=[`ttl_s_max`](crate::Server::ttl_s_max) of the server.
    pub ttl_s: u16,
}

impl Default for ReserveRequest {
    fn default() -> Self {
        Self { batch: 0, user: 0, request: 0, audience: 0, quantity: 1, up_to: false, ttl_s: 0 }
    }
}

impl ReserveRequest {
    fn to_wire(self) -> Reserve {
        let reserve = Reserve::new(self.batch, self.user, self.request, self.quantity, self.ttl_s);
        let reserve = reserve.with_audience(self.audience);
        if self.up_to { reserve.up_to() } else { reserve }
    }
}

impl Client {
    /// Takes units of a batch for a user, for a while: `RESERVED`, or refused as a claim would be. A copy that comes
    /// after the reservation ended is answered how it ended.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the units may be reserved:
    /// [`lookup`](Client::lookup) tells, and so does reserving again with the same request id;
    /// [`cancel`](Client::cancel) makes sure that they are not, also ahead of a copy that is still on its way.
    ///
    /// # Errors
    /// `UnknownOutcome` when the units may be reserved without our knowing their serials. `Unavailable`, `Refused` and
    /// `Protocol`: they are surely not.
    pub async fn reserve(&self, request: ReserveRequest) -> Result<ClaimOutcome, ClientError> {
        let key = RequestKey::new(request.batch, request.user, request.request);
        self.units_call(Request::Reserve(request.to_wire()), key).await
    }

    /// Makes the units of a reservation the user's for good: `GRANTED` with the serials, also when it was confirmed
    /// before; `RESERVATION_CANCELLED` or `RESERVATION_EXPIRED` when it is too late.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the reservation may be confirmed: confirming again is
    /// safe and tells, and so does [`lookup`](Client::lookup).
    ///
    /// # Errors
    /// `UnknownOutcome` when it may have been confirmed. `Unavailable`, `Refused` and `Protocol`: it surely was not.
    pub async fn confirm(&self, batch: u64, user: u64, request: u64) -> Result<ClaimOutcome, ClientError> {
        let key = RequestKey::new(batch, user, request);
        self.units_call(Request::Confirm(key), key).await
    }

    /// Gives the units of a reservation back: `DONE`, also when it was cancelled before, and when there is no such
    /// reservation. Then one that comes late is refused: so cancelling is how to give up a
    /// [`reserve`](Client::reserve) whose outcome is unknown. `RESERVATION_CONFIRMED` or `RESERVATION_EXPIRED` when it
    /// had ended otherwise.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the reservation may be cancelled: cancelling again is
    /// safe and tells.
    ///
    /// # Errors
    /// As [`confirm`](Client::confirm).
    pub async fn cancel(&self, batch: u64, user: u64, request: u64) -> Result<ClaimOutcome, ClientError> {
        let key = RequestKey::new(batch, user, request);
        self.units_call(Request::Cancel(key), key).await
    }

    /// Lets a reservation live for `ttl_s` seconds from now, if that is longer than it would: `RESERVED`. That works
    /// once; the second time it is `RESERVATION_EXTENDED`, or `RESERVED` and replayed if the time is the same.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the reservation may be extended: extending again by the
    /// same time is safe and tells.
    ///
    /// # Errors
    /// As [`confirm`](Client::confirm).
    pub async fn extend(&self, batch: u64, user: u64, request: u64, ttl_s: u16) -> Result<ClaimOutcome, ClientError> {
        let key = RequestKey::new(batch, user, request);
        self.units_call(Request::Extend(Extend::new(batch, user, request, ttl_s)), key).await
    }
}
