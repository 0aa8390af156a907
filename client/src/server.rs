//! What the server says of itself and of its clients.

use std::time::Duration;

use stockade_protocol::hello::{ClientInfo, Durability, Page, Welcome};
use stockade_protocol::ping::Ping;
use tokio::time::Instant;

use crate::client::Client;
use crate::error::ClientError;
use crate::request::{Request, page_limit};

/// What a ping sends. The correlation id tells pings apart; this only has to come back as it went.
pub(crate) const PING_NONCE: u64 = u64::from_le_bytes(*b"STOCKADE");

/// What the server said of itself in the newest handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its version.
    pub version: String,
    /// Protocol version that it speaks.
    pub protocol_version: u8,
    /// What its answers survive; `None` = a mode that this client does not know.
    pub durability: Option<Durability>,
    /// Its network threads.
    pub cores: u16,
    /// Most claims in one frame.
    pub claims_per_frame_max: u32,
    /// Most claims of one connection that wait for their answer.
    pub in_flight_claims_max: u32,
    /// Longest life of a reservation, in seconds.
    pub ttl_s_max: u16,
    /// Identity of the stored data, the same after every restart on it; 0 when it is kept in memory only.
    pub store_id: u64,
    /// Newest epoch that was durable then.
    pub durable_epoch: u64,
    /// Its clock then, in milliseconds since 1970.
    pub now_ms: u64,
}

impl Server {
    /// Reads a welcome.
    ///
    /// # Errors
    /// What is impossible about it.
    pub(crate) fn from_wire(welcome: &Welcome) -> Result<Self, &'static str> {
        let (claims_per_frame_max, in_flight_claims_max) =
            (welcome.claims_per_frame_max.get(), welcome.in_flight_claims_max.get());
        if claims_per_frame_max == 0 || in_flight_claims_max == 0 {
            return Err("its limits allow no claim at all");
        }
        Ok(Self {
            version: welcome.server_version().to_owned(),
            protocol_version: welcome.protocol_version,
            durability: welcome.durability(),
            cores: welcome.cores.get(),
            claims_per_frame_max,
            in_flight_claims_max,
            ttl_s_max: welcome.ttl_s_max.get(),
            store_id: welcome.store_id.get(),
            durable_epoch: welcome.durable_epoch.get(),
            now_ms: welcome.now_ms.get(),
        })
    }
}

/// A client of the server, as events name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName {
    /// The number by which events name it.
    pub client: u16,
    /// The name of its handshakes.
    pub name: String,
}

impl Client {
    /// Asks whether the server answers. Returns the time that took from the call on: the queue, and connecting where it
    /// was needed, included.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn ping(&self) -> Result<Duration, ClientError> {
        let start = Instant::now();
        self.call(Request::Ping(Ping { nonce: PING_NONCE.into() }), start).await?.into_ping();
        Ok(start.elapsed())
    }

    /// What the server said in the newest handshake: version, durability, limits, identity. Connects if no connection
    /// is open.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` or `Protocol`.
    pub async fn server(&self) -> Result<Server, ClientError> {
        if let Some(server) = self.handle().pool.server(true) {
            return Ok(server);
        }
        self.ping().await?;
        self.handle().pool.server(false).ok_or_else(|| self.broken("it answered a ping without a handshake"))
    }

    /// Lists up to `limit` (1..=1,024) of the clients that events name, from the number `from` on. The next page starts
    /// at the last number + 1; fewer than `limit` are the last page.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `InvalidInput` when the limit is out of range; else `Unavailable`, `Refused` or `Protocol`.
    pub async fn clients(&self, from: u32, limit: u32) -> Result<Vec<ClientName>, ClientError> {
        let page = Page { from: from.into(), limit: page_limit(limit)?.into() };
        let infos = self.call(Request::Clients(page), Instant::now()).await?.into_clients();
        let client = |info: &ClientInfo| ClientName { client: info.client.get(), name: info.name().to_owned() };
        Ok(infos.iter().map(client).collect())
    }
}
