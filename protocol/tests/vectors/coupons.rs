//! Items of coupons and wallets.

use serde_json::{Value, json};
use stockade_protocol::Status;
use stockade_protocol::coupon::{Action, Change, Changed, CouponInfo, CouponKey, List, State};
use stockade_protocol::wallet::{Cursor, WalletItem, WalletQuery};
use zerocopy::{FromBytes, IntoBytes};

use super::{Item, bytes_of, number, status, status_name, text, wide};

fn state(fields: &Value) -> Option<State> {
    let state = number::<u8>(fields, "state");
    let known = State::from_number(state);
    assert!(known.is_some() || state == 0, "state {state}");
    known
}

fn state_number(state: Option<State>) -> u8 {
    state.map_or(0, |state| state as u8)
}

fn cursor(fields: &Value) -> Cursor {
    Cursor::read_from_bytes(&bytes_of(text(fields, "cursor"))).expect("16 bytes")
}

fn cursor_digits(cursor: &Cursor) -> String {
    format!("{:032x}", u128::from_be_bytes(cursor.as_bytes().try_into().expect("16 bytes")))
}

impl Item for Change {
    fn from_fields(fields: &Value) -> Self {
        let action = Action::from_number(number(fields, "action")).expect("a known action");
        let (batch, user, order) = (number(fields, "batch"), number(fields, "user"), number(fields, "order"));
        Change::new(batch, user, number(fields, "serial"), action, order)
    }

    fn fields(&self) -> Value {
        json!({
            "batch": wide(self.batch),
            "user": wide(self.user),
            "order": wide(self.order),
            "serial": self.serial.get(),
            "action": self.action().expect("a known action") as u8,
        })
    }
}

impl Item for Changed {
    fn from_fields(fields: &Value) -> Self {
        let mut changed = match state(fields) {
            Some(state) => Changed::about(status(fields), state, number(fields, "serial")),
            None => Changed::refused(status(fields)),
        };
        changed.flags = number(fields, "flags");
        changed.order.set(number(fields, "order"));
        changed.epoch.set(number(fields, "epoch"));
        changed
    }

    fn fields(&self) -> Value {
        assert_eq!(self.is_replayed(), self.flags & 1 != 0);
        json!({
            "status": status_name(self.status()),
            "state": state_number(self.state()),
            "flags": self.flags,
            "serial": self.serial.get(),
            "order": wide(self.order),
            "epoch": wide(self.epoch),
        })
    }
}

impl Item for CouponKey {
    fn from_fields(fields: &Value) -> Self {
        CouponKey::new(number(fields, "batch"), number(fields, "serial"))
    }

    fn fields(&self) -> Value {
        json!({"batch": wide(self.batch), "serial": self.serial.get()})
    }
}

impl Item for List {
    fn from_fields(fields: &Value) -> Self {
        List {
            batch: number::<u64>(fields, "batch").into(),
            from: number::<u32>(fields, "from").into(),
            limit: number::<u32>(fields, "limit").into(),
            see_epoch: number::<u64>(fields, "see_epoch").into(),
        }
    }

    fn fields(&self) -> Value {
        json!({
            "batch": wide(self.batch),
            "from": self.from.get(),
            "limit": self.limit.get(),
            "see_epoch": wide(self.see_epoch),
        })
    }
}

impl Item for CouponInfo {
    fn from_fields(fields: &Value) -> Self {
        let (batch, serial) = (number(fields, "batch"), number(fields, "serial"));
        let mut info = match (status(fields), state(fields)) {
            (Status::Done, Some(state)) => CouponInfo::about(batch, serial, state),
            (refusal, None) => CouponInfo::refused(refusal, batch, serial),
            other => panic!("{other:?}"),
        };
        info.user.set(number(fields, "user"));
        info.request.set(number(fields, "request"));
        info.order.set(number(fields, "order"));
        info.taken_ms.set(number(fields, "taken_ms"));
        info.expires_ms.set(number(fields, "expires_ms"));
        info.changed_ms.set(number(fields, "changed_ms"));
        info.epoch.set(number(fields, "epoch"));
        info.new_serial.set(number(fields, "new_serial"));
        info
    }

    fn fields(&self) -> Value {
        json!({
            "status": status_name(self.status()),
            "state": state_number(self.state()),
            "serial": self.serial.get(),
            "batch": wide(self.batch),
            "user": wide(self.user),
            "request": wide(self.request),
            "order": wide(self.order),
            "taken_ms": wide(self.taken_ms),
            "expires_ms": wide(self.expires_ms),
            "changed_ms": wide(self.changed_ms),
            "epoch": wide(self.epoch),
            "new_serial": self.new_serial.get(),
        })
    }
}

impl Item for WalletQuery {
    fn from_fields(fields: &Value) -> Self {
        let states = number::<u16>(fields, "states");
        let wanted = State::ALL.into_iter().filter(|state| states >> *state as u8 & 1 != 0).collect::<Vec<_>>();
        let mut query = WalletQuery::new(number(fields, "user"), &wanted, number(fields, "limit"));
        query.cursor = cursor(fields);
        query.see_epoch.set(number(fields, "see_epoch"));
        query
    }

    fn fields(&self) -> Value {
        json!({
            "user": wide(self.user),
            "states": self.states.get(),
            "limit": self.limit.get(),
            "cursor": cursor_digits(&self.cursor),
            "see_epoch": wide(self.see_epoch),
        })
    }
}

impl Item for WalletItem {
    fn from_fields(fields: &Value) -> Self {
        let state = state(fields).expect("a state");
        let mut item = WalletItem::new(number(fields, "batch"), number(fields, "serial"), state);
        item.request.set(number(fields, "request"));
        item.cursor = cursor(fields);
        item.taken_ms.set(number(fields, "taken_ms"));
        item.expires_ms.set(number(fields, "expires_ms"));
        item.order.set(number(fields, "order"));
        item
    }

    fn fields(&self) -> Value {
        json!({
            "batch": wide(self.batch),
            "request": wide(self.request),
            "cursor": cursor_digits(&self.cursor),
            "taken_ms": wide(self.taken_ms),
            "expires_ms": wide(self.expires_ms),
            "order": wide(self.order),
            "serial": self.serial.get(),
            "state": self.state().expect("a known state") as u8,
        })
    }
}
