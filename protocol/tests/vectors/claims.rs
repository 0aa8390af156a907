//! Items of claims and reservations.

use serde_json::{Value, json};
use stockade_protocol::Status;
use stockade_protocol::claim::{ABOUT, Claim, ClaimReply, REPLAYED, RequestKey, SerialRun, UP_TO};
use stockade_protocol::reservation::{Extend, Reserve};

use super::{Item, number, status, status_name, wide};

/// Batch, user and request.
fn ids(fields: &Value) -> (u64, u64, u64) {
    (number(fields, "batch"), number(fields, "user"), number(fields, "request"))
}

fn is_up_to(fields: &Value) -> bool {
    match number::<u8>(fields, "flags") {
        0 => false,
        UP_TO => true,
        other => panic!("flags {other} of {fields}"),
    }
}

impl Item for Claim {
    fn from_fields(fields: &Value) -> Self {
        let (batch, user, request) = ids(fields);
        let claim = Claim::new(batch, user, request, number(fields, "quantity"));
        let claim = claim.with_audience(number(fields, "audience"));
        if is_up_to(fields) { claim.up_to() } else { claim }
    }

    fn fields(&self) -> Value {
        json!({
            "batch": wide(self.batch),
            "user": wide(self.user),
            "request": wide(self.request),
            "audience": self.audience.get(),
            "quantity": self.quantity,
            "flags": if self.is_up_to() { UP_TO } else { 0 },
        })
    }
}

impl Item for RequestKey {
    fn from_fields(fields: &Value) -> Self {
        let (batch, user, request) = ids(fields);
        RequestKey::new(batch, user, request)
    }

    fn fields(&self) -> Value {
        json!({"batch": wide(self.batch), "user": wide(self.user), "request": wide(self.request)})
    }
}

impl Item for Reserve {
    fn from_fields(fields: &Value) -> Self {
        let (batch, user, request) = ids(fields);
        let reserve = Reserve::new(batch, user, request, number(fields, "quantity"), number(fields, "ttl_s"));
        let reserve = reserve.with_audience(number(fields, "audience"));
        if is_up_to(fields) { reserve.up_to() } else { reserve }
    }

    fn fields(&self) -> Value {
        json!({
            "batch": wide(self.batch),
            "user": wide(self.user),
            "request": wide(self.request),
            "audience": self.audience.get(),
            "quantity": self.quantity,
            "flags": if self.is_up_to() { UP_TO } else { 0 },
            "ttl_s": self.ttl_s.get(),
        })
    }
}

impl Item for Extend {
    fn from_fields(fields: &Value) -> Self {
        let (batch, user, request) = ids(fields);
        Extend::new(batch, user, request, number(fields, "ttl_s"))
    }

    fn fields(&self) -> Value {
        json!({
            "batch": wide(self.batch),
            "user": wide(self.user),
            "request": wide(self.request),
            "ttl_s": self.ttl_s.get(),
        })
    }
}

impl Item for ClaimReply {
    fn from_fields(fields: &Value) -> Self {
        let units = || (number(fields, "granted"), number(fields, "serial"), number(fields, "run"));
        let mut reply = match status(fields) {
            Status::Granted => {
                let (granted, serial, run) = units();
                ClaimReply::granted(granted, serial, run)
            }
            Status::Reserved => {
                let (granted, serial, run) = units();
                ClaimReply::reserved(granted, serial, run)
            }
            without_units => ClaimReply::refused(without_units),
        };
        // SPLIT follows from the units.
        reply.flags |= number::<u8>(fields, "flags") & (REPLAYED | ABOUT);
        reply.remaining.set(number(fields, "remaining"));
        reply.user_units.set(number(fields, "user_units"));
        reply.day_units.set(number(fields, "day_units"));
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
            "day_units": self.day_units.get(),
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
