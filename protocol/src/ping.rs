//! Ping: eight bytes that come back.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Request and reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Ping {
    /// Anything; returned as it is.
    pub nonce: U64,
}

const _: () = assert!(size_of::<Ping>() == 8);
