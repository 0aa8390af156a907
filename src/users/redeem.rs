//! The coupons of a shard's claims.

use std::collections::BTreeMap;

use super::coupon::{Action, Coupon};
use super::recent::Moment;
use super::shard::{Shard, Standing};
use super::slot::{Kind, Phase, Slot};
use crate::stock::Day;

/// A unit of a user.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Place of the claim that took it.
    pub place: u32,
    /// Where that claim is in its life. Only a granted one has coupons.
    pub phase: Phase,
    /// The day on which it was taken.
    pub day: Day,
    /// The coupon.
    pub coupon: Coupon,
    /// Request of the claim.
    pub request: u64,
    pub(super) standing: Standing,
}

/// What is done to a coupon.
#[derive(Clone, Copy, Debug)]
pub struct CouponChange {
    /// The coupon.
    pub serial: u32,
    /// The action.
    pub action: Action,
    /// By which order.
    pub order: u64,
    /// Of a return, the serial under which the unit came back; `None` = there was none left.
    pub back: Option<u32>,
    /// Of a restoration, the last day on which the coupon is valid, if that is its own.
    pub through: Option<Day>,
}

impl Shard {
    /// The unit `serial`, if this user took it.
    pub(super) fn unit(&mut self, hash: u64, user: u64, serial: u32) -> Option<Unit> {
        let (mut found, mut standing) = (None, Standing::default());
        self.for_each_of(hash, user, |place, slot| {
            if slot.kind() == Kind::Busy {
                standing.busy = Some(slot.place);
            } else if found.is_none() && self.has(slot, serial) {
                found = Some(place);
            }
        });
        let place = found.or_else(|| self.place_of_busy(standing.busy?, serial))?;
        let slot = self.claims.get(place);
        let coupon = self.rare.as_ref().and_then(|rare| rare.coupons.get(serial)).cloned().unwrap_or_default();
        let (phase, request) = (slot.phase(), slot.request);
        Some(Unit { place, phase, day: self.day_of(place), coupon, request, standing })
    }

    /// Does to a unit's coupon what its verdict allowed. `marks` says that the order only gives up what it never had.
    pub(super) fn change_coupon(&mut self, unit: &Unit, change: &CouponChange, marks: bool, now: &Moment) {
        let CouponChange { serial, action, order, back, through } = *change;
        let mut freed = 0;
        let phase = self.phase;
        let rare = self.rare_mut();
        let coupon = rare.coupons.get_or_default(serial, phase);
        if marks {
            coupon.mark(order);
            return self.note(unit.place, Some(serial), (0, 0), now);
        }
        coupon.apply(action, order, back, through);
        let tally = &mut rare.tally;
        match action {
            Action::Lock => tally.locked += 1,
            Action::Unlock => tally.unlocked += 1,
            Action::Redeem => tally.redeemed += 1,
            Action::Restore => tally.restored += 1,
            Action::Void => tally.voided += 1,
            Action::Return => {
                tally.returned += 1;
                tally.stranded += u64::from(back.is_none());
                freed = 1;
            }
        }
        let (redeemed, confirmed) = (tally.redeemed - tally.restored, tally.confirmed);
        assert!(redeemed <= self.claimed + confirmed, "{redeemed} coupons are redeemed, more than were ever granted");
        if freed > 0 {
            let slot = self.claims.get_mut(unit.place);
            slot.back += freed;
            if let Some(busy) = unit.standing.busy.filter(|_| slot.is_unindexed()) {
                self.forget_units(busy, unit.place, freed);
            }
        }
        self.note(unit.place, Some(serial), (freed, 0), now);
    }

    fn has(&self, slot: &Slot, serial: u32) -> bool {
        if slot.kind() == Kind::OneRun && slot.phase() != Phase::Reserved {
            return serial.wrapping_sub(slot.place) < u32::from(slot.granted);
        }
        self.runs(slot).iter().any(|run| (run.first..run.end()).contains(&serial))
    }

    fn place_of_busy(&mut self, busy: u32, serial: u32) -> Option<u32> {
        if self.rare().busy[busy as usize].serials.is_none() {
            let mut serials = BTreeMap::new();
            for place in self.rare().busy[busy as usize].claims.values() {
                serials.extend(self.runs(self.claims.get(*place)).iter().map(|run| (run.first, *place)));
            }
            self.rare_mut().busy[busy as usize].serials = Some(serials);
        }
        let serials = self.rare().busy[busy as usize].serials.as_ref()?;
        let place = *serials.range(..=serial).next_back()?.1;
        self.has(self.claims.get(place), serial).then_some(place)
    }
}
