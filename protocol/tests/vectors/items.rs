//! Each item of the protocol to and from the fields that `vectors.json` names.

use serde_json::{Value, json};
use stockade_protocol::batch::{Action, AddStock, BatchId, BatchInfo, Change, Create, DRAFT, List, State, Terms};
use stockade_protocol::claim::{Claim, ClaimReply, REPLAYED, RequestKey, SerialRun, UP_TO};
use stockade_protocol::fault::Fault;
use stockade_protocol::hello::{Durability, Hello, Welcome};
use stockade_protocol::limits::VERSION;
use stockade_protocol::ping::Ping;
use stockade_protocol::{Frame, Opcode, Status};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

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
            Opcode::Claim => Self::of::<Claim>(),
            Opcode::Lookup | Opcode::Serials => Self::of::<RequestKey>(),
            Opcode::BatchCreate => Self::of::<Create>(),
            Opcode::BatchShow => Self::of::<BatchId>(),
            Opcode::BatchList => Self::of::<List>(),
            Opcode::BatchChange => Self::of::<Change>(),
            Opcode::BatchAddStock => Self::of::<AddStock>(),
            Opcode::Fault => panic!("a fault is no request"),
        }
    }

    /// The body of a reply.
    pub(crate) fn of_reply(opcode: Opcode) -> Self {
        match opcode {
            Opcode::Hello => Self::of::<Welcome>(),
            Opcode::Ping => Self::of::<Ping>(),
            Opcode::Claim | Opcode::Lookup => Self::of::<ClaimReply>(),
            Opcode::Serials => Self::of::<SerialRun>(),
            Opcode::BatchCreate
            | Opcode::BatchShow
            | Opcode::BatchList
            | Opcode::BatchChange
            | Opcode::BatchAddStock => Self::of::<BatchInfo>(),
            Opcode::Fault => Self::of::<Fault>(),
        }
    }
}

/// The name that the specification gives to an opcode.
pub(crate) fn opcode_name(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::Hello => "HELLO",
        Opcode::Ping => "PING",
        Opcode::Claim => "CLAIM",
        Opcode::Lookup => "LOOKUP",
        Opcode::Serials => "SERIALS",
        Opcode::BatchCreate => "BATCH_CREATE",
        Opcode::BatchShow => "BATCH_SHOW",
        Opcode::BatchList => "BATCH_LIST",
        Opcode::BatchChange => "BATCH_CHANGE",
        Opcode::BatchAddStock => "BATCH_ADD_STOCK",
        Opcode::Fault => "FAULT",
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

/// 0 stands for "none".
fn optional<T: TryFrom<u64> + PartialEq + From<u8>>(fields: &Value, name: &str) -> Option<T> {
    Some(number(fields, name)).filter(|value| *value != T::from(0))
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

impl Item for Hello {
    fn from_fields(fields: &Value) -> Self {
        Hello::new(text(fields, "client_name"), text(fields, "token")).expect("texts that fit")
    }

    fn fields(&self) -> Value {
        let (client_name, token) = self.texts().expect("valid texts");
        json!({"client_name": client_name, "token": token})
    }
}

impl Item for Welcome {
    fn from_fields(fields: &Value) -> Self {
        let mode: u8 = number(fields, "durability");
        let mode = Durability::ALL.into_iter().find(|known| *known as u8 == mode).expect("a known mode");
        let mut welcome = Welcome::new(mode, text(fields, "server_version"));
        assert_eq!(u64::from(welcome.protocol_version), number::<u64>(fields, "protocol_version"));
        welcome.cores.set(number(fields, "cores"));
        welcome.claims_per_frame_max.set(number(fields, "claims_per_frame_max"));
        welcome.in_flight_claims_max.set(number(fields, "in_flight_claims_max"));
        welcome.store_id.set(number(fields, "store_id"));
        welcome.durable_epoch.set(number(fields, "durable_epoch"));
        welcome.now_ms.set(number(fields, "now_ms"));
        welcome
    }

    fn fields(&self) -> Value {
        json!({
            "protocol_version": self.protocol_version,
            "durability": self.durability().expect("a known mode") as u8,
            "cores": self.cores.get(),
            "claims_per_frame_max": self.claims_per_frame_max.get(),
            "in_flight_claims_max": self.in_flight_claims_max.get(),
            "store_id": wide(self.store_id),
            "durable_epoch": wide(self.durable_epoch),
            "now_ms": wide(self.now_ms),
            "server_version": self.server_version(),
        })
    }
}

impl Item for Ping {
    fn from_fields(fields: &Value) -> Self {
        Ping { nonce: number::<u64>(fields, "nonce").into() }
    }

    fn fields(&self) -> Value {
        json!({"nonce": wide(self.nonce)})
    }
}

impl Item for Claim {
    fn from_fields(fields: &Value) -> Self {
        let (batch, user, request) = (number(fields, "batch"), number(fields, "user"), number(fields, "request"));
        let claim = Claim::new(batch, user, request, number(fields, "quantity"));
        match number::<u8>(fields, "flags") {
            0 => claim,
            UP_TO => claim.up_to(),
            other => panic!("flags {other} of a claim"),
        }
    }

    fn fields(&self) -> Value {
        assert!(self.is_well_formed());
        let flags = if self.is_up_to() { UP_TO } else { 0 };
        json!({
            "batch": wide(self.batch),
            "user": wide(self.user),
            "request": wide(self.request),
            "quantity": self.quantity,
            "flags": flags,
        })
    }
}

impl Item for RequestKey {
    fn from_fields(fields: &Value) -> Self {
        RequestKey::new(number(fields, "batch"), number(fields, "user"), number(fields, "request"))
    }

    fn fields(&self) -> Value {
        json!({"batch": wide(self.batch), "user": wide(self.user), "request": wide(self.request)})
    }
}

impl Item for ClaimReply {
    fn from_fields(fields: &Value) -> Self {
        let mut reply = match status(fields) {
            Status::Granted => {
                ClaimReply::granted(number(fields, "granted"), number(fields, "serial"), number(fields, "run"))
            }
            refusal => ClaimReply::refused(refusal),
        };
        reply.flags |= number::<u8>(fields, "flags") & REPLAYED;
        reply.remaining.set(number(fields, "remaining"));
        reply.user_units.set(number(fields, "user_units"));
        reply.epoch.set(number(fields, "epoch"));
        reply
    }

    fn fields(&self) -> Value {
        assert_eq!((self.is_replayed(), self.is_split()), (self.flags & 1 != 0, self.flags & 2 != 0));
        json!({
            "status": status_name(self.status()),
            "flags": self.flags,
            "granted": self.granted,
            "run": self.run,
            "serial": self.serial.get(),
            "remaining": self.remaining.get(),
            "user_units": self.user_units.get(),
            "epoch": wide(self.epoch),
        })
    }
}

impl Item for SerialRun {
    fn from_fields(fields: &Value) -> Self {
        SerialRun { first: number::<u32>(fields, "first").into(), count: number::<u32>(fields, "count").into() }
    }

    fn fields(&self) -> Value {
        json!({"first": self.first.get(), "count": self.count.get()})
    }
}

impl Item for Create {
    fn from_fields(fields: &Value) -> Self {
        let terms = Terms {
            stock: number(fields, "stock"),
            per_user: optional(fields, "per_user"),
            starts_ms: optional(fields, "starts_ms"),
            ends_ms: optional(fields, "ends_ms"),
            draft: number::<u8>(fields, "flags") == DRAFT,
            name: text(fields, "name").to_owned(),
        };
        Create::new(number(fields, "batch"), &terms).expect("a name that fits")
    }

    fn fields(&self) -> Value {
        assert!(self.is_well_formed());
        let terms = self.terms().expect("possible terms");
        json!({
            "batch": wide(self.batch),
            "stock": terms.stock,
            "per_user": terms.per_user.unwrap_or(0),
            "starts_ms": wide(terms.starts_ms.unwrap_or(0)),
            "ends_ms": wide(terms.ends_ms.unwrap_or(0)),
            "flags": u8::from(terms.draft),
            "name": terms.name,
        })
    }
}

impl Item for BatchId {
    fn from_fields(fields: &Value) -> Self {
        BatchId { batch: number::<u64>(fields, "batch").into() }
    }

    fn fields(&self) -> Value {
        json!({"batch": wide(self.batch)})
    }
}

impl Item for List {
    fn from_fields(fields: &Value) -> Self {
        List::new(number(fields, "from"), number(fields, "limit"))
    }

    fn fields(&self) -> Value {
        assert!(self.is_well_formed());
        json!({"from": wide(self.from), "limit": self.limit.get()})
    }
}

impl Item for Change {
    fn from_fields(fields: &Value) -> Self {
        Change::new(number(fields, "batch"), Action::from_number(number(fields, "action")).expect("a known action"))
    }

    fn fields(&self) -> Value {
        json!({"batch": wide(self.batch), "action": self.action().expect("a known action") as u8})
    }
}

impl Item for AddStock {
    fn from_fields(fields: &Value) -> Self {
        AddStock::new(number(fields, "batch"), number(fields, "request"), number(fields, "units"))
    }

    fn fields(&self) -> Value {
        assert!(self.is_well_formed());
        json!({"batch": wide(self.batch), "request": wide(self.request), "units": self.units.get()})
    }
}

impl Item for BatchInfo {
    fn from_fields(fields: &Value) -> Self {
        let (status, batch, state) = (status(fields), number(fields, "batch"), number::<u8>(fields, "state"));
        let mut info = match State::ALL.into_iter().find(|known| *known as u8 == state) {
            Some(state) => BatchInfo::about(status, batch, state, text(fields, "name")),
            None => BatchInfo::refused(status, batch),
        };
        info.total.set(number(fields, "total"));
        info.granted.set(number(fields, "granted"));
        info.remaining.set(number(fields, "remaining"));
        info.per_user.set(number(fields, "per_user"));
        info.starts_ms.set(number(fields, "starts_ms"));
        info.ends_ms.set(number(fields, "ends_ms"));
        info.created_ms.set(number(fields, "created_ms"));
        info.epoch.set(number(fields, "epoch"));
        info
    }

    fn fields(&self) -> Value {
        json!({
            "status": status_name(self.status()),
            "state": self.state().map_or(0, |state| state as u8),
            "batch": wide(self.batch),
            "total": self.total.get(),
            "granted": self.granted.get(),
            "remaining": self.remaining.get(),
            "per_user": self.per_user.get(),
            "starts_ms": wide(self.starts_ms),
            "ends_ms": wide(self.ends_ms),
            "created_ms": wide(self.created_ms),
            "epoch": wide(self.epoch),
            "name": self.name(),
        })
    }
}

impl Item for Fault {
    fn from_fields(fields: &Value) -> Self {
        assert_eq!(number::<u8>(fields, "version"), VERSION);
        Fault::new(status(fields), text(fields, "text"))
    }

    fn fields(&self) -> Value {
        json!({"status": status_name(self.status()), "version": self.version(), "text": self.text()})
    }
}
