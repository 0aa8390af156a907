//! More units for a batch, or fewer.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Adds units to one batch. A retry repeats the request id and has no second effect.
///
/// ```text
/// offset  0  batch     u64
///         8  request   u64   unique per batch among its additions and withdrawals
///        16  units     u32   ≥ 1
///        20  reserved  u32   zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct AddStock {
    /// Id of the batch.
    pub batch: U64,
    /// The caller's id of this addition.
    pub request: U64,
    /// Units to add.
    pub units: U32,
    reserved: U32,
}

const _: () = assert!(size_of::<AddStock>() == 24);

impl AddStock {
    /// Asks for `units` more units.
    #[must_use]
    pub fn new(batch: u64, request: u64, units: u32) -> Self {
        Self { batch: U64::new(batch), request: U64::new(request), units: U32::new(units), reserved: U32::ZERO }
    }

    /// Whether all reserved bits are zero.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.reserved.get() == 0
    }
}

/// Withdraws up to so many units that nobody has. The layout is that of an addition.
pub type Withdraw = AddStock;
