//! One claim as the table stores it: 24 bytes.

use crate::stock::{Mode, Runs};

/// What a claim asked for. A request id stands for one of these for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// Units asked for; at least 1.
    pub quantity: u8,
    /// What to do when there are fewer.
    pub mode: Mode,
}

/// A claim that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it asked for.
    pub asked: Asked,
    /// What it got.
    pub runs: Runs,
}

/// What a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A claim with one run of serials: `place` is the first of them.
    OneRun,
    /// A claim with several runs: `place` is an index into the shard's list of them.
    Split,
    /// Not a claim: the user has further claims, at index `place` of the shard's list of busy users.
    Busy,
}

/// A claim as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) user: u64,
    pub(super) request: u64,
    pub(super) place: u32,
    pub(super) asked: Asked,
    /// Units held.
    pub(super) granted: u8,
    pub(super) kind: Kind,
}

const _: () = assert!(size_of::<Slot>() == 24);
