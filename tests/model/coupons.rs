//! Coupons: the table of docs/protocol.md §10, once more.

use stockade_protocol::Status;
use stockade_protocol::coupon::{Action, Change, Changed, State};

use super::books::{Batch, Books, Moment, Phase, Recent, Touch};
use super::days::{Day, end_of};
use super::records::{Effect, Inflow, Record};

/// Orders that one coupon remembers.
const ENDED_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Now {
    Granted,
    Locked(u64),
    Redeemed(u64),
    Returned(Option<u32>),
    Voided,
}

#[derive(Clone, Debug)]
pub(crate) struct Coupon {
    pub(crate) now: Now,
    /// Orders that gave it up, and whether by a restoration.
    pub(crate) ended: Vec<(u64, bool)>,
    /// The last day on which it is valid, if it has one of its own.
    pub(crate) through: Option<Day>,
    pub(crate) changed: Touch,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Does,
    /// The order is only remembered.
    Marks,
    Repeats,
    Refused(Status),
}

impl Coupon {
    pub(crate) fn new() -> Self {
        Self { now: Now::Granted, ended: Vec::new(), through: None, changed: Touch::default() }
    }

    /// One row of the table for each state; columns in the order of the actions.
    pub(crate) fn verdict(&self, action: Action, order: u64, expired: bool) -> Verdict {
        use Verdict::{Does, Marks, Refused, Repeats};
        let conflict = Refused(Status::CouponStateConflict);
        let (other, over) = (Refused(Status::OrderConflict), Refused(Status::CouponExpired));
        let gave_up = self.ended.iter().rev().find(|(ended, _)| *ended == order);
        let owner = match self.now {
            Now::Locked(owner) | Now::Redeemed(owner) => Some(owner),
            _ => None,
        };
        // The owner's place among those remembered is promised.
        let promised = usize::from(owner.is_some());
        let full = Refused(Status::HistoryFull);
        let marks = match gave_up {
            Some(_) => Repeats,
            None if self.ended.len() + promised < ENDED_MAX => Marks,
            None => full,
        };
        let gone = Refused(Status::OrderEnded);
        let row = match (self.now, gave_up) {
            (Now::Granted, Some((_, true))) if expired => [over, marks, over, Repeats, over, over],
            (Now::Granted, _) if expired => [over, marks, over, conflict, over, over],
            (Now::Granted, Some((_, restored))) => {
                [gone, marks, gone, if *restored { Repeats } else { conflict }, Does, Does]
            }
            (Now::Granted, None) => {
                [if self.ended.len() < ENDED_MAX { Does } else { full }, marks, conflict, conflict, Does, Does]
            }
            (Now::Locked(owner), _) if owner == order => [Repeats, Does, Does, conflict, conflict, conflict],
            (Now::Locked(_), Some(_)) => [gone, marks, gone, other, conflict, conflict],
            (Now::Locked(_), None) => [other, marks, other, other, conflict, conflict],
            (Now::Redeemed(owner), _) if owner == order => [Repeats, conflict, Repeats, Does, conflict, conflict],
            (Now::Redeemed(_), _) => [conflict, marks, conflict, other, conflict, conflict],
            (Now::Returned(_), _) => [conflict, Repeats, conflict, conflict, Repeats, conflict],
            (Now::Voided, _) => [conflict, Repeats, conflict, conflict, conflict, Repeats],
        };
        row[action as usize - 1]
    }
}

impl Batch {
    /// Whether a coupon that nobody has locked has expired.
    pub(crate) fn is_expired(&self, coupon: &Coupon, taken: Day, now_ms: u64) -> bool {
        coupon.now == Now::Granted && self.has_expired(coupon.through, taken, now_ms)
    }

    /// The answer that tells of a unit as it is, to an operator or to the order that asks.
    fn told(&self, status: Status, serial: u32, asks: (u64, bool), now_ms: u64) -> Changed {
        let (user, request) = self.takers[&serial];
        let request = &self.users[&user][&request];
        let coupon = self.coupons.get(&serial).cloned().unwrap_or_else(Coupon::new);
        let state = match (request.phase, coupon.now) {
            (Phase::Reserved, _) => State::Reserved,
            (Phase::Cancelled | Phase::Mark, _) => State::Cancelled,
            (Phase::Lapsed, _) => State::Lapsed,
            _ if self.is_expired(&coupon, request.day, now_ms) => State::Expired,
            (_, Now::Granted) => State::Granted,
            (_, Now::Locked(_)) => State::Locked,
            (_, Now::Redeemed(_)) => State::Redeemed,
            (_, Now::Returned(_)) => State::Returned,
            (_, Now::Voided) => State::Voided,
        };
        let mut changed = Changed::about(status, state, serial);
        match coupon.now {
            Now::Locked(order) | Now::Redeemed(order) if order == asks.0 || asks.1 => changed.order.set(order),
            Now::Returned(Some(back)) => changed.serial.set(back),
            _ => {}
        }
        changed
    }

    /// The last day of a coupon that is restored, where that is longer than what it has.
    fn restored_through(&self, coupon: &Coupon, taken: Day, now_ms: u64) -> Option<Day> {
        let before = self.expires_ms(coupon.through, taken)?;
        let days = Day::from(self.terms.validity.return_days);
        let through = self.day_of(now_ms) + days;
        (days > 0 && end_of(&self.zone, through) > before).then_some(through)
    }

    pub(crate) fn change_coupon(
        &mut self,
        at: &Moment,
        id: u64,
        (user, serial): (u64, u32),
        (action, order, verdict, through): (Action, u64, Verdict, Option<Day>),
        inflows: &mut Vec<Inflow>,
    ) {
        let key = self.takers[&serial];
        let coupon = self.coupons.entry(serial).or_insert_with(Coupon::new);
        coupon.changed = Touch::at(at);
        if verdict == Verdict::Marks {
            return coupon.ended.push((order, false));
        }
        match action {
            Action::Lock => (coupon.now, self.counts.locked) = (Now::Locked(order), self.counts.locked + 1),
            Action::Redeem => (coupon.now, self.counts.redeemed) = (Now::Redeemed(order), self.counts.redeemed + 1),
            Action::Void => (coupon.now, self.counts.voided) = (Now::Voided, self.counts.voided + 1),
            Action::Unlock => {
                (coupon.now, self.counts.unlocked) = (Now::Granted, self.counts.unlocked + 1);
                coupon.ended.push((order, false));
            }
            Action::Restore => {
                (coupon.now, self.counts.restored) = (Now::Granted, self.counts.restored + 1);
                coupon.ended.push((order, true));
                coupon.through = through.or(coupon.through);
            }
            Action::Return => {
                let request = self.users.get_mut(&key.0).and_then(|of| of.get_mut(&key.1)).expect("who took it");
                request.back += 1;
                let (day, back) = (request.day, self.serials_end);
                self.counts.returned += 1;
                let comes = self.come_in(id, 1, Some(day), inflows);
                self.counts.stranded += u32::from(!comes);
                self.coupons.get_mut(&serial).expect("it is there").now = Now::Returned(comes.then_some(back));
                self.recents.push(Recent { epoch: at.epoch, user, freed: 1, released: 0, day });
            }
        }
    }
}

impl Books {
    /// Holds the answer to a change of a coupon against the table.
    pub(crate) fn judge_coupon(
        &self,
        at: &Moment,
        change: &Change,
        operator: bool,
        reply: &Changed,
    ) -> Result<Option<Record>, String> {
        let (id, user, order, serial) =
            (change.batch.get(), change.user.get(), change.order.get(), change.serial.get());
        let action = change.action().expect("a well-formed change");
        let just = |status| (vec![Changed::refused(status)], None);
        let (expected, record) = if action == Action::Void && !operator {
            just(Status::Forbidden)
        } else if let Some(batch) = self.find(id) {
            if batch.shut {
                just(Status::Closed)
            } else {
                batch.expect_coupon(at, (id, user, serial), (action, order, operator))
            }
        } else {
            just(Status::BatchUnknown)
        };
        let overloaded = reply.status() == Some(Status::Overloaded);
        if expected.contains(reply) {
            Ok(record.filter(|_| !overloaded))
        } else {
            Err(format!("{reply:?}, expected {expected:?}"))
        }
    }
}

impl Batch {
    fn expect_coupon(
        &self,
        at: &Moment,
        (id, user, serial): (u64, u64, u32),
        (action, order, operator): (Action, u64, bool),
    ) -> (Vec<Changed>, Option<Record>) {
        let asks = (order, operator);
        let Some((taker, request)) = self.takers.get(&serial).filter(|(taker, _)| *taker == user) else {
            let mut answers = vec![Changed::refused(Status::NotYours)];
            if !self.takers.contains_key(&serial) {
                answers[0] = Changed::refused(Status::SerialUnknown);
                if serial < self.serials_end && (self.counts.withdrawn > 0 || !self.free.contains(serial)) {
                    // Of what was withdrawn, or is on its way in, the engine only knows that it is not free.
                    answers.push(Changed::refused(Status::NotYours));
                }
            }
            return (answers, None);
        };
        let request = &self.users[taker][request];
        if request.phase != Phase::Granted {
            return (vec![self.told(Status::CouponStateConflict, serial, asks, at.now_ms)], None);
        }
        let coupon = self.coupons.get(&serial).cloned().unwrap_or_else(Coupon::new);
        let verdict = coupon.verdict(action, order, self.is_expired(&coupon, request.day, at.now_ms));
        match verdict {
            Verdict::Refused(status) => return (vec![self.told(status, serial, asks, at.now_ms)], None),
            Verdict::Repeats => {
                let mut told = self.told(Status::Done, serial, asks, at.now_ms);
                told.flags |= stockade_protocol::coupon::REPLAYED;
                return (vec![told], None);
            }
            Verdict::Does | Verdict::Marks => {}
        }
        let overloaded = Changed::refused(Status::Overloaded);
        if [request.born, request.changed, coupon.changed].iter().any(|touch| touch.is_foreign(at)) {
            return (vec![overloaded], None);
        }
        let through =
            if action == Action::Restore { self.restored_through(&coupon, request.day, at.now_ms) } else { None };
        let effect = Effect::Coupon { user, serial, action, order, verdict, through };
        let record = Record { batch: id, effect };
        let mut after = self.clone_for(user, serial);
        after.change_coupon(at, id, (user, serial), (action, order, verdict, through), &mut Vec::new());
        let mut answers = vec![after.told(Status::Done, serial, asks, at.now_ms)];
        if request.born.epoch >= at.durable && request.born.epoch > 0 {
            answers.push(overloaded);
        }
        (answers, Some(record))
    }

    /// As much of the batch as one of its units needs.
    fn clone_for(&self, user: u64, serial: u32) -> Self {
        let mut few = Self {
            users: std::collections::BTreeMap::new(),
            takers: std::collections::BTreeMap::from([(serial, self.takers[&serial])]),
            coupons: std::collections::BTreeMap::new(),
            free: super::ranges::Ranges::default(),
            supplies: std::collections::HashMap::new(),
            day_taken: std::collections::BTreeMap::new(),
            recents: Vec::new(),
            terms: self.terms.clone(),
            binding: Vec::new(),
            zone: self.zone.clone(),
            ..*self
        };
        let request = self.takers[&serial].1;
        few.users.entry(user).or_default().insert(request, self.users[&user][&request].clone());
        few.coupons.extend(self.coupons.get(&serial).map(|coupon| (serial, coupon.clone())));
        few
    }
}
