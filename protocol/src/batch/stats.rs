//! What became of a batch's units, in numbers.

use zerocopy::little_endian::{I32, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::is_page;
use crate::status::Status;

/// The `day` of the item that is about the batch as a whole.
pub const WHOLE: i32 = i32::MIN;

/// Asks for a batch's numbers, as a whole and by day.
///
/// ```text
/// offset  0  batch      u64
///         8  from_day   i32   days since 1970-01-01 in the batch's zone
///        12  limit      u32   items, 1..=1024
///        16  see_epoch  u64   0 = what is durable
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct StatsQuery {
    /// Id of the batch.
    pub batch: U64,
    /// First day wanted.
    pub from_day: I32,
    /// Most items wanted.
    pub limit: U32,
    /// The epoch whose effects must be seen; 0 = what is durable.
    pub see_epoch: U64,
}

const _: () = assert!(size_of::<StatsQuery>() == 24);

impl StatsQuery {
    /// Whether the limit is one.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        is_page(self.limit.get())
    }
}

/// Numbers of a batch as a whole (what is now), or of one of its days (what happened).
///
/// ```text
/// offset  0  day        i32   WHOLE = as a whole
///         4  added      u32   units of stock, the beginning included
///         8  withdrawn  u32
///        12  remaining  u32   of a day zero
///        16  reserved   u32
///        20  granted    u32
///        24  locked     u32
///        28  redeemed   u32
///        32  unlocked   u32
///        36  restored   u32
///        40  returned   u32
///        44  voided     u32
///        48  expired    u32
///        52  cancelled  u32
///        56  lapsed     u32
///        60  confirmed  u32
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
#[expect(missing_docs, reason = "docs/protocol.md says what each number counts")]
pub struct Stats {
    /// [`WHOLE`], or days since 1970-01-01 in the batch's zone.
    pub day: I32,
    pub added: U32,
    pub withdrawn: U32,
    pub remaining: U32,
    pub reserved: U32,
    pub granted: U32,
    pub locked: U32,
    pub redeemed: U32,
    pub unlocked: U32,
    pub restored: U32,
    pub returned: U32,
    pub voided: U32,
    pub expired: U32,
    pub cancelled: U32,
    pub lapsed: U32,
    pub confirmed: U32,
}

const _: () = assert!(size_of::<Stats>() == 64);

/// How often claims of a batch were refused with one status since the server started.
///
/// ```text
/// offset  0  status    u8
///         1  reserved  7 bytes, zero
///         8  count     u64
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct RefusalCount {
    status: u8,
    reserved: [u8; 7],
    /// How often.
    pub count: U64,
}

const _: () = assert!(size_of::<RefusalCount>() == 16);

impl RefusalCount {
    /// So many refusals with `status`.
    #[must_use]
    pub fn new(status: Status, count: u64) -> Self {
        Self { status: status as u8, reserved: [0; 7], count: U64::new(count) }
    }

    /// The status; `None` for one that this client does not know.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_number(self.status)
    }
}
