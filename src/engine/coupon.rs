//! Coupon: lock, unlock, redeem, restore, return and void. Which does what is the table of `users/coupon.rs`.

use stockade_protocol::Status;
use stockade_protocol::coupon::{Action as Asked, Change, Changed, REPLAYED, State};

use super::batch::Batch;
use super::burst::Burst;
use super::settle::come_back;
use super::sight::Sight;
use crate::journal::CouponRecord;
use crate::stock::Day;
use crate::types::TimeMs;
use crate::users::{Action, Coupon, CouponChange, CouponRefusal, CouponState, Moment, Phase, Unit, Verdict};

/// What a caller may do and be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// What concerns users and their own orders.
    Gateway,
    /// Everything.
    Operator,
}

impl<'a> Burst<'a> {
    /// Changes one coupon.
    pub fn change_coupon(&mut self, change: &Change, rights: Rights) -> Changed {
        self.change_coupon_sighted(change, rights, &Sight::default())
    }

    /// The same for one of which something is known already.
    pub fn change_coupon_sighted(&mut self, change: &Change, rights: Rights, sight: &Sight<'a>) -> Changed {
        let (Some(action), client) = (change.action().map(action_of), self.client) else {
            return Changed::refused(Status::Malformed);
        };
        if action == Action::Void && rights != Rights::Operator {
            return Changed::refused(Status::Forbidden);
        }
        let (now_ms, out_of_space) = (self.now_ms(), self.engine.is_out_of_space());
        let Some(day) = self.find_sighted(change.batch.get(), sight).map(|in_burst| in_burst.day) else {
            return Changed::refused(Status::BatchUnknown);
        };
        let moment = self.moment(day);
        let Burst { pass, last, aftermath, engine, .. } = self;
        let batch = last.as_mut().expect("it was found").batch;
        let (user, order, serial) = (change.user.get(), change.order.get(), change.serial.get());
        let mut entry = batch.users.entry_of(sight.user.unwrap_or_else(|| batch.users.hashed(user)));
        if entry.is_closed() {
            return Changed::refused(Status::Closed);
        }
        let Some(mut unit) = entry.unit(serial) else {
            drop(entry);
            return Changed::refused(if batch.was_taken(serial) { Status::NotYours } else { Status::SerialUnknown });
        };
        let expired = |coupon: &Coupon, unit: &Unit| has_expired(batch, coupon, unit, (now_ms, day));
        let told = |unit: &Unit, status: Status| {
            let state = state_of(unit.phase, unit.coupon.state, expired(&unit.coupon, unit));
            let mut changed = Changed::about(status, state, serial);
            changed.order.set(order_told(&unit.coupon, order, rights));
            if let CouponState::Returned(back) = unit.coupon.state {
                changed.serial.set(back.unwrap_or(serial));
            }
            changed
        };
        if unit.phase != Phase::Granted {
            return told(&unit, Status::CouponStateConflict);
        }
        let verdict = unit.coupon.verdict(action, order, expired(&unit.coupon, &unit));
        let marks = match verdict {
            Verdict::Refused(refusal) => return told(&unit, status_of(refusal)),
            Verdict::Repeats => {
                let mut changed = told(&unit, Status::Done);
                changed.flags |= REPLAYED;
                return changed;
            }
            Verdict::Marks => true,
            Verdict::Changes => false,
        };
        if out_of_space {
            return Changed::refused(Status::NoSpace);
        }
        if !entry.may_change(&unit, serial, &moment) {
            return Changed::refused(Status::Overloaded);
        }
        pass.mark();
        batch.more().note_move();
        let back = if action == Action::Return { come_back(batch, 1, unit.day, aftermath) } else { None };
        let through = (action == Action::Restore).then(|| through(batch, &unit, &moment)).flatten();
        let back = back.map(|run| run.first);
        let step = CouponChange { serial, action, order, back, through };
        entry.change_coupon(&unit, &step, marks, &moment);
        pass.coupon(&CouponRecord { batch: batch.id, user, serial, action, order, client, marks, back, through });
        if !marks {
            unit.coupon.apply(action, order, back, through);
        }
        if expired(&unit.coupon, &unit) {
            engine.sweeps.plan(batch, now_ms);
        }
        told(&unit, Status::Done)
    }
}

/// Whether the time of a coupon that nobody has locked has passed.
fn has_expired(batch: &Batch, coupon: &Coupon, unit: &Unit, now: (TimeMs, Day)) -> bool {
    let more = batch.more.get().filter(|_| coupon.state == CouponState::Granted);
    more.is_some_and(|more| more.has_expired(coupon, unit.day, now))
}

/// The state that people see.
pub(super) fn state_of(phase: Phase, coupon: CouponState, expired: bool) -> State {
    match (phase, coupon) {
        (Phase::Reserved, _) => State::Reserved,
        (Phase::Cancelled | Phase::Mark, _) => State::Cancelled,
        (Phase::Lapsed, _) => State::Lapsed,
        (Phase::Granted, CouponState::Granted) if expired => State::Expired,
        (Phase::Granted, CouponState::Granted) => State::Granted,
        (Phase::Granted, CouponState::Locked(_)) => State::Locked,
        (Phase::Granted, CouponState::Redeemed(_)) => State::Redeemed,
        (Phase::Granted, CouponState::Returned(_)) => State::Returned,
        (Phase::Granted, CouponState::Voided) => State::Voided,
    }
}

/// The order that has the coupon, as far as this caller is told.
fn order_told(coupon: &Coupon, asking: u64, rights: Rights) -> u64 {
    match coupon.state {
        CouponState::Locked(order) | CouponState::Redeemed(order) if order == asking || rights == Rights::Operator => {
            order
        }
        CouponState::Granted
        | CouponState::Locked(_)
        | CouponState::Redeemed(_)
        | CouponState::Returned(_)
        | CouponState::Voided => 0,
    }
}

fn through(batch: &Batch, unit: &Unit, now: &Moment) -> Option<Day> {
    batch.more.get().and_then(|more| more.restored_through(&unit.coupon, unit.day, now.day))
}

fn action_of(action: Asked) -> Action {
    match action {
        Asked::Lock => Action::Lock,
        Asked::Unlock => Action::Unlock,
        Asked::Redeem => Action::Redeem,
        Asked::Restore => Action::Restore,
        Asked::Return => Action::Return,
        Asked::Void => Action::Void,
    }
}

fn status_of(refusal: CouponRefusal) -> Status {
    match refusal {
        CouponRefusal::OrderEnded => Status::OrderEnded,
        CouponRefusal::OrderConflict => Status::OrderConflict,
        CouponRefusal::State => Status::CouponStateConflict,
        CouponRefusal::Expired => Status::CouponExpired,
        CouponRefusal::HistoryFull => Status::HistoryFull,
    }
}
