//! One claim as the table stores it: 24 bytes.

use crate::stock::{Mode, Run, Runs};

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

/// What the last byte of a slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Nobody.
    Empty,
    /// A claim with one run of serials: `place` is the first of them.
    OneRun,
    /// A claim with several runs: `place` is an index into the shard's list of them.
    Split,
    /// Not a claim: the user has further claims, at index `place` of the shard's list of busy users.
    Busy,
}

/// A slot of the table.
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

impl Slot {
    pub(super) const EMPTY: Slot = Slot {
        user: 0,
        request: 0,
        place: 0,
        asked: Asked { quantity: 0, mode: Mode::AllOrNothing },
        granted: 0,
        kind: Kind::Empty,
    };

    /// The claim in this slot, if there is one. `splits` are the shard's.
    pub(super) fn held(&self, splits: &[Runs]) -> Option<Held> {
        let runs = match self.kind {
            Kind::OneRun => Runs::one(Run::new(self.place, u32::from(self.granted))),
            Kind::Split => splits[self.place as usize].clone(),
            Kind::Empty | Kind::Busy => return None,
        };
        Some(Held { asked: self.asked, runs })
    }
}
