//! Coupons: what orders do with them, and what can be read about them.

use stockade_protocol::Status;
use stockade_protocol::coupon::{Action, Change, Changed, CouponInfo, CouponKey, List, State};
use tokio::time::Instant;
use zerocopy::IntoBytes;

use crate::client::Client;
use crate::error::ClientError;
use crate::event::Event;
use crate::request::{Request, page_limit};

/// One coupon, and the order that asks for something to be done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CouponRequest {
    /// Batch of the coupon.
    pub batch: u64,
    /// Who holds it.
    pub user: u64,
    /// The coupon.
    pub serial: u32,
    /// The order; for a return or a void, a reference for the log.
    pub order: u64,
}

/// What became of a change of a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponOutcome {
    /// `DONE`, or why not.
    pub status: Status,
    /// The coupon's state now; `None` = no coupon to tell of, or a state that this client does not know.
    pub state: Option<State>,
    /// The coupon; of a returned one, the new serial of its unit.
    pub serial: u32,
    /// The order that holds or redeemed it: told to that order and to operators, else 0.
    pub order: u64,
    /// Whether it was done earlier, by the same order.
    pub replayed: bool,
    /// The epoch that had to be durable before this answer could leave. Readers that are given it see the effect.
    pub epoch: u64,
}

impl CouponOutcome {
    fn from_wire(changed: &Changed) -> Self {
        Self {
            status: changed.status().expect("the status was checked when the reply came"),
            state: changed.state(),
            serial: changed.serial.get(),
            order: changed.order.get(),
            replayed: changed.is_replayed(),
            epoch: changed.epoch.get(),
        }
    }
}

/// What was found under a serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponFound {
    /// `DONE`, or why there is nothing: `BATCH_UNKNOWN`, `SERIAL_UNKNOWN`.
    pub status: Status,
    /// The unit, if it was ever taken.
    pub coupon: Option<Coupon>,
}

/// A unit that was taken, at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// Its batch.
    pub batch: u64,
    /// Its serial.
    pub serial: u32,
    /// Where it is in its life; `None` = a state that this client does not know.
    pub state: Option<State>,
    /// Who took it.
    pub user: u64,
    /// The claim or reservation that took it.
    pub request: u64,
    /// The order that holds or redeemed it: told to operators, else 0.
    pub order: u64,
    /// When it was taken, in milliseconds since 1970.
    pub taken_ms: u64,
    /// When the coupon, or the reservation, expires; `None` = never.
    pub expires_ms: Option<u64>,
    /// When it last changed.
    pub changed_ms: u64,
    /// What a unit that was returned, cancelled or lapsed came back as.
    pub new_serial: Option<u32>,
    /// It shows everything up to this epoch.
    pub epoch: u64,
}

impl Coupon {
    /// The unit that an answer is about; `None` when there is none.
    fn from_wire(info: &CouponInfo) -> Option<Self> {
        let [_, state, ..] = *info.as_bytes() else { unreachable!("a coupon has more than two bytes") };
        let coupon = Self {
            batch: info.batch.get(),
            serial: info.serial.get(),
            state: info.state(),
            user: info.user.get(),
            request: info.request.get(),
            order: info.order.get(),
            taken_ms: info.taken_ms.get(),
            expires_ms: Some(info.expires_ms.get()).filter(|at| *at != 0),
            changed_ms: info.changed_ms.get(),
            new_serial: info.state().is_some_and(came_back).then(|| info.new_serial.get()),
            epoch: info.epoch.get(),
        };
        (state != 0).then_some(coupon)
    }
}

/// Whether a unit in this state is in stock again, under another serial.
fn came_back(state: State) -> bool {
    match state {
        State::Returned | State::Cancelled | State::Lapsed => true,
        State::Reserved | State::Granted | State::Locked | State::Redeemed | State::Voided | State::Expired => false,
    }
}

impl Client {
    /// Has an order do something with a coupon. Refusals such as `ORDER_CONFLICT` or `COUPON_EXPIRED` are outcomes.
    /// Repeating is safe: what the same order did earlier is `DONE` and replayed.
    ///
    /// Cancel-safe for the client. Dropped after it was sent, the change may be made: repeating it tells, and
    /// [`show_coupon`](Client::show_coupon) tells the state.
    ///
    /// # Errors
    /// `UnknownOutcome` when it may have been done. `Unavailable`, `Refused` (also a void by a client that is no
    /// operator) and `Protocol`: it surely was not.
    pub async fn change_coupon(&self, coupon: CouponRequest, action: Action) -> Result<CouponOutcome, ClientError> {
        let CouponRequest { batch, user, serial, order } = coupon;
        let request = Request::ChangeCoupon(Change::new(batch, user, serial, action, order));
        let changed = self.call(request, Instant::now()).await?.into_changed();
        Ok(CouponOutcome::from_wire(&changed))
    }

    /// Takes hold of a coupon for an order: no other order gets it, and it does not expire meanwhile.
    ///
    /// As [`change_coupon`](Client::change_coupon), errors and cancellation too.
    ///
    /// # Errors
    /// As [`change_coupon`](Client::change_coupon).
    pub async fn lock_coupon(&self, coupon: CouponRequest) -> Result<CouponOutcome, ClientError> {
        self.change_coupon(coupon, Action::Lock).await
    }

    /// Gives a coupon up that the order holds, or would hold once a lock arrives that is still on its way. An order
    /// that gave a coupon up cannot have it again.
    ///
    /// As [`change_coupon`](Client::change_coupon), errors and cancellation too.
    ///
    /// # Errors
    /// As [`change_coupon`](Client::change_coupon).
    pub async fn unlock_coupon(&self, coupon: CouponRequest) -> Result<CouponOutcome, ClientError> {
        self.change_coupon(coupon, Action::Unlock).await
    }

    /// Uses a coupon that the order holds.
    ///
    /// As [`change_coupon`](Client::change_coupon), errors and cancellation too.
    ///
    /// # Errors
    /// As [`change_coupon`](Client::change_coupon).
    pub async fn redeem_coupon(&self, coupon: CouponRequest) -> Result<CouponOutcome, ClientError> {
        self.change_coupon(coupon, Action::Redeem).await
    }

    /// Gives a coupon that the order redeemed back to its user, after a refund.
    ///
    /// As [`change_coupon`](Client::change_coupon), errors and cancellation too.
    ///
    /// # Errors
    /// As [`change_coupon`](Client::change_coupon).
    pub async fn restore_coupon(&self, coupon: CouponRequest) -> Result<CouponOutcome, ClientError> {
        self.change_coupon(coupon, Action::Restore).await
    }

    /// Gives a coupon's unit back into stock; `serial` of the outcome is its new one.
    ///
    /// As [`change_coupon`](Client::change_coupon), errors and cancellation too.
    ///
    /// # Errors
    /// As [`change_coupon`](Client::change_coupon).
    pub async fn return_coupon(&self, coupon: CouponRequest) -> Result<CouponOutcome, ClientError> {
        self.change_coupon(coupon, Action::Return).await
    }

    /// Makes a coupon worthless, for good. For operators.
    ///
    /// As [`change_coupon`](Client::change_coupon), errors and cancellation too.
    ///
    /// # Errors
    /// As [`change_coupon`](Client::change_coupon); `Refused` with `FORBIDDEN` for a client that is no operator.
    pub async fn void_coupon(&self, coupon: CouponRequest) -> Result<CouponOutcome, ClientError> {
        self.change_coupon(coupon, Action::Void).await
    }

    /// Shows a unit; `SERIAL_UNKNOWN` and no unit when it was never taken.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn show_coupon(&self, batch: u64, serial: u32) -> Result<CouponFound, ClientError> {
        let request = Request::ShowCoupon(CouponKey::new(batch, serial));
        let info = self.call(request, Instant::now()).await?.into_coupons()[0];
        let status = info.status().expect("the status was checked when the reply came");
        Ok(CouponFound { status, coupon: Coupon::from_wire(&info) })
    }

    /// Lists up to `limit` (1..=1,024) units of a batch that were ever taken, in order of serial, from the serial
    /// `from` on. The next page starts at the last serial + 1; fewer than `limit` are the last page. For operators.
    ///
    /// `see_epoch`: the epoch of an answer whose effect must be seen; 0 = what is durable now.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `InvalidInput` when the limit is out of range; `Refused` also when there is no such batch (`BATCH_UNKNOWN`) or
    /// epoch (`CURSOR_INVALID`); else `Unavailable` or `Protocol`.
    pub async fn list_coupons(
        &self,
        batch: u64,
        from: u32,
        limit: u32,
        see_epoch: u64,
    ) -> Result<Vec<Coupon>, ClientError> {
        let limit = page_limit(limit)?.into();
        let list = List { batch: batch.into(), from: from.into(), limit, see_epoch: see_epoch.into() };
        let infos = self.call(Request::ListCoupons(list), Instant::now()).await?.into_coupons();
        infos.iter().map(|info| Coupon::from_wire(info).ok_or_else(|| self.broken("a list names no coupon"))).collect()
    }

    /// Tells all that happened to one unit, oldest first.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `Refused` also when there is no such batch (`BATCH_UNKNOWN`) or unit (`SERIAL_UNKNOWN`); else `Unavailable` or
    /// `Protocol`.
    pub async fn coupon_log(&self, batch: u64, serial: u32) -> Result<Vec<Event>, ClientError> {
        let request = Request::CouponLog(CouponKey::new(batch, serial));
        let events = self.call(request, Instant::now()).await?.into_events();
        Ok(events.iter().map(Event::from_wire).collect())
    }
}
