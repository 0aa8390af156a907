//! How a coupon looks.

use stockade_client::{Coupon, CouponState as State};

use super::super::record::{Record, Value};

/// Everything that a unit that was taken has.
pub(super) fn record(coupon: &Coupon) -> Record {
    Record::new()
        .with("batch", Value::number(coupon.batch))
        .with("serial", Value::number(coupon.serial))
        .with("state", state(coupon.state))
        .with("user", Value::number(coupon.user))
        .with("request", Value::number(coupon.request))
        .with("order", order(coupon.state, coupon.order))
        .with("taken", Value::Instant(Some(coupon.taken_ms), ""))
        .with("expires", Value::Instant(coupon.expires_ms, "never"))
        .with("changed", Value::Instant(Some(coupon.changed_ms), ""))
        .with("new_serial", Value::Number(coupon.new_serial.map(Into::into), "none"))
}

/// A coupon's state.
pub(in crate::cli) fn state(state: Option<State>) -> Value {
    Value::Word(state.map(State::name), "unknown")
}

/// The order that has a coupon. 0 stands for none, and for one that only operators are told.
pub(in crate::cli) fn order(state: Option<State>, order: u64) -> Value {
    let may_have_one = matches!(state, Some(State::Locked | State::Redeemed) | None);
    Value::Number(Some(order).filter(|order| *order != 0), if may_have_one { "not told" } else { "none" })
}
