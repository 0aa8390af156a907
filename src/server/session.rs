//! Who a connection is, and what it may ask for.

use stockade_protocol::frame::Opcode;
use stockade_protocol::hello::{Hello, Welcome};
use stockade_protocol::limits::{CLAIMS_PER_FRAME_MAX, HANDSHAKE_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX};
use stockade_protocol::{Frame, Status};

use super::options::ServerOptions;
use crate::access::Role;
use crate::engine::{Burst, Engine, Rights};
use crate::types::ClientNumber;

/// What is known of a connection's client.
#[derive(Default)]
pub(super) struct Session {
    role: Option<Role>,
    name: String,
    /// Whether it ever asked for the feed.
    pub(super) subscribes: bool,
    /// Whether most requests of its last large frame had been made before: the next one's are then likely so too.
    pub(super) retries: bool,
    /// The number that stands for the name, once it is known and durable.
    client: ClientNumber,
}

impl Session {
    /// Bytes that a request's body may have now.
    pub(super) fn body_bytes_max(&self) -> usize {
        if self.is_greeted() { REQUEST_BODY_BYTES_MAX } else { HANDSHAKE_BODY_BYTES_MAX }
    }

    /// Whether the handshake succeeded.
    pub(super) fn is_greeted(&self) -> bool {
        self.role.is_some()
    }

    /// Whether the client may ask for this.
    ///
    /// # Errors
    /// The status to refuse the frame with.
    pub(super) fn may(&self, opcode: Opcode) -> Result<(), Status> {
        let Some(role) = self.role else {
            return if opcode == Opcode::Hello { Ok(()) } else { Err(Status::HandshakeRequired) };
        };
        match opcode {
            Opcode::Hello => Err(Status::HandshakeRequired),
            Opcode::Fault => Err(Status::OpcodeUnknown),
            Opcode::Ping
            | Opcode::Claim
            | Opcode::Lookup
            | Opcode::Serials
            | Opcode::Reserve
            | Opcode::Confirm
            | Opcode::Cancel
            | Opcode::Extend
            | Opcode::BatchShow
            | Opcode::BatchList
            | Opcode::BatchStats
            | Opcode::BatchRefusals
            | Opcode::CouponChange
            | Opcode::CouponShow
            | Opcode::CouponLog
            | Opcode::Wallet => Ok(()),
            Opcode::ClientList
            | Opcode::BatchCreate
            | Opcode::BatchChange
            | Opcode::BatchAddStock
            | Opcode::BatchEdit
            | Opcode::BatchWithdraw
            | Opcode::BatchReconcile
            | Opcode::CouponList
            | Opcode::FeedSubscribe
            | Opcode::FeedAcknowledge
            | Opcode::FeedList
            | Opcode::FeedForget => match role {
                Role::Operator => Ok(()),
                Role::Claim => Err(Status::Forbidden),
            },
        }
    }

    /// What the client may do with coupons.
    pub(super) fn rights(&self) -> Rights {
        match self.role {
            Some(Role::Operator) => Rights::Operator,
            Some(Role::Claim) | None => Rights::Gateway,
        }
    }

    /// The number that stands for the client in the journal.
    pub(super) fn client(&mut self, burst: &mut Burst<'_>) -> ClientNumber {
        if self.client == 0 {
            self.client = burst.client_named(&self.name);
        }
        self.client
    }

    /// Answers the handshake.
    ///
    /// # Errors
    /// The status to refuse it with; the connection must close.
    pub(super) fn greet(
        &mut self,
        frame: &Frame<'_>,
        options: &ServerOptions,
        engine: &Engine,
    ) -> Result<Welcome, Status> {
        let (name, token) = frame.item::<Hello>()?.texts()?;
        name.clone_into(&mut self.name);
        self.role = Some(options.access.role(token).ok_or(Status::TokenInvalid)?);
        let mut welcome = Welcome::new(options.durability, env!("CARGO_PKG_VERSION"));
        welcome.cores.set(u16::try_from(engine.cores()).unwrap_or(u16::MAX));
        welcome.claims_per_frame_max.set(CLAIMS_PER_FRAME_MAX);
        welcome.in_flight_claims_max.set(u32::try_from(options.in_flight_per_connection_max).unwrap_or(u32::MAX));
        welcome.ttl_s_max.set(engine.ttl_s_max());
        welcome.store_id.set(engine.store_id());
        welcome.durable_epoch.set(engine.journal().durable());
        welcome.now_ms.set(engine.now_ms());
        Ok(welcome)
    }
}
