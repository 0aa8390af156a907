//! How many of a shard's coupons have expired: a look at all of them.

use super::coupon::{Coupon, CouponState};
use super::shard::Shard;
use super::slot::{Kind, Phase, Slot};
use crate::stock::Day;

/// Whether the time of a coupon that nobody has locked, taken on some day, has passed.
pub(super) type HasExpired<'a> = dyn Fn(&Coupon, Day) -> bool + 'a;

impl Shard {
    /// Coupons that have expired.
    pub(super) fn expired(&self, has_expired: &HasExpired<'_>) -> u64 {
        let slots = (0..).zip(self.claims.iter());
        let granted = slots.filter(|(_, slot)| slot.kind() != Kind::Busy && slot.phase() == Phase::Granted);
        granted.map(|(place, slot)| self.expired_of(slot, self.day_of(place), has_expired)).sum()
    }

    fn expired_of(&self, slot: &Slot, day: Day, has_expired: &HasExpired<'_>) -> u64 {
        let plain = Coupon::default();
        match self.rare.as_ref().filter(|rare| !rare.coupons.is_empty()) {
            None if has_expired(&plain, day) => slot.granted.into(),
            None => 0,
            Some(rare) => {
                let runs = self.runs(slot);
                let serials = runs.iter().flat_map(|run| run.first..run.end());
                let coupons = serials.map(|serial| rare.coupons.get(serial).unwrap_or(&plain));
                let expired = coupons.filter(|coupon| coupon.state == CouponState::Granted && has_expired(coupon, day));
                expired.count() as u64
            }
        }
    }
}
