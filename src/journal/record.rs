//! What the journal holds: outcomes, never requests. Replaying it decides nothing again.

use crate::stock::{Mode, Run};
use crate::types::{BatchId, RequestId, TimeMs, UserId};
use crate::users::Asked;

/// One run of serials granted to one claim. A claim with several runs is several records in a row, all but the last
/// with `continues`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantRecord {
    /// Batch claimed from.
    pub batch: BatchId,
    /// Who holds the units now.
    pub user: UserId,
    /// The claim's request id.
    pub request: RequestId,
    /// First serial.
    pub serial: u32,
    /// Units from there on; 1..=255.
    pub units: u8,
    /// What the claim asked for.
    pub asked: Asked,
    /// Whether the next record belongs to the same claim.
    pub continues: bool,
}

impl GrantRecord {
    /// The serials of this record.
    #[must_use]
    pub fn run(&self) -> Run {
        Run::new(self.serial, u32::from(self.units))
    }
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
        /// Units at the beginning.
        stock: u32,
        /// Units that one user may hold; `None` = as many as there are.
        per_user: Option<u32>,
        /// Start of the window.
        starts_ms: Option<TimeMs>,
        /// End of the window.
        ends_ms: Option<TimeMs>,
        /// `Draft` or `Active`.
        state: StateCode,
        /// For people; at most 88 bytes.
        name: String,
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
    /// The batch has more units: the serials after those it had.
    Added {
        /// Id of the batch.
        batch: BatchId,
        /// Number of this operation within the batch.
        version: u32,
        /// The addition's request id.
        request: RequestId,
        /// How many more.
        units: u32,
        /// When.
        time_ms: TimeMs,
    },
    /// Claims of the batch, which has closed or closes later in the journal, were left out here by a checkpoint.
    Dropped {
        /// Id of the batch.
        batch: BatchId,
        /// How many grant records.
        claims: u64,
        /// Units of them.
        units: u64,
    },
}

impl Control {
    /// The batch that is operated on.
    #[must_use]
    pub fn batch(&self) -> BatchId {
        match self {
            Control::Created { batch, .. }
            | Control::Changed { batch, .. }
            | Control::Added { batch, .. }
            | Control::Dropped { batch, .. } => *batch,
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
