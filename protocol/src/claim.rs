//! Claims, their replies, and looking them up again.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::status::Status;

/// Flag of a claim: take fewer units when there are fewer, instead of none.
pub const UP_TO: u8 = 1;

/// Flag of a claim's reply: this request was decided earlier, and this is that decision.
pub const REPLAYED: u8 = 1;
/// Flag of a claim's reply: the serials are not one run; `SERIALS` lists them all.
pub const SPLIT: u8 = 2;
/// Flag of a claim's reply: `remaining` is approximate.
pub const ABOUT: u8 = 4;

/// The request id that a UUID folds to: the exclusive or of its two halves, each read as big-endian.
#[must_use]
pub fn request_from_uuid(uuid: [u8; 16]) -> u64 {
    u64::from_be_bytes(std::array::from_fn(|index| uuid[index] ^ uuid[index + 8]))
}

/// One claim.
///
/// ```text
/// offset  0  batch     u64
///         8  user      u64
///        16  request   u64   unique per batch and user; a retry repeats it
///        24  audience  u32   what the gateway knows about the user
///        28  quantity  u8    1..=255
///        29  flags     u8    bit 0 UP_TO; others zero
///        30  reserved  u16   zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Claim {
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
    reserved: U16,
}

const _: () = assert!(size_of::<Claim>() == 32);

impl Claim {
    /// A claim of `quantity` units, all or none.
    #[must_use]
    pub fn new(batch: u64, user: u64, request: u64, quantity: u8) -> Self {
        Self {
            batch: U64::new(batch),
            user: U64::new(user),
            request: U64::new(request),
            audience: U32::ZERO,
            quantity,
            flags: 0,
            reserved: U16::ZERO,
        }
    }

    /// The same claim, content with fewer units when there are fewer.
    #[must_use]
    pub fn up_to(mut self) -> Self {
        self.flags |= UP_TO;
        self
    }

    /// The same claim for a user of this audience.
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

    /// Whether all reserved bits are zero. A frame with a claim that is not is refused as a whole.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.flags & !UP_TO == 0 && self.reserved.get() == 0
    }
}

/// Names one request: what `LOOKUP` and `SERIALS` ask about, `CONFIRM` and `CANCEL` settle.
///
/// ```text
/// offset  0  batch    u64
///         8  user     u64
///        16  request  u64
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct RequestKey {
    /// Batch that was claimed from.
    pub batch: U64,
    /// User who claimed.
    pub user: U64,
    /// Request id of the claim.
    pub request: U64,
}

const _: () = assert!(size_of::<RequestKey>() == 24);

impl RequestKey {
    /// Names the request `request` of `user` on `batch`.
    #[must_use]
    pub fn new(batch: u64, user: u64, request: u64) -> Self {
        Self { batch: U64::new(batch), user: U64::new(user), request: U64::new(request) }
    }
}

/// The answer to one claim or one look-up.
///
/// ```text
/// offset  0  status       u8
///         1  flags        u8    bit 0 REPLAYED, bit 1 SPLIT, bit 2 ABOUT; others zero
///         2  granted      u8    units that this request got; 0 unless GRANTED or RESERVED
///         3  run          u8    how many of them are consecutive from `serial`
///         4  serial       u32   first serial; 0 unless GRANTED or RESERVED
///         8  remaining    u32   units of the batch that can be claimed; a hint that may be old when it arrives
///        12  user_units   u16   units of the batch that the user holds; 65535 = that many or more
///        14  day_units    u16   those of them that were taken today; the same
///        16  epoch        u64   this answer waited for this epoch to be durable
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct ClaimReply {
    status: u8,
    /// `REPLAYED`, `SPLIT` and `ABOUT`.
    pub flags: u8,
    /// Units that the request got.
    pub granted: u8,
    /// Consecutive units from `serial` on.
    pub run: u8,
    /// First serial.
    pub serial: U32,
    /// Units of the batch that can be claimed: a hint.
    pub remaining: U32,
    /// Units of the batch that the user holds; 65,535 = that many or more.
    pub user_units: U16,
    /// Those of them that were taken today; the same.
    pub day_units: U16,
    /// The epoch that had to be durable before this answer could leave.
    pub epoch: U64,
}

const _: () = assert!(size_of::<ClaimReply>() == 24);

impl ClaimReply {
    /// An answer that grants nothing.
    #[must_use]
    pub fn refused(status: Status) -> Self {
        Self {
            status: status as u8,
            flags: 0,
            granted: 0,
            run: 0,
            serial: U32::ZERO,
            remaining: U32::ZERO,
            user_units: U16::ZERO,
            day_units: U16::ZERO,
            epoch: U64::ZERO,
        }
    }

    /// A grant of `granted` units, the first `run` of them from `serial` on.
    #[must_use]
    pub fn granted(granted: u8, serial: u32, run: u8) -> Self {
        let flags = if run == granted { 0 } else { SPLIT };
        Self { flags, granted, run, serial: U32::new(serial), ..Self::refused(Status::Granted) }
    }

    /// The same units, reserved.
    #[must_use]
    pub fn reserved(granted: u8, serial: u32, run: u8) -> Self {
        Self { status: Status::Reserved as u8, ..Self::granted(granted, serial, run) }
    }

    /// The outcome; `None` for a code that this client does not know.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_number(self.status)
    }

    /// Whether this is the answer to an earlier copy of the request.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.flags & REPLAYED != 0
    }

    /// Whether the serials are not one run.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.flags & SPLIT != 0
    }
}

/// Consecutive serials: `first`, `first + 1`, … `first + count − 1`.
///
/// ```text
/// offset  0  first  u32
///         4  count  u32
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct SerialRun {
    /// First serial.
    pub first: U32,
    /// How many.
    pub count: U32,
}

const _: () = assert!(size_of::<SerialRun>() == 8);
