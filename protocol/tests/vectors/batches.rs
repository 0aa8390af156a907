//! Items of batch operations.

use serde_json::{Value, json};
use stockade_protocol::batch::{
    Action, AddStock, Audience, BatchId, BatchInfo, Change, Create, DRAFT, Edit, Fields, Holds, List, State, Terms,
    Validity,
};

use super::{Item, number, optional, status, status_name, text, wide};

/// The terms that a creation, an edit and the reply have in common.
fn terms(fields: &Value) -> Terms {
    Terms {
        stock: 0,
        per_user: optional(fields, "per_user"),
        per_user_day: optional(fields, "per_user_day"),
        per_day: optional(fields, "per_day"),
        quantity_max: optional(fields, "quantity_max"),
        audience: Audience {
            all: number(fields, "audience_all"),
            any: number(fields, "audience_any"),
            none: number(fields, "audience_none"),
        },
        holds: Holds { per_user: optional(fields, "holds_per_user"), share: optional(fields, "holds_share") },
        starts_ms: optional(fields, "starts_ms"),
        ends_ms: optional(fields, "ends_ms"),
        validity: Validity {
            expires_ms: optional(fields, "expires_ms"),
            valid_days: optional(fields, "valid_days"),
            return_days: number(fields, "return_days"),
        },
        zone: text(fields, "zone").to_owned(),
        draft: false,
        name: text(fields, "name").to_owned(),
    }
}

/// Those of the item itself, then those of its terms.
fn with_terms(mut own: Value, terms: &Terms) -> Value {
    let common = json!({
        "per_user": terms.per_user.unwrap_or(0),
        "per_user_day": terms.per_user_day.unwrap_or(0),
        "per_day": terms.per_day.unwrap_or(0),
        "quantity_max": terms.quantity_max.unwrap_or(0),
        "audience_all": terms.audience.all,
        "audience_any": terms.audience.any,
        "audience_none": terms.audience.none,
        "holds_per_user": terms.holds.per_user.unwrap_or(0),
        "holds_share": terms.holds.share.unwrap_or(0),
        "starts_ms": wide(terms.starts_ms.unwrap_or(0)),
        "ends_ms": wide(terms.ends_ms.unwrap_or(0)),
        "expires_ms": wide(terms.validity.expires_ms.unwrap_or(0)),
        "valid_days": terms.validity.valid_days.unwrap_or(0),
        "return_days": terms.validity.return_days,
        "zone": terms.zone,
        "name": terms.name,
    });
    let (Value::Object(own_fields), Value::Object(common)) = (&mut own, common) else { panic!("no objects") };
    own_fields.extend(common);
    own
}

impl Item for Create {
    fn from_fields(fields: &Value) -> Self {
        let draft = number::<u8>(fields, "flags") == DRAFT;
        let terms = Terms { stock: number(fields, "stock"), draft, ..terms(fields) };
        Create::new(number(fields, "batch"), &terms).expect("texts that fit")
    }

    fn fields(&self) -> Value {
        let terms = self.terms().expect("possible terms");
        let flags = if terms.draft { DRAFT } else { 0 };
        with_terms(json!({"batch": wide(self.batch), "stock": terms.stock, "flags": flags}), &terms)
    }
}

impl Item for Edit {
    fn from_fields(fields: &Value) -> Self {
        let (batch, bits) = (number(fields, "batch"), Fields(number(fields, "fields")));
        // An edit has neither stock nor draft: what they are here must not reach its bytes.
        let terms = Terms { stock: u32::MAX, draft: true, ..terms(fields) };
        Edit::new(batch, bits, &terms, number(fields, "version")).expect("texts that fit")
    }

    fn fields(&self) -> Value {
        let terms = self.terms().expect("possible terms");
        assert_eq!((terms.stock, terms.draft), (0, false));
        let own = json!({"batch": wide(self.batch()), "fields": Edit::fields(self).0, "version": self.version()});
        with_terms(own, &terms)
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
        json!({"batch": wide(self.batch), "request": wide(self.request), "units": self.units.get()})
    }
}

impl Item for BatchInfo {
    fn from_fields(fields: &Value) -> Self {
        let (status, batch, state) = (status(fields), number(fields, "batch"), number::<u8>(fields, "state"));
        let mut info = match State::from_number(state) {
            Some(state) => BatchInfo::about(status, batch, state, &terms(fields)),
            None => BatchInfo::refused(status, batch),
        };
        info.moved.set(number(fields, "moved"));
        info.total.set(number(fields, "total"));
        info.granted.set(number(fields, "granted"));
        info.remaining.set(number(fields, "remaining"));
        info.created_ms.set(number(fields, "created_ms"));
        info.epoch.set(number(fields, "epoch"));
        info.held.set(number(fields, "held"));
        info.voided.set(number(fields, "voided"));
        info.version.set(number(fields, "version"));
        info.day_units.set(number(fields, "day_units"));
        info
    }

    fn fields(&self) -> Value {
        let terms = self.terms();
        assert_eq!((terms.stock, terms.name.as_str()), (self.total.get(), self.name()));
        let own = json!({
            "status": status_name(self.status()),
            "state": self.state().map_or(0, |state| state as u8),
            "moved": self.moved.get(),
            "batch": wide(self.batch),
            "total": self.total.get(),
            "granted": self.granted.get(),
            "remaining": self.remaining.get(),
            "created_ms": wide(self.created_ms),
            "epoch": wide(self.epoch),
            "held": self.held.get(),
            "voided": self.voided.get(),
            "version": self.version.get(),
            "day_units": self.day_units.get(),
        });
        with_terms(own, &terms)
    }
}
