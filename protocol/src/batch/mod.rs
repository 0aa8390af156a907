//! Batches: creating, editing, showing, changing them, adding and withdrawing stock, counting.

mod change;
mod create;
mod info;
mod stats;
mod stock;
mod terms;

pub use change::{Action, Change};
pub use create::{Create, DRAFT, Edit};
pub use info::{BatchInfo, State};
pub use stats::{RefusalCount, Stats, StatsQuery, WHOLE};
pub use stock::{AddStock, Withdraw};
pub use terms::{Audience, Fields, Holds, Terms, Validity};

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Names one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BatchId {
    /// Id of the batch.
    pub batch: U64,
}

const _: () = assert!(size_of::<BatchId>() == 8);

/// Asks for a page of batches in order of id.
///
/// ```text
/// offset  0  from      u64   smallest id wanted; for the next page, the last one's id + 1
///         8  limit     u32   1..=1024
///        12  reserved  u32   zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct List {
    /// Smallest id wanted.
    pub from: U64,
    /// Most batches wanted.
    pub limit: U32,
    reserved: U32,
}

const _: () = assert!(size_of::<List>() == 16);

impl List {
    /// Asks for up to `limit` batches with ids of `from` and above.
    #[must_use]
    pub fn new(from: u64, limit: u32) -> Self {
        Self { from: U64::new(from), limit: U32::new(limit), reserved: U32::ZERO }
    }

    /// Whether all reserved bits are zero and the limit is one.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.reserved.get() == 0 && crate::limits::is_page(self.limit.get())
    }
}
