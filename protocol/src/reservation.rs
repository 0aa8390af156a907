//! Reservations: taking units for a while.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::claim::UP_TO;

/// Takes units until the reservation is confirmed, cancelled or expires.
///
/// ```text
/// offset  0  batch     u64
///         8  user      u64
///        16  request   u64   unique per batch and user, claims included; a retry repeats it
///        24  audience  u32   what the gateway knows about the user
///        28  quantity  u8    1..=255
///        29  flags     u8    bit 0 UP_TO; others zero
///        30  ttl_s     u16   seconds that it lives, 1..=ttl_s_max of the welcome
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Reserve {
    /// Batch to take from.
    pub batch: U64,
    /// Who takes.
    pub user: U64,
    /// The caller's id of this request: the same for every retry of it.
    pub request: U64,
    /// 32 flags that the gateway knows about the user.
    pub audience: U32,
    /// Units asked for.
    pub quantity: u8,
    flags: u8,
    /// Seconds that the reservation lives.
    pub ttl_s: U16,
}

const _: () = assert!(size_of::<Reserve>() == 32);

impl Reserve {
    /// Reserves `quantity` units, all or none, for `ttl_s` seconds.
    #[must_use]
    pub fn new(batch: u64, user: u64, request: u64, quantity: u8, ttl_s: u16) -> Self {
        Self {
            batch: U64::new(batch),
            user: U64::new(user),
            request: U64::new(request),
            audience: U32::ZERO,
            quantity,
            flags: 0,
            ttl_s: U16::new(ttl_s),
        }
    }

    /// The same reservation, content with fewer units when there are fewer.
    #[must_use]
    pub fn up_to(mut self) -> Self {
        self.flags |= UP_TO;
        self
    }

    /// The same reservation for a user of this audience.
    #[must_use]
    pub fn with_audience(mut self, flags: u32) -> Self {
        self.audience.set(flags);
        self
    }

    /// Whether fewer units than asked for are welcome.
    #[must_use]
    pub fn is_up_to(&self) -> bool {
        self.flags & UP_TO != 0
    }

    /// Whether all reserved bits are zero.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.flags & !UP_TO == 0
    }
}

/// Lets a reservation live longer, once.
///
/// ```text
/// offset  0  batch     u64
///         8  user      u64
///        16  request   u64   of the reservation
///        24  ttl_s     u16   seconds that it lives from now
///        26  reserved  6 bytes, zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Extend {
    /// Batch that was reserved from.
    pub batch: U64,
    /// User who reserved.
    pub user: U64,
    /// Request id of the reservation.
    pub request: U64,
    /// Seconds that it lives from now.
    pub ttl_s: U16,
    reserved: [u8; 6],
}

const _: () = assert!(size_of::<Extend>() == 32);

impl Extend {
    /// Lets the reservation `request` of `user` on `batch` live for `ttl_s` seconds from now.
    #[must_use]
    pub fn new(batch: u64, user: u64, request: u64, ttl_s: u16) -> Self {
        Self {
            batch: U64::new(batch),
            user: U64::new(user),
            request: U64::new(request),
            ttl_s: U16::new(ttl_s),
            reserved: [0; 6],
        }
    }

    /// Whether all reserved bits are zero.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.reserved == [0; 6]
    }
}
