//! What the journal holds: outcomes, never requests. Replaying it decides nothing again.

use stockade_protocol::batch::{Fields, Terms};

use crate::stock::{Day, Mode, Run};
use crate::types::{BatchId, ClientNumber, OrderId, RequestId, TimeMs, UserId};
use crate::users::{Action, Asked, Tally};

/// The serial that stands for none.
pub const NO_SERIAL: u32 = u32::MAX;

/// What happened to a claim or a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Units were granted.
    Grant,
    /// Units were reserved, for so many seconds.
    Reserve {
        /// Seconds.
        ttl_s: u16,
    },
    /// The reservation was confirmed.
    Confirm,
    /// It was cancelled: its units came back under the serials that the record names.
    Cancel,
    /// Its time passed; the same.
    Lapse,
    /// It lives so many seconds from here.
    Extend {
        /// Seconds.
        ttl_s: u16,
    },
    /// It was cancelled before it came.
    Mark,
}

impl Step {
    /// Whether the record's serials were taken by it.
    #[must_use]
    pub fn takes(self) -> bool {
        matches!(self, Step::Grant | Step::Reserve { .. })
    }

    /// Whether units came back by it, under the record's serials.
    #[must_use]
    pub fn gives_back(self) -> bool {
        matches!(self, Step::Cancel | Step::Lapse)
    }
}

/// One step of one claim, with one run of serials. A claim with several runs is several records in a row, all but the
/// last with `continues`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimRecord {
    /// Batch claimed from.
    pub batch: BatchId,
    /// Who claims.
    pub user: UserId,
    /// The claim's request id.
    pub request: RequestId,
    /// What happened.
    pub step: Step,
    /// First serial: of the units taken, or of those under which they came back; [`NO_SERIAL`] if they could not. 0
    /// where no serials are taken or come back.
    pub serial: u32,
    /// Units: 1..=255 where serials are taken or come back, and of a confirmation; else 0.
    pub units: u8,
    /// What the claim asked for.
    pub asked: Asked,
    /// Whether the next record belongs to the same claim.
    pub continues: bool,
}

impl ClaimRecord {
    /// The serials of this record.
    #[must_use]
    pub fn run(&self) -> Run {
        Run::new(self.serial, u32::from(self.units))
    }
}

/// What happened to one coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponRecord {
    /// Its batch.
    pub batch: BatchId,
    /// Who holds it.
    pub user: UserId,
    /// Its serial.
    pub serial: u32,
    /// What was done.
    pub action: Action,
    /// By which order.
    pub order: OrderId,
    /// On whose behalf: the number of a client.
    pub client: ClientNumber,
    /// Whether an unlock only says that the order gives up what it never had.
    pub marks: bool,
    /// Of a return, the serial under which the unit came back; `None` = there was none left.
    pub back: Option<u32>,
    /// Of a restoration, the last day on which it is valid, if that is its own.
    pub through: Option<Day>,
}

/// What an operator set a batch to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StateCode {
    /// Not yet activated.
    Draft = 1,
    /// Claims are granted within the window.
    Active = 2,
    /// Claims are refused for now.
    Paused = 3,
    /// Claims are refused for good.
    Ended = 4,
    /// The memory of its claims is given back.
    Closed = 5,
}

impl StateCode {
    /// Every state.
    pub const ALL: [StateCode; 5] =
        [StateCode::Draft, StateCode::Active, StateCode::Paused, StateCode::Ended, StateCode::Closed];

    /// The state with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<StateCode> {
        StateCode::ALL.into_iter().find(|state| *state as u8 == number)
    }
}

/// An operation on a batch. `version` counts the operations of the batch from 1: it orders those of one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// The batch exists from now on.
    Created {
        /// Id of the batch.
        batch: BatchId,
        /// When.
        time_ms: TimeMs,
        /// Its terms.
        terms: Box<Terms>,
    },
    /// The batch's state changed.
    Changed {
        /// Id of the batch.
        batch: BatchId,
        /// Number of this operation within the batch.
        version: u32,
        /// The new state.
        state: StateCode,
        /// When.
        time_ms: TimeMs,
    },
    /// The batch's terms changed.
    Edited {
        /// Id of the batch.
        batch: BatchId,
        /// Number of this operation within the batch.
        version: u32,
        /// Which of them.
        fields: Fields,
        /// All of them, as they are now.
        terms: Box<Terms>,
        /// When.
        time_ms: TimeMs,
    },
    /// The batch has more units.
    Added {
        /// Id of the batch.
        batch: BatchId,
        /// Number of this operation within the batch.
        version: u32,
        /// The addition's request id.
        request: RequestId,
        /// Their serials.
        run: Run,
        /// When.
        time_ms: TimeMs,
    },
    /// The batch has fewer units. An operation that took several runs is several of these in a row.
    Withdrawn {
        /// Id of the batch.
        batch: BatchId,
        /// Number of this operation within the batch.
        version: u32,
        /// The withdrawal's request id.
        request: RequestId,
        /// Units that were asked for.
        asked: u32,
        /// Serials that are not used any more; none in one that found nothing.
        run: Run,
        /// When.
        time_ms: TimeMs,
    },
    /// Coupons expired that nobody had locked.
    Expired {
        /// Id of the batch.
        batch: BatchId,
        /// Those that were taken on this day or before.
        through: Day,
        /// How many.
        coupons: u32,
        /// When.
        time_ms: TimeMs,
    },
    /// The batch is forgotten.
    Purged {
        /// Id of the batch.
        batch: BatchId,
        /// When.
        time_ms: TimeMs,
    },
    /// A client has a number, by which coupon records name it.
    Named {
        /// The number.
        client: ClientNumber,
        /// Its name; at most 56 bytes.
        name: String,
    },
    /// Records of the batch, which has closed or closes later in the journal, were left out here by a checkpoint.
    Dropped {
        /// Id of the batch.
        batch: BatchId,
        /// How many records of claims.
        claims: u64,
        /// What they counted.
        tally: Box<Tally>,
    },
}

impl Control {
    /// The batch that is operated on, if it is one.
    #[must_use]
    pub fn batch(&self) -> Option<BatchId> {
        match self {
            Control::Created { batch, .. }
            | Control::Changed { batch, .. }
            | Control::Edited { batch, .. }
            | Control::Added { batch, .. }
            | Control::Withdrawn { batch, .. }
            | Control::Expired { batch, .. }
            | Control::Purged { batch, .. }
            | Control::Dropped { batch, .. } => Some(*batch),
            Control::Named { .. } => None,
        }
    }

    /// When it was decided, where that is kept.
    #[must_use]
    pub fn time_ms(&self) -> Option<TimeMs> {
        match self {
            Control::Created { time_ms, .. }
            | Control::Changed { time_ms, .. }
            | Control::Edited { time_ms, .. }
            | Control::Added { time_ms, .. }
            | Control::Withdrawn { time_ms, .. }
            | Control::Expired { time_ms, .. }
            | Control::Purged { time_ms, .. } => Some(*time_ms),
            Control::Named { .. } | Control::Dropped { .. } => None,
        }
    }

    /// Its number within the batch: it orders those of one epoch.
    #[must_use]
    pub fn version(&self) -> u32 {
        match self {
            Control::Changed { version, .. }
            | Control::Edited { version, .. }
            | Control::Added { version, .. }
            | Control::Withdrawn { version, .. } => *version,
            Control::Created { .. } | Control::Named { .. } => 1,
            Control::Dropped { .. } | Control::Expired { .. } | Control::Purged { .. } => u32::MAX,
        }
    }
}

/// The number that stands for a mode in a stored record.
pub(super) const fn mode_number(mode: Mode) -> u8 {
    match mode {
        Mode::AllOrNothing => 0,
        Mode::UpTo => 1,
    }
}

/// The mode with this number, if there is one.
pub(super) const fn mode_from_number(number: u8) -> Option<Mode> {
    match number {
        0 => Some(Mode::AllOrNothing),
        1 => Some(Mode::UpTo),
        _ => None,
    }
}

/// The number that stands for an action in a stored record.
pub(super) const fn action_number(action: Action) -> u8 {
    match action {
        Action::Lock => 1,
        Action::Unlock => 2,
        Action::Redeem => 3,
        Action::Restore => 4,
        Action::Return => 5,
        Action::Void => 6,
    }
}

/// The action with this number, if there is one.
pub(super) const fn action_from_number(number: u8) -> Option<Action> {
    match number {
        1 => Some(Action::Lock),
        2 => Some(Action::Unlock),
        3 => Some(Action::Redeem),
        4 => Some(Action::Restore),
        5 => Some(Action::Return),
        6 => Some(Action::Void),
        _ => None,
    }
}
