//! Batches: creating, showing, changing them and adding stock.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::BATCH_NAME_BYTES_MAX;
use crate::status::Status;
use crate::text::{FixedText, TextError};

/// Flag of a creation: leave the batch a draft, to be activated later.
pub const DRAFT: u8 = 1;

/// What a batch is created with. Two creations with equal terms are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Units at the beginning; at least 1.
    pub stock: u32,
    /// Units that one user may hold; `None` = as many as there are.
    pub per_user: Option<u32>,
    /// First instant at which claims are granted, in milliseconds since 1970; `None` = at once.
    pub starts_ms: Option<u64>,
    /// First instant at which they are not granted any more; `None` = never.
    pub ends_ms: Option<u64>,
    /// Stay a draft until activated.
    pub draft: bool,
    /// For people.
    pub name: String,
}

/// Creates one batch.
///
/// ```text
/// offset  0  batch      u64
///         8  stock      u32   ≥ 1
///        12  per_user   u32   0 = unlimited
///        16  starts_ms  u64   0 = at once
///        24  ends_ms    u64   0 = never
///        32  flags      u8    bit 0 DRAFT; others zero
///        33  reserved   7 bytes, zero
///        40  name      88 bytes, UTF-8 padded with zeros
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Create {
    /// Id of the new batch, chosen by the caller.
    pub batch: U64,
    stock: U32,
    per_user: U32,
    starts_ms: U64,
    ends_ms: U64,
    flags: u8,
    reserved: [u8; 7],
    name: FixedText<BATCH_NAME_BYTES_MAX>,
}

const _: () = assert!(size_of::<Create>() == 128);

impl Create {
    /// Asks for a batch with these terms.
    ///
    /// # Errors
    /// When the name does not fit its field.
    pub fn new(batch: u64, terms: &Terms) -> Result<Self, TextError> {
        Ok(Self {
            batch: U64::new(batch),
            stock: U32::new(terms.stock),
            per_user: U32::new(terms.per_user.unwrap_or(0)),
            starts_ms: U64::new(terms.starts_ms.unwrap_or(0)),
            ends_ms: U64::new(terms.ends_ms.unwrap_or(0)),
            flags: if terms.draft { DRAFT } else { 0 },
            reserved: [0; 7],
            name: FixedText::new(&terms.name)?,
        })
    }

    /// Whether all reserved bits are zero.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.flags & !DRAFT == 0 && self.reserved == [0; 7]
    }

    /// The terms asked for.
    ///
    /// # Errors
    /// `TermsInvalid` when they are not possible.
    pub fn terms(&self) -> Result<Terms, Status> {
        let name = self.name.text().map_err(|_| Status::TermsInvalid)?;
        let optional = |value: U64| Some(value.get()).filter(|value| *value != 0);
        let terms = Terms {
            stock: self.stock.get(),
            per_user: Some(self.per_user.get()).filter(|limit| *limit != 0),
            starts_ms: optional(self.starts_ms),
            ends_ms: optional(self.ends_ms),
            draft: self.flags & DRAFT != 0,
            name: name.to_owned(),
        };
        let window_is_empty = matches!((terms.starts_ms, terms.ends_ms), (Some(start), Some(end)) if end <= start);
        if terms.stock == 0 || window_is_empty { Err(Status::TermsInvalid) } else { Ok(terms) }
    }
}

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
        self.reserved.get() == 0 && (1..=crate::limits::BATCHES_PER_FRAME_MAX).contains(&self.limit.get())
    }
}

/// What an operator does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Action {
    /// A draft becomes claimable (from its start on, if it has one).
    Activate = 1,
    /// Claims are refused until it is resumed.
    Pause = 2,
    /// A paused batch becomes claimable again.
    Resume = 3,
    /// No claim is granted any more, for good.
    End = 4,
    /// An ended batch gives its memory back; its claims can no longer be looked up.
    Close = 5,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 5] = [Action::Activate, Action::Pause, Action::Resume, Action::End, Action::Close];

    /// The action with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Action> {
        Action::ALL.into_iter().find(|action| *action as u8 == number)
    }
}

/// Changes the state of one batch.
///
/// ```text
/// offset  0  batch     u64
///         8  action    u8    1 activate, 2 pause, 3 resume, 4 end, 5 close
///         9  reserved  7 bytes, zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Change {
    /// Id of the batch.
    pub batch: U64,
    action: u8,
    reserved: [u8; 7],
}

const _: () = assert!(size_of::<Change>() == 16);

impl Change {
    /// Asks for `action` on `batch`.
    #[must_use]
    pub fn new(batch: u64, action: Action) -> Self {
        Self { batch: U64::new(batch), action: action as u8, reserved: [0; 7] }
    }

    /// The action, or `None` when it is unknown or a reserved bit is set.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        if self.reserved == [0; 7] { Action::from_number(self.action) } else { None }
    }
}

/// Adds units to one batch. A retry repeats the request id and has no second effect.
///
/// ```text
/// offset  0  batch     u64
///         8  request   u64   unique per batch among its additions
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

/// Where a batch is in its life. Sold-out is no state: it follows from the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// Created, not yet activated.
    Draft = 1,
    /// Activated; its window has not begun.
    Scheduled = 2,
    /// Claims are granted.
    Active = 3,
    /// Claims are refused until it is resumed.
    Paused = 4,
    /// No claim is granted any more.
    Ended = 5,
    /// Its memory is given back.
    Closed = 6,
}

impl State {
    /// Every state.
    pub const ALL: [State; 6] =
        [State::Draft, State::Scheduled, State::Active, State::Paused, State::Ended, State::Closed];

    /// The word for it in the tools.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Scheduled => "scheduled",
            State::Active => "active",
            State::Paused => "paused",
            State::Ended => "ended",
            State::Closed => "closed",
        }
    }
}

/// The answer to every batch operation: the outcome, and the batch as it is now.
///
/// ```text
/// offset  0  status      u8
///         1  state       u8    1 draft, 2 scheduled, 3 active, 4 paused, 5 ended, 6 closed; 0 = no such batch
///         2  reserved    6 bytes, zero
///         8  batch       u64
///        16  total       u32   units at the beginning and added since
///        20  granted     u32
///        24  remaining   u32   total = granted + remaining, at one instant
///        28  per_user    u32   0 = unlimited
///        32  starts_ms   u64   0 = at once
///        40  ends_ms     u64   0 = never
///        48  created_ms  u64
///        56  epoch       u64   this answer waited for this epoch to be durable
///        64  reserved    8 bytes, zero
///        72  name       88 bytes, UTF-8 padded with zeros
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BatchInfo {
    status: u8,
    state: u8,
    reserved: [u8; 6],
    /// Id of the batch.
    pub batch: U64,
    /// Units at the beginning and added since.
    pub total: U32,
    /// Units granted.
    pub granted: U32,
    /// Units not taken.
    pub remaining: U32,
    /// Units that one user may hold; 0 = unlimited.
    pub per_user: U32,
    /// First instant at which claims are granted; 0 = at once.
    pub starts_ms: U64,
    /// First instant at which they are not granted any more; 0 = never.
    pub ends_ms: U64,
    /// When it was created.
    pub created_ms: U64,
    /// The epoch that had to be durable before this answer could leave.
    pub epoch: U64,
    reserved_tail: [u8; 8],
    name: FixedText<BATCH_NAME_BYTES_MAX>,
}

const _: () = assert!(size_of::<BatchInfo>() == 160);

impl BatchInfo {
    /// An answer without a batch.
    #[must_use]
    pub fn refused(status: Status, batch: u64) -> Self {
        Self {
            status: status as u8,
            state: 0,
            reserved: [0; 6],
            batch: U64::new(batch),
            total: U32::ZERO,
            granted: U32::ZERO,
            remaining: U32::ZERO,
            per_user: U32::ZERO,
            starts_ms: U64::ZERO,
            ends_ms: U64::ZERO,
            created_ms: U64::ZERO,
            epoch: U64::ZERO,
            reserved_tail: [0; 8],
            name: FixedText::EMPTY,
        }
    }

    /// An answer about a batch in `state` with this name: fill in the public fields.
    #[must_use]
    pub fn about(status: Status, batch: u64, state: State, name: &str) -> Self {
        Self { state: state as u8, name: FixedText::truncated(name), ..Self::refused(status, batch) }
    }

    /// The outcome; `None` for a code that this client does not know.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_number(self.status)
    }

    /// The state; `None` when there is no such batch.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        State::ALL.into_iter().find(|state| *state as u8 == self.state)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.text_or_empty()
    }
}
