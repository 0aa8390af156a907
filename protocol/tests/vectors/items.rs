//! Each item of the protocol to and from the fields that `vectors.json` names.

mod batches;
mod claims;
mod connections;
mod coupons;
mod feed;
mod stats;

use serde_json::Value;
use stockade_protocol::batch::{self, AddStock, BatchId, BatchInfo, Create, Edit, RefusalCount, Stats, StatsQuery};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey, SerialRun};
use stockade_protocol::coupon::{self, Changed, CouponInfo, CouponKey};
use stockade_protocol::fault::Fault;
use stockade_protocol::feed::{Acknowledge, Acknowledged, ConsumerInfo, Event, Forget, Subscribe};
use stockade_protocol::hello::{ClientInfo, Hello, Page, Welcome};
use stockade_protocol::ping::Ping;
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::wallet::{WalletItem, WalletQuery};
use stockade_protocol::{Frame, Opcode, Status};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::names::opcode_name;

/// An item that can be built from the fields of a vector, and read back into them, through the crate's public API.
trait Item: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned {
    fn from_fields(fields: &Value) -> Self;
    fn fields(&self) -> Value;
}

/// The bodies of both directions: `encode` builds the bytes of a vector's items, `decode` reads a frame's items.
pub(crate) struct Body {
    /// Bytes of all items with these fields.
    pub(crate) encode: fn(&[Value]) -> Vec<u8>,
    /// Fields of all items of the frame.
    pub(crate) decode: fn(&Frame<'_>) -> Vec<Value>,
}

impl Body {
    const fn of<T: Item>() -> Self {
        Self {
            encode: |items| items.iter().flat_map(|fields| T::from_fields(fields).as_bytes().to_vec()).collect(),
            decode: |frame| frame.items::<T>().expect("items of the opcode").iter().map(T::fields).collect(),
        }
    }

    /// The body of a request.
    pub(crate) fn of_request(opcode: Opcode) -> Self {
        match opcode {
            Opcode::Hello => Self::of::<Hello>(),
            Opcode::Ping => Self::of::<Ping>(),
            Opcode::ClientList | Opcode::FeedList => Self::of::<Page>(),
            Opcode::Claim => Self::of::<Claim>(),
            Opcode::Lookup | Opcode::Serials | Opcode::Confirm | Opcode::Cancel => Self::of::<RequestKey>(),
            Opcode::Reserve => Self::of::<Reserve>(),
            Opcode::Extend => Self::of::<Extend>(),
            Opcode::BatchCreate => Self::of::<Create>(),
            Opcode::BatchShow | Opcode::BatchRefusals | Opcode::BatchReconcile => Self::of::<BatchId>(),
            Opcode::BatchList => Self::of::<batch::List>(),
            Opcode::BatchChange => Self::of::<batch::Change>(),
            Opcode::BatchAddStock | Opcode::BatchWithdraw => Self::of::<AddStock>(),
            Opcode::BatchEdit => Self::of::<Edit>(),
            Opcode::BatchStats => Self::of::<StatsQuery>(),
            Opcode::CouponChange => Self::of::<coupon::Change>(),
            Opcode::CouponShow | Opcode::CouponLog => Self::of::<CouponKey>(),
            Opcode::CouponList => Self::of::<coupon::List>(),
            Opcode::Wallet => Self::of::<WalletQuery>(),
            Opcode::FeedSubscribe => Self::of::<Subscribe>(),
            Opcode::FeedAcknowledge => Self::of::<Acknowledge>(),
            Opcode::FeedForget => Self::of::<Forget>(),
            Opcode::Fault => panic!("a fault is no request"),
        }
    }

    /// The body of a reply.
    pub(crate) fn of_reply(opcode: Opcode) -> Self {
        match opcode {
            Opcode::Hello => Self::of::<Welcome>(),
            Opcode::Ping => Self::of::<Ping>(),
            Opcode::ClientList => Self::of::<ClientInfo>(),
            Opcode::Claim | Opcode::Lookup | Opcode::Reserve | Opcode::Confirm | Opcode::Cancel | Opcode::Extend => {
                Self::of::<ClaimReply>()
            }
            Opcode::Serials => Self::of::<SerialRun>(),
            Opcode::BatchCreate
            | Opcode::BatchShow
            | Opcode::BatchList
            | Opcode::BatchChange
            | Opcode::BatchAddStock
            | Opcode::BatchEdit
            | Opcode::BatchWithdraw => Self::of::<BatchInfo>(),
            Opcode::BatchStats | Opcode::BatchReconcile => Self::of::<Stats>(),
            Opcode::BatchRefusals => Self::of::<RefusalCount>(),
            Opcode::CouponChange => Self::of::<Changed>(),
            Opcode::CouponShow | Opcode::CouponList => Self::of::<CouponInfo>(),
            Opcode::CouponLog | Opcode::FeedSubscribe => Self::of::<Event>(),
            Opcode::Wallet => Self::of::<WalletItem>(),
            Opcode::FeedAcknowledge | Opcode::FeedForget => Self::of::<Acknowledged>(),
            Opcode::FeedList => Self::of::<ConsumerInfo>(),
            Opcode::Fault => Self::of::<Fault>(),
        }
    }
}

/// The opcode with this name.
pub(crate) fn opcode_named(name: &str) -> Opcode {
    Opcode::ALL.iter().copied().find(|opcode| opcode_name(*opcode) == name).expect(name)
}

/// The status with this name.
pub(crate) fn status_named(name: &str) -> Status {
    Status::ALL.iter().copied().find(|status| status.name() == name).expect(name)
}

/// A text field of a vector.
pub(crate) fn text<'a>(fields: &'a Value, name: &str) -> &'a str {
    fields[name].as_str().unwrap_or_else(|| panic!("no text {name} in {fields}"))
}

/// A number of a vector. Those of 64 bits are decimal strings.
pub(crate) fn number<T: TryFrom<u64>>(fields: &Value, name: &str) -> T {
    let wide = match &fields[name] {
        Value::String(digits) => digits.parse().ok(),
        other => other.as_u64(),
    };
    let narrow = wide.and_then(|value| T::try_from(value).ok());
    narrow.unwrap_or_else(|| panic!("no fitting number {name} in {fields}"))
}

/// A number of a vector that may be below zero.
fn signed(fields: &Value, name: &str) -> i32 {
    let narrow = fields[name].as_i64().and_then(|value| i32::try_from(value).ok());
    narrow.unwrap_or_else(|| panic!("no fitting number {name} in {fields}"))
}

/// 0 stands for "none".
fn optional<T: TryFrom<u64> + PartialEq + From<u8>>(fields: &Value, name: &str) -> Option<T> {
    Some(number(fields, name)).filter(|value| *value != T::from(0))
}

/// The bytes that a text of hexadecimal digits stands for.
pub(crate) fn bytes_of(digits: &str) -> Vec<u8> {
    assert_eq!(digits.len() % 2, 0, "{digits}");
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hexadecimal")).collect()
}

fn status(fields: &Value) -> Status {
    status_named(text(fields, "status"))
}

fn status_name(status: Option<Status>) -> &'static str {
    status.expect("a status of the specification").name()
}

fn wide(value: impl Into<u64>) -> Value {
    Value::String(value.into().to_string())
}
