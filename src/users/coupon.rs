//! One coupon: a unit that was granted, from the moment on at which something else happens to it. Which action does
//! what in which state is the table of docs/protocol.md §10; this file is that table.

use crate::stock::Day;

/// Orders that gave a coupon up and are remembered. Without a bound, one coupon could fill the memory.
const ENDED_MAX: usize = 64;

/// What is done with a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// An order takes hold of it.
    Lock,
    /// The order gives it up.
    Unlock,
    /// The order uses it.
    Redeem,
    /// The order was refunded.
    Restore,
    /// Its unit goes back into stock.
    Return,
    /// It is made worthless.
    Void,
}

/// Where a coupon is in its life. That it expired follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CouponState {
    /// The user's.
    Granted,
    /// An order has hold of it.
    Locked(u64),
    /// An order used it.
    Redeemed(u64),
    /// Its unit went back into stock as this serial; `None` = there was none left.
    Returned(Option<u32>),
    /// It is worthless.
    Voided,
}

/// How an order gave a coupon up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It was unlocked, or never had it.
    Unlocked,
    /// What it redeemed was restored.
    Restored,
}

/// Why an action is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CouponRefusal {
    /// The order gave it up earlier.
    OrderEnded,
    /// Another order has hold of it.
    OrderConflict,
    /// Its state does not allow it.
    State,
    /// It has expired.
    Expired,
    /// As many orders are remembered as may be.
    HistoryFull,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The coupon changes.
    Changes,
    /// The order is remembered to have given it up; it never had it.
    Marks,
    /// It was done before.
    Repeats,
    /// It is not done.
    Refused(CouponRefusal),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Coupon {
    /// Where it is in its life.
    pub state: CouponState,
    more: Option<Box<More>>,
}

/// What few coupons have.
#[derive(Clone, Debug, Default)]
struct More {
    ended: Vec<(u64, Ending)>,
    /// The last day on which it is valid, whatever the batch says.
    through: Option<Day>,
}

impl Default for Coupon {
    fn default() -> Self {
        Self { state: CouponState::Granted, more: None }
    }
}

impl Coupon {
    /// The last day on which it is valid, if that is its own and not the batch's.
    #[must_use]
    pub fn through(&self) -> Option<Day> {
        self.more.as_ref().and_then(|more| more.through)
    }

    /// What `action` by `order` does. `expired` says whether the time of a coupon that nobody locked has passed.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "a row for each state, as in the table of the specification")]
    pub fn verdict(&self, action: Action, order: u64, expired: bool) -> Verdict {
        use CouponRefusal::{Expired, OrderConflict, OrderEnded, State};
        use Verdict::{Changes, Refused, Repeats};
        let ended = self.ending(order);
        match (self.state, action) {
            (CouponState::Granted, Action::Unlock) => self.unlock_by_stranger(ended),
            (CouponState::Granted, Action::Restore) if ended == Some(Ending::Restored) => Repeats,
            (CouponState::Granted, Action::Restore) => Refused(State),
            (CouponState::Granted, _) if expired => Refused(Expired),
            (CouponState::Granted, Action::Lock | Action::Redeem) if ended.is_some() => Refused(OrderEnded),
            (CouponState::Granted, Action::Lock) => self.if_room(Changes),
            (CouponState::Granted, Action::Redeem) => Refused(State),
            (CouponState::Granted, Action::Return | Action::Void) => Changes,

            (CouponState::Locked(owner), Action::Lock) if owner == order => Repeats,
            (CouponState::Locked(owner), Action::Unlock | Action::Redeem) if owner == order => Changes,
            (CouponState::Locked(_), Action::Unlock) => self.unlock_by_stranger(ended),
            (CouponState::Locked(_), Action::Lock | Action::Redeem) if ended.is_some() => Refused(OrderEnded),
            (CouponState::Locked(owner), Action::Restore) if owner == order => Refused(State),
            (CouponState::Locked(_), Action::Lock | Action::Redeem | Action::Restore) => Refused(OrderConflict),
            (CouponState::Locked(_), Action::Return | Action::Void) => Refused(State),

            (CouponState::Redeemed(owner), Action::Lock | Action::Redeem) if owner == order => Repeats,
            (CouponState::Redeemed(owner), Action::Restore) if owner == order => self.if_room(Changes),
            (CouponState::Redeemed(owner), Action::Unlock) if owner == order => Refused(State),
            (CouponState::Redeemed(_), Action::Unlock) => self.unlock_by_stranger(ended),
            (CouponState::Redeemed(_), Action::Restore) => Refused(OrderConflict),
            (CouponState::Redeemed(_), Action::Lock | Action::Redeem | Action::Return | Action::Void) => Refused(State),

            (CouponState::Returned(_), Action::Return | Action::Unlock)
            | (CouponState::Voided, Action::Void | Action::Unlock) => Repeats,
            (CouponState::Returned(_) | CouponState::Voided, _) => Refused(State),
        }
    }

    /// Does what the verdict allowed. `back` is the serial under which a returned unit came back, `through` the last
    /// day of a restored coupon.
    ///
    /// # Panics
    /// When it was not allowed.
    pub fn apply(&mut self, action: Action, order: u64, back: Option<u32>, through: Option<Day>) {
        self.state = match (action, self.state) {
            (Action::Lock, CouponState::Granted) => CouponState::Locked(order),
            (Action::Redeem, CouponState::Locked(owner)) if owner == order => CouponState::Redeemed(order),
            (Action::Return, CouponState::Granted) => CouponState::Returned(back),
            (Action::Void, CouponState::Granted) => CouponState::Voided,
            (Action::Unlock, CouponState::Locked(owner)) if owner == order => {
                self.end(order, Ending::Unlocked);
                CouponState::Granted
            }
            (Action::Restore, CouponState::Redeemed(owner)) if owner == order => {
                self.end(order, Ending::Restored);
                self.more.get_or_insert_default().through = through.or(self.through());
                CouponState::Granted
            }
            (action, state) => panic!("a coupon that is {state:?} cannot {action:?}"),
        };
    }

    /// Remembers that an order which never had the coupon may not have it any more.
    pub fn mark(&mut self, order: u64) {
        self.end(order, Ending::Unlocked);
    }

    fn end(&mut self, order: u64, how: Ending) {
        let ended = &mut self.more.get_or_insert_default().ended;
        assert!(ended.len() < ENDED_MAX, "there was room when it was decided");
        ended.push((order, how));
    }

    fn ending(&self, order: u64) -> Option<Ending> {
        let ended = self.more.as_ref()?.ended.iter();
        ended.rev().find(|(other, _)| *other == order).map(|(_, how)| *how)
    }

    /// An order that does not have the coupon gives it up.
    fn unlock_by_stranger(&self, ended: Option<Ending>) -> Verdict {
        if ended.is_some() { Verdict::Repeats } else { self.if_room(Verdict::Marks) }
    }

    /// The verdict, if another order that gives the coupon up can be remembered. A lock needs that room too: it must be
    /// possible to undo it.
    fn if_room(&self, verdict: Verdict) -> Verdict {
        let ended = self.more.as_ref().map_or(0, |more| more.ended.len());
        let promised = usize::from(matches!(self.state, CouponState::Locked(_) | CouponState::Redeemed(_)));
        let taken = if verdict == Verdict::Marks { ended + promised } else { ended };
        if taken < ENDED_MAX { verdict } else { Verdict::Refused(CouponRefusal::HistoryFull) }
    }
}

#[cfg(test)]
mod tests {
    use super::CouponRefusal::{Expired, HistoryFull, OrderConflict, OrderEnded, State};
    use super::Verdict::{Changes, Marks, Refused, Repeats};
    use super::*;

    const ACTIONS: [Action; 6] =
        [Action::Lock, Action::Unlock, Action::Redeem, Action::Restore, Action::Return, Action::Void];
    const O: u64 = 1;
    const P: u64 = 2;

    fn after(steps: &[(Action, u64)]) -> Coupon {
        let mut coupon = Coupon::default();
        for (action, order) in steps {
            match coupon.verdict(*action, *order, false) {
                Changes => coupon.apply(*action, *order, Some(9), None),
                Marks => coupon.mark(*order),
                other => panic!("{action:?} by {order}: {other:?}"),
            }
        }
        coupon
    }

    /// The table of the specification, row by row, for an order O.
    #[test]
    fn every_action_in_every_state_does_what_the_specification_says() {
        use Action::{Lock, Redeem, Restore, Return, Unlock, Void};
        let state = Refused(State);
        let rows = [
            (after(&[]), false, [Changes, Marks, state, state, Changes, Changes]),
            (
                after(&[(Unlock, O)]),
                false,
                [Refused(OrderEnded), Repeats, Refused(OrderEnded), state, Changes, Changes],
            ),
            (
                after(&[(Lock, O), (Redeem, O), (Restore, O)]),
                false,
                [Refused(OrderEnded), Repeats, Refused(OrderEnded), Repeats, Changes, Changes],
            ),
            (after(&[(Lock, O)]), false, [Repeats, Changes, Changes, state, state, state]),
            (after(&[(Lock, O)]), true, [Repeats, Changes, Changes, state, state, state]),
            (
                after(&[(Lock, P)]),
                false,
                [Refused(OrderConflict), Marks, Refused(OrderConflict), Refused(OrderConflict), state, state],
            ),
            (after(&[(Lock, O), (Redeem, O)]), false, [Repeats, state, Repeats, Changes, state, state]),
            (after(&[(Lock, P), (Redeem, P)]), false, [state, Marks, state, Refused(OrderConflict), state, state]),
            (after(&[(Return, O)]), false, [state, Repeats, state, state, Repeats, state]),
            (after(&[(Void, O)]), false, [state, Repeats, state, state, state, Repeats]),
            (after(&[]), true, [Refused(Expired), Marks, Refused(Expired), state, Refused(Expired), Refused(Expired)]),
        ];
        for (coupon, expired, wanted) in rows {
            let verdicts = ACTIONS.map(|action| coupon.verdict(action, O, expired));
            assert_eq!(verdicts, wanted, "{:?}, expired: {expired}", coupon.state);
        }
    }

    #[test]
    fn a_lock_that_arrives_after_its_unlock_has_no_effect() {
        let coupon = after(&[(Action::Unlock, O), (Action::Lock, P), (Action::Unlock, P)]);
        assert_eq!(coupon.verdict(Action::Lock, O, false), Refused(OrderEnded));
        assert_eq!(coupon.verdict(Action::Lock, P, false), Refused(OrderEnded));
        assert_eq!(coupon.verdict(Action::Lock, 3, false), Changes);
    }

    #[test]
    fn a_lock_can_always_be_undone_however_many_orders_are_remembered() {
        let mut coupon = Coupon::default();
        for order in 10..10 + ENDED_MAX as u64 - 1 {
            coupon.mark(order);
        }
        coupon.apply(Action::Lock, O, None, None);
        assert_eq!(coupon.verdict(Action::Unlock, P, false), Refused(HistoryFull), "that place is the owner's");
        let mut redeemed = coupon.clone();
        redeemed.apply(Action::Redeem, O, None, None);
        assert_eq!(redeemed.verdict(Action::Restore, O, false), Changes);
        coupon.apply(Action::Unlock, O, None, None);
        assert_eq!(coupon.verdict(Action::Lock, P, false), Refused(HistoryFull));
        assert_eq!(coupon.verdict(Action::Unlock, P, false), Refused(HistoryFull));
        assert_eq!(coupon.verdict(Action::Unlock, O, false), Repeats);
    }

    #[test]
    fn a_restored_coupon_keeps_the_longest_day_that_it_was_given() {
        let mut coupon = after(&[(Action::Lock, O), (Action::Redeem, O)]);
        coupon.apply(Action::Restore, O, None, Some(50));
        assert_eq!(coupon.through(), Some(50));
        coupon.apply(Action::Lock, P, None, None);
        coupon.apply(Action::Redeem, P, None, None);
        coupon.apply(Action::Restore, P, None, None);
        assert_eq!((coupon.through(), coupon.state), (Some(50), CouponState::Granted));
    }
}
