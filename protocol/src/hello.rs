//! The handshake: the first frame of a connection, and its answer.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::{CLIENT_NAME_BYTES_MAX, SERVER_VERSION_BYTES_MAX, TOKEN_BYTES_MAX};
use crate::numbered::numbered;
use crate::status::Status;
use crate::text::{FixedText, TextError};

/// Who the client is.
///
/// ```text
/// offset  0  reserved      8 bytes, zero
///         8  client_name  56 bytes, UTF-8 padded with zeros; for the server's log
///        64  token        64 bytes, UTF-8 padded with zeros; empty where none is asked for
/// ```
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Hello {
    reserved: [u8; 8],
    client_name: FixedText<CLIENT_NAME_BYTES_MAX>,
    token: FixedText<TOKEN_BYTES_MAX>,
}

const _: () = assert!(size_of::<Hello>() == 128);

impl Hello {
    /// A handshake.
    ///
    /// # Errors
    /// When the name or the token does not fit its field.
    pub fn new(client_name: &str, token: &str) -> Result<Self, TextError> {
        let (client_name, token) = (FixedText::new(client_name)?, FixedText::new(token)?);
        Ok(Self { reserved: [0; 8], client_name, token })
    }

    /// The client's name and token.
    ///
    /// # Errors
    /// `Malformed` when a reserved bit is set or a text is not one.
    pub fn texts(&self) -> Result<(&str, &str), Status> {
        if self.reserved != [0; 8] {
            return Err(Status::Malformed);
        }
        match (self.client_name.text(), self.token.text()) {
            (Ok(name), Ok(token)) => Ok((name, token)),
            (Err(_), _) | (_, Err(_)) => Err(Status::Malformed),
        }
    }
}

numbered! {
    /// What an answer promises to survive.
    pub enum Durability {
        /// Synced to the disk before it is answered: survives the loss of power.
        Fsync = 0, "fsync";
        /// Handed to the operating system: survives the death of the process, not of the machine.
        Os = 1, "os";
        /// Kept in memory only: survives nothing.
        Memory = 2, "memory";
    }
}

impl Durability {
    /// The mode with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Durability> {
        Durability::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// What the server offers: its identity, durability and limits.
///
/// ```text
/// offset  0  protocol_version       u8
///         1  durability             u8    0 fsync, 1 os, 2 memory
///         2  cores                  u16   network threads
///         4  claims_per_frame_max   u32
///         8  in_flight_claims_max   u32   of one connection; more are answered OVERLOADED
///        12  ttl_s_max              u16   longest life of a reservation, in seconds
///        14  reserved               u16   zero
///        16  store_id               u64   stays with the data; 0 in memory mode
///        24  durable_epoch          u64   newest epoch that is durable
///        32  now_ms                 u64   server's clock, milliseconds since 1970
///        40  server_version        24 bytes, UTF-8 padded with zeros
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Welcome {
    /// Protocol version of the server.
    pub protocol_version: u8,
    durability: u8,
    /// Network threads.
    pub cores: U16,
    /// Most claims in one frame.
    pub claims_per_frame_max: U32,
    /// Most claims of one connection that wait for their answer; those beyond are answered `OVERLOADED`.
    pub in_flight_claims_max: U32,
    /// Longest life of a reservation, in seconds.
    pub ttl_s_max: U16,
    reserved: U16,
    /// Identity of the stored data: the same after every restart on it.
    pub store_id: U64,
    /// Newest epoch that is durable.
    pub durable_epoch: U64,
    /// The server's clock in milliseconds since 1970, UTC.
    pub now_ms: U64,
    server_version: FixedText<SERVER_VERSION_BYTES_MAX>,
}

const _: () = assert!(size_of::<Welcome>() == 64);

impl Welcome {
    /// A welcome with no limits and no identity yet: fill in the public fields.
    #[must_use]
    pub fn new(durability: Durability, server_version: &str) -> Self {
        Self {
            protocol_version: crate::limits::VERSION,
            durability: durability as u8,
            cores: U16::ZERO,
            claims_per_frame_max: U32::ZERO,
            in_flight_claims_max: U32::ZERO,
            ttl_s_max: U16::ZERO,
            reserved: U16::ZERO,
            store_id: U64::ZERO,
            durable_epoch: U64::ZERO,
            now_ms: U64::ZERO,
            server_version: FixedText::truncated(server_version),
        }
    }

    /// What the server's answers survive; `None` for a mode that this client does not know.
    #[must_use]
    pub fn durability(&self) -> Option<Durability> {
        Durability::from_number(self.durability)
    }

    /// The server's version.
    #[must_use]
    pub fn server_version(&self) -> &str {
        self.server_version.text_or_empty()
    }
}

/// Asks for a page of a list that counts from 0: of clients by number, of consumers by place.
///
/// ```text
/// offset  0  from   u32
///         4  limit  u32   1..=1024
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Page {
    /// Where it begins.
    pub from: U32,
    /// Most items wanted.
    pub limit: U32,
}

const _: () = assert!(size_of::<Page>() == 8);

impl Page {
    /// Whether the limit is one.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        crate::limits::is_page(self.limit.get())
    }
}

/// The number by which events name a client, and its name.
///
/// ```text
/// offset  0  client    u16
///         2  reserved  6 bytes, zero
///         8  name     56 bytes, UTF-8 padded with zeros
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct ClientInfo {
    /// The number.
    pub client: U16,
    reserved: [u8; 6],
    name: FixedText<CLIENT_NAME_BYTES_MAX>,
}

const _: () = assert!(size_of::<ClientInfo>() == 64);

impl ClientInfo {
    /// The client with this number and name.
    #[must_use]
    pub fn new(client: u16, name: &str) -> Self {
        Self { client: U16::new(client), reserved: [0; 6], name: FixedText::truncated(name) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.text_or_empty()
    }
}
