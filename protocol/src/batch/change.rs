//! What operators do with a batch as a whole.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::numbered::numbered;

numbered! {
    /// What an operator does with a batch.
    pub enum Action {
        /// A draft becomes claimable (from its start on, if it has one).
        Activate = 1, "activate";
        /// Claims are refused until it is resumed.
        Pause = 2, "pause";
        /// A paused batch becomes claimable again.
        Resume = 3, "resume";
        /// No claim is granted any more, for good.
        End = 4, "end";
        /// An ended batch gives its memory back; nothing of it changes any more.
        Close = 5, "close";
        /// A closed batch and all of its history are forgotten.
        Purge = 6, "purge";
    }
}

/// Changes the state of one batch.
///
/// ```text
/// offset  0  batch     u64
///         8  action    u8    1 activate, 2 pause, 3 resume, 4 end, 5 close, 6 purge
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
