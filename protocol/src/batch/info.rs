//! The answer to every batch operation: the outcome, and the batch as it is now.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::terms::{Terms, shared_terms, some};
use crate::limits::{BATCH_NAME_BYTES_MAX, ZONE_BYTES_MAX};
use crate::numbered::numbered;
use crate::status::Status;
use crate::text::FixedText;

numbered! {
    /// Where a batch is in its life. Sold-out is no state: it follows from the numbers.
    pub enum State {
        /// Created, not yet activated.
        Draft = 1, "draft";
        /// Activated; its window has not begun.
        Scheduled = 2, "scheduled";
        /// Claims are granted.
        Active = 3, "active";
        /// Claims are refused until it is resumed.
        Paused = 4, "paused";
        /// No claim is granted any more.
        Ended = 5, "ended";
        /// Its memory is given back.
        Closed = 6, "closed";
    }
}

/// The answer to every batch operation: the outcome, and the batch as it is now. 0 stands for "unlimited" or "none" in
/// every field that may be either.
///
/// ```text
/// offset  0  status          u8
///         1  state           u8    1 draft, 2 scheduled, 3 active, 4 paused, 5 ended, 6 closed; 0 = no such batch
///         2  reserved        u16   zero
///         4  moved           u32   units that this operation added or withdrew
///         8  batch           u64
///        16  total           u32   units at the beginning and added since, less those withdrawn
///        20  granted         u32   units granted and not given back
///        24  remaining       u32   total = granted + held + voided + remaining
///        28  per_user        u32
///        32  starts_ms       u64
///        40  ends_ms         u64
///        48  created_ms      u64
///        56  epoch           u64   this answer waited for this epoch to be durable
///        64  held            u32   units reserved
///        68  voided          u32
///        72  name           88 bytes, UTF-8 padded with zeros
///       160  per_user_day    u32
///       164  per_day         u32
///       168  expires_ms      u64
///       176  audience_all    u32
///       180  audience_any    u32
///       184  audience_none   u32
///       188  valid_days      u16
///       190  return_days     u16
///       192  quantity_max    u8
///       193  holds_share     u8
///       194  holds_per_user  u16
///       196  version         u32
///       200  zone           40 bytes, UTF-8 padded with zeros; empty = UTC
///       240  day_units       u32   units of today's that were taken
///       244  reserved       12 bytes, zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BatchInfo {
    status: u8,
    state: u8,
    reserved: U16,
    /// Units that this operation added or withdrew.
    pub moved: U32,
    /// Id of the batch.
    pub batch: U64,
    /// Units at the beginning and added since, less those withdrawn.
    pub total: U32,
    /// Units granted and not given back.
    pub granted: U32,
    /// Units that nobody has.
    pub remaining: U32,
    per_user: U32,
    starts_ms: U64,
    ends_ms: U64,
    /// When it was created.
    pub created_ms: U64,
    /// The epoch that had to be durable before this answer could leave.
    pub epoch: U64,
    /// Units reserved.
    pub held: U32,
    /// Units voided.
    pub voided: U32,
    name: FixedText<BATCH_NAME_BYTES_MAX>,
    per_user_day: U32,
    per_day: U32,
    expires_ms: U64,
    audience_all: U32,
    audience_any: U32,
    audience_none: U32,
    valid_days: U16,
    return_days: U16,
    quantity_max: u8,
    holds_share: u8,
    holds_per_user: U16,
    /// Number of the batch's last operation.
    pub version: U32,
    zone: FixedText<ZONE_BYTES_MAX>,
    /// Units of today's that were taken, where a day has a limit.
    pub day_units: U32,
    reserved_tail: [u8; 12],
}

const _: () = assert!(size_of::<BatchInfo>() == 256);

impl BatchInfo {
    /// An answer without a batch.
    #[must_use]
    pub fn refused(status: Status, batch: u64) -> Self {
        Self {
            status: status as u8,
            state: 0,
            reserved: U16::ZERO,
            moved: U32::ZERO,
            batch: U64::new(batch),
            total: U32::ZERO,
            granted: U32::ZERO,
            remaining: U32::ZERO,
            per_user: U32::ZERO,
            starts_ms: U64::ZERO,
            ends_ms: U64::ZERO,
            created_ms: U64::ZERO,
            epoch: U64::ZERO,
            held: U32::ZERO,
            voided: U32::ZERO,
            name: FixedText::EMPTY,
            per_user_day: U32::ZERO,
            per_day: U32::ZERO,
            expires_ms: U64::ZERO,
            audience_all: U32::ZERO,
            audience_any: U32::ZERO,
            audience_none: U32::ZERO,
            valid_days: U16::ZERO,
            return_days: U16::ZERO,
            quantity_max: 0,
            holds_share: 0,
            holds_per_user: U16::ZERO,
            version: U32::ZERO,
            zone: FixedText::EMPTY,
            day_units: U32::ZERO,
            reserved_tail: [0; 12],
        }
    }

    /// An answer about a batch in `state` with these terms: fill in the public fields.
    #[must_use]
    pub fn about(status: Status, batch: u64, state: State, terms: &Terms) -> Self {
        let some = |limit: Option<u32>| U32::new(limit.unwrap_or(0));
        let Terms { audience, holds, validity, .. } = terms;
        Self {
            state: state as u8,
            per_user: some(terms.per_user),
            starts_ms: U64::new(terms.starts_ms.unwrap_or(0)),
            ends_ms: U64::new(terms.ends_ms.unwrap_or(0)),
            name: FixedText::truncated(&terms.name),
            per_user_day: some(terms.per_user_day),
            per_day: some(terms.per_day),
            expires_ms: U64::new(validity.expires_ms.unwrap_or(0)),
            audience_all: U32::new(audience.all),
            audience_any: U32::new(audience.any),
            audience_none: U32::new(audience.none),
            valid_days: U16::new(validity.valid_days.unwrap_or(0)),
            return_days: U16::new(validity.return_days),
            quantity_max: terms.quantity_max.unwrap_or(0),
            holds_share: holds.share.unwrap_or(0),
            holds_per_user: U16::new(holds.per_user.unwrap_or(0)),
            zone: FixedText::truncated(&terms.zone),
            ..Self::refused(status, batch)
        }
    }

    /// The outcome; `None` for a code that this client does not know.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_number(self.status)
    }

    /// The state; `None` when there is no such batch.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        State::from_number(self.state)
    }

    /// The batch's terms as they are now; `stock` is the total, and `draft` is not told.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let (zone, name) = (self.zone.text_or_empty().to_owned(), self.name().to_owned());
        Terms { stock: self.total.get(), zone, name, ..shared_terms!(self) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.text_or_empty()
    }
}
