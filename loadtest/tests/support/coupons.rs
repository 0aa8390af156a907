//! The fake server's reservations and coupons.

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, REPLAYED, RequestKey};
use stockade_protocol::coupon::{self, Action, Change, Changed, CouponInfo, CouponKey, State};
use stockade_protocol::reservation::Reserve;
use stockade_protocol::wallet::{WalletItem, WalletQuery};

use super::stock::{Lie, Stock};

/// A unit that was granted.
pub(super) struct Coupon {
    user: u64,
    request: u64,
    order: u64,
    state: State,
}

impl Coupon {
    pub(super) fn new((user, request): (u64, u64)) -> Self {
        Self { user, request, order: 0, state: State::Granted }
    }
}

impl Stock {
    pub(super) fn reserve(&mut self, reserve: &Reserve) -> ClaimReply {
        let request = (reserve.user.get(), reserve.request.get());
        let Some(batch) = self.batches.get_mut(&reserve.batch.get()) else {
            return ClaimReply::refused(Status::BatchUnknown);
        };
        if let Some(serial) = batch.reserved.get(&request).or_else(|| batch.serials.get(&request)) {
            let mut reply = ClaimReply::reserved(1, *serial, 1);
            reply.flags |= REPLAYED;
            return reply;
        }
        if !batch.terms.audience.admits(reserve.audience.get()) {
            return ClaimReply::refused(Status::AudienceRefused);
        }
        if batch.terms.holds.per_user == Some(1) && batch.reserved.keys().any(|(user, _)| *user == request.0) {
            return ClaimReply::refused(Status::HoldsUserLimit);
        }
        match batch.take(request.0, self.lie) {
            Ok((mut serial, held)) => {
                self.firsts += 1;
                serial -= u32::from(self.firsts == 10 && self.lie == Lie::SameSerialTwice);
                batch.reserved.insert(request, serial);
                let is_granted = self.firsts == 10 && self.lie == Lie::GrantsWhatIsReserved;
                let reply = if is_granted { ClaimReply::granted } else { ClaimReply::reserved };
                let mut reply = reply(1, serial, 1);
                reply.user_units = u16::try_from(held).unwrap().into();
                reply
            }
            Err(status) => ClaimReply::refused(status),
        }
    }

    pub(super) fn confirm(&mut self, key: &RequestKey) -> ClaimReply {
        let request = (key.user.get(), key.request.get());
        let batch = self.batches.get_mut(&key.batch.get()).unwrap();
        if let Some(serial) = batch.serials.get(&request) {
            let mut reply = ClaimReply::granted(1, *serial, 1);
            reply.flags |= REPLAYED;
            return reply;
        }
        let Some(serial) = batch.reserved.remove(&request) else {
            return ClaimReply::refused(Status::RequestUnknown);
        };
        self.seconds += 1;
        let is_tenth = self.seconds == 10;
        if is_tenth && self.lie == Lie::ForgetsAReservation {
            return ClaimReply::refused(Status::RequestUnknown);
        }
        if is_tenth && self.lie == Lie::LetsAReservationExpire {
            return ClaimReply::refused(Status::ReservationExpired);
        }
        batch.granted += 1;
        batch.grant(request, serial);
        ClaimReply::granted(1, serial + u32::from(is_tenth && self.lie == Lie::ConfirmsAnotherSerial), 1)
    }

    pub(super) fn change_coupon(&mut self, change: &Change) -> Changed {
        let (serial, order) = (change.serial.get(), change.order.get());
        let batch = self.batches.get_mut(&change.batch.get()).unwrap();
        let Some(coupon) = batch.coupons.get_mut(&serial) else { return Changed::refused(Status::SerialUnknown) };
        if coupon.user != change.user.get() {
            return Changed::refused(Status::NotYours);
        }
        let (next, is_done) = match (change.action().unwrap(), coupon.state) {
            (Action::Lock, State::Granted) => (State::Locked, false),
            (Action::Redeem, State::Locked) if coupon.order == order => (State::Redeemed, false),
            (Action::Lock, State::Locked) | (Action::Redeem, State::Redeemed) if coupon.order == order => {
                (coupon.state, true)
            }
            (_, state) => return Changed::about(Status::CouponStateConflict, state, serial),
        };
        (coupon.state, coupon.order) = (next, order);
        let is_tenth = |count: &mut u64| {
            *count += 1;
            *count == 10
        };
        let mut shown = next;
        if next == State::Locked && is_tenth(&mut self.firsts) && self.lie == Lie::DoesNotLock {
            shown = State::Granted;
        }
        if next == State::Redeemed && is_tenth(&mut self.seconds) && self.lie == Lie::ForgetsARedemption {
            coupon.state = State::Locked;
        }
        let mut changed = Changed::about(Status::Done, shown, serial);
        changed.flags |= if is_done { coupon::REPLAYED } else { 0 };
        changed
    }

    pub(super) fn show_coupon(&self, key: &CouponKey) -> CouponInfo {
        let (batch, serial) = (key.batch.get(), key.serial.get());
        match self.batches.get(&batch).and_then(|batch| batch.coupons.get(&serial)) {
            Some(coupon) => {
                let mut info = CouponInfo::about(batch, serial, coupon.state);
                (info.user, info.request) = (coupon.user.into(), coupon.request.into());
                info.order = coupon.order.into();
                info
            }
            None => CouponInfo::refused(Status::SerialUnknown, batch, serial),
        }
    }

    pub(super) fn wallet(&self, query: &WalletQuery) -> Vec<WalletItem> {
        let user = query.user.get();
        let all = self.batches.iter().flat_map(|(id, batch)| {
            let his = batch.coupons.iter().filter(|(_, coupon)| coupon.user == user);
            his.map(|(serial, coupon)| WalletItem::new(*id, *serial, coupon.state))
        });
        all.skip(usize::from(self.lie == Lie::HidesACoupon)).take(query.limit.get().into()).collect()
    }

    pub(super) fn redeemed(&self) -> u64 {
        let coupons = self.batches.values().flat_map(|batch| batch.coupons.values());
        coupons.filter(|coupon| coupon.state == State::Redeemed).count() as u64
    }
}
