//! Items of the feed.

use serde_json::{Value, json};
use stockade_protocol::feed::{Acknowledge, Acknowledged, ConsumerInfo, Event, Forget, Kind, STORED, Subscribe};

use super::{Item, number, status, status_name, text, wide};

impl Item for Event {
    fn from_fields(fields: &Value) -> Self {
        let kind = Kind::from_number(number(fields, "kind")).expect("a known kind");
        let mut event = Event::new(kind, number(fields, "batch"), number(fields, "time_ms"));
        event.epoch.set(number(fields, "epoch"));
        event.index.set(number(fields, "index"));
        event.units = number(fields, "units");
        event.client.set(number(fields, "client"));
        event.user.set(number(fields, "user"));
        event.request.set(number(fields, "request"));
        event.order.set(number(fields, "order"));
        event.serial.set(number(fields, "serial"));
        event.value.set(number(fields, "value"));
        event
    }

    fn fields(&self) -> Value {
        json!({
            "epoch": wide(self.epoch),
            "index": self.index.get(),
            "kind": self.kind().expect("a known kind") as u8,
            "units": self.units,
            "client": self.client.get(),
            "batch": wide(self.batch),
            "user": wide(self.user),
            "request": wide(self.request),
            "order": wide(self.order),
            "time_ms": wide(self.time_ms),
            "serial": self.serial.get(),
            "value": self.value.get(),
        })
    }
}

impl Item for Subscribe {
    fn from_fields(fields: &Value) -> Self {
        let (epoch, index, window) = (number(fields, "epoch"), number(fields, "index"), number(fields, "window"));
        let subscribe = Subscribe::from(epoch, index, window, text(fields, "consumer")).expect("a name that fits");
        match number::<u8>(fields, "flags") {
            0 => subscribe,
            STORED => subscribe.stored(),
            other => panic!("flags {other} of a subscription"),
        }
    }

    fn fields(&self) -> Value {
        json!({
            "epoch": wide(self.epoch),
            "index": self.index.get(),
            "window": self.window.get(),
            "flags": if self.is_stored() { STORED } else { 0 },
            "consumer": self.consumer(),
        })
    }
}

impl Item for Acknowledge {
    fn from_fields(fields: &Value) -> Self {
        Acknowledge::new(number(fields, "subscription"), number(fields, "epoch"), number(fields, "index"))
    }

    fn fields(&self) -> Value {
        json!({
            "subscription": wide(self.subscription),
            "epoch": wide(self.epoch),
            "index": self.index.get(),
        })
    }
}

impl Item for Acknowledged {
    fn from_fields(fields: &Value) -> Self {
        Acknowledged::new(status(fields), number(fields, "epoch"))
    }

    fn fields(&self) -> Value {
        json!({"status": status_name(self.status()), "epoch": wide(self.epoch)})
    }
}

impl Item for ConsumerInfo {
    fn from_fields(fields: &Value) -> Self {
        let cursor = (number(fields, "epoch"), number(fields, "index"));
        let connected = number::<u8>(fields, "connected") == 1;
        ConsumerInfo::new(text(fields, "consumer"), cursor, connected, number(fields, "behind_bytes"))
    }

    fn fields(&self) -> Value {
        json!({
            "epoch": wide(self.epoch),
            "index": self.index.get(),
            "connected": u8::from(self.is_connected()),
            "behind_bytes": wide(self.behind_bytes),
            "consumer": self.consumer(),
        })
    }
}

impl Item for Forget {
    fn from_fields(fields: &Value) -> Self {
        Forget::new(text(fields, "consumer")).expect("a name that fits")
    }

    fn fields(&self) -> Value {
        json!({"consumer": self.consumer()})
    }
}
