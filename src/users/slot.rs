//! One claim as the table stores it: 24 bytes.

use crate::stock::{Mode, Runs};

/// What a claim asked for. A request id stands for one of these for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// Units asked for; at least 1.
    pub quantity: u8,
    /// What to do when there are fewer.
    pub mode: Mode,
    /// Whether the units are reserved, and not granted at once.
    pub reserves: bool,
}

/// Where a claim is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Phase {
    /// The units are the user's: by a claim, or by a reservation that was confirmed.
    Granted,
    /// They are held for the user.
    Reserved,
    /// The reservation was cancelled; its units went back.
    Cancelled,
    /// Its time passed; its units went back.
    Lapsed,
    /// It was cancelled before it came.
    Mark,
}

/// A claim that took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its place in its shard.
    pub place: u32,
    /// What it asked for.
    pub asked: Asked,
    /// Where it is in its life.
    pub phase: Phase,
    /// What it got. Empty of one that never came, or whose units went back.
    pub runs: Runs,
}

/// How a slot's serials are to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// One run: `place` is the first serial.
    OneRun,
    /// Several runs: `place` is an index into the shard's list of them.
    Split,
    /// Not a claim: the user has further claims; `place` is an index into the shard's list of busy users.
    Busy,
}

/// A claim as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) user: u64,
    pub(super) request: u64,
    /// As `kind` says; while the claim is reserved, an index into the shard's list of holds, which has it.
    pub(super) place: u32,
    quantity: u8,
    /// Units that it got.
    pub(super) granted: u8,
    /// Units of them that the user does not hold any more.
    pub(super) back: u8,
    /// Mode 1 bit, reserves 1, kind 2, phase 3, unindexed 1: from the lowest on.
    bits: u8,
}

const _: () = assert!(size_of::<Slot>() == 24);

const UP_TO: u8 = 1;
const RESERVES: u8 = 1 << 1;
const KIND_SHIFT: u8 = 2;
const PHASE_SHIFT: u8 = 4;
const UNINDEXED: u8 = 1 << 7;

impl Slot {
    pub(super) fn new(user: u64, request: u64, (asked, granted): (Asked, u8), kind: Kind, place: u32) -> Self {
        let mode = if asked.mode == Mode::UpTo { UP_TO } else { 0 };
        let bits = mode | if asked.reserves { RESERVES } else { 0 } | (kind as u8) << KIND_SHIFT;
        Self { user, request, place, quantity: asked.quantity, granted, back: 0, bits }
    }

    #[inline]
    pub(super) fn asked(&self) -> Asked {
        let mode = if self.bits & UP_TO != 0 { Mode::UpTo } else { Mode::AllOrNothing };
        Asked { quantity: self.quantity, mode, reserves: self.bits & RESERVES != 0 }
    }

    #[inline]
    pub(super) fn kind(&self) -> Kind {
        match self.bits >> KIND_SHIFT & 3 {
            0 => Kind::OneRun,
            1 => Kind::Split,
            _ => Kind::Busy,
        }
    }

    #[inline]
    pub(super) fn phase(&self) -> Phase {
        match self.bits >> PHASE_SHIFT & 7 {
            0 => Phase::Granted,
            1 => Phase::Reserved,
            2 => Phase::Cancelled,
            3 => Phase::Lapsed,
            _ => Phase::Mark,
        }
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        self.bits = self.bits & !(7 << PHASE_SHIFT) | (phase as u8) << PHASE_SHIFT;
    }

    /// Whether it is found through its user's own map, and not through the index.
    #[inline]
    pub(super) fn is_unindexed(&self) -> bool {
        self.bits & UNINDEXED != 0
    }

    pub(super) fn set_unindexed(&mut self) {
        self.bits |= UNINDEXED;
    }

    /// Units that the user holds by it.
    #[inline]
    pub(super) fn held(&self) -> u32 {
        u32::from(self.granted - self.back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_goes_into_a_slot_comes_out_again() {
        for mode in [Mode::AllOrNothing, Mode::UpTo] {
            for reserves in [false, true] {
                for kind in [Kind::OneRun, Kind::Split, Kind::Busy] {
                    for phase in [Phase::Granted, Phase::Reserved, Phase::Cancelled, Phase::Lapsed, Phase::Mark] {
                        let asked = Asked { quantity: 255, mode, reserves };
                        let mut slot = Slot::new(1, 2, (asked, 7), kind, 9);
                        assert!(!slot.is_unindexed());
                        slot.set_unindexed();
                        slot.set_phase(Phase::Mark);
                        slot.set_phase(phase);
                        assert_eq!((slot.asked(), slot.kind(), slot.phase()), (asked, kind, phase));
                        assert!(slot.is_unindexed());
                        slot.back = 3;
                        assert_eq!(slot.held(), 4);
                    }
                }
            }
        }
    }
}
