//! Items of connections: handshake, ping, names of clients, faults.

use serde_json::{Value, json};
use stockade_protocol::fault::Fault;
use stockade_protocol::hello::{ClientInfo, Durability, Hello, Page, Welcome};
use stockade_protocol::limits::VERSION;
use stockade_protocol::ping::Ping;

use super::{Item, number, status, status_name, text, wide};

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
        let mode = Durability::from_number(mode).expect("a known mode");
        let mut welcome = Welcome::new(mode, text(fields, "server_version"));
        assert_eq!(u64::from(welcome.protocol_version), number::<u64>(fields, "protocol_version"));
        welcome.cores.set(number(fields, "cores"));
        welcome.claims_per_frame_max.set(number(fields, "claims_per_frame_max"));
        welcome.in_flight_claims_max.set(number(fields, "in_flight_claims_max"));
        welcome.ttl_s_max.set(number(fields, "ttl_s_max"));
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
            "ttl_s_max": self.ttl_s_max.get(),
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

impl Item for Page {
    fn from_fields(fields: &Value) -> Self {
        Page { from: number::<u32>(fields, "from").into(), limit: number::<u32>(fields, "limit").into() }
    }

    fn fields(&self) -> Value {
        json!({"from": self.from.get(), "limit": self.limit.get()})
    }
}

impl Item for ClientInfo {
    fn from_fields(fields: &Value) -> Self {
        ClientInfo::new(number(fields, "client"), text(fields, "name"))
    }

    fn fields(&self) -> Value {
        json!({"client": self.client.get(), "name": self.name()})
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
