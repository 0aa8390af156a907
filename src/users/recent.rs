//! What happened a moment ago and may not be durable yet.
//!
//! Two things depend on it. What a user gave back (a cancelled reservation, a returned coupon) must not make room for
//! another claim before that is durable: a crash could undo the one and keep the other. And who changes something must
//! not overtake the change before: records of one core stand in the journal in the order in which they were decided,
//! those of two cores only if the first was durable.

use crate::stock::Day;
use crate::types::Epoch;

/// When and where something is decided.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The batch's day.
    pub day: Day,
    /// The epoch of the burst.
    pub epoch: Epoch,
    /// The newest durable epoch.
    pub durable: Epoch,
    /// Whose burst it is.
    pub core: u16,
}

/// A change of a claim or of one of its coupons.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// The claim's place.
    pub(super) place: u32,
    /// The coupon; `None` = the claim as a whole.
    pub(super) serial: Option<u32>,
    pub(super) epoch: Epoch,
    pub(super) core: u16,
    /// Units that the user gave back by it.
    pub(super) freed: u8,
    /// Units that are not reserved any more by it.
    pub(super) released: u8,
}

/// Changes that were not durable at the last look, in the order in which they were made.
#[derive(Default)]
pub(super) struct Recent {
    changes: Vec<Change>,
}

impl Recent {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Forgets what is durable.
    pub(super) fn prune(&mut self, durable: Epoch) {
        self.changes.retain(|change| change.epoch > durable);
    }

    pub(super) fn note(&mut self, change: Change, durable: Epoch) {
        self.prune(durable);
        self.changes.push(change);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter()
    }

    /// Whether a change of the claim at `place` (of its coupon `serial`, if one is named) would overtake none.
    pub(super) fn may_change(&self, place: u32, serial: Option<u32>, now: &Moment) -> bool {
        let concerns = |change: &Change| {
            change.place == place && (change.serial.is_none() || serial.is_none() || change.serial == serial)
        };
        let mut others = self.changes.iter().filter(|change| change.epoch > now.durable && change.core != now.core);
        !others.any(concerns)
    }
}

/// Where the claims of the last two epochs begin. At most two epochs are not durable at any time: the one that is being
/// committed, and the one that bursts enter.
#[derive(Default)]
pub(super) struct Fresh {
    newer: Lot,
    older: Lot,
}

/// The claims of one epoch.
#[derive(Clone, Copy, Default)]
struct Lot {
    epoch: Epoch,
    from: u32,
    core: u16,
}

/// Claims of several cores.
const SEVERAL: u16 = u16::MAX;

impl Fresh {
    /// A claim was added at `place`.
    #[inline]
    pub(super) fn note(&mut self, place: u32, now: &Moment) {
        if now.epoch > self.newer.epoch {
            self.older = self.newer;
            self.newer = Lot { epoch: now.epoch, from: place, core: now.core };
        } else if self.newer.core != now.core {
            // One that is of an earlier epoch than it seems only waits a little longer.
            self.newer.core = SEVERAL;
        }
    }

    /// Whether a change of the claim at `place` would not overtake the claim itself.
    pub(super) fn may_change(&self, place: u32, now: &Moment) -> bool {
        let lot = if place >= self.newer.from { self.newer } else { self.older };
        place < lot.from || lot.epoch <= now.durable || lot.core == now.core
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(epoch: Epoch, durable: Epoch, core: u16) -> Moment {
        Moment { day: 0, epoch, durable, core }
    }

    #[test]
    fn only_what_is_durable_or_of_the_same_core_may_be_changed() {
        let mut fresh = Fresh::default();
        for (place, epoch, core) in [(0, 4, 0), (1, 5, 0), (2, 5, 0), (3, 6, 1), (4, 6, 1)] {
            fresh.note(place, &moment(epoch, epoch - 2, core));
        }
        let may = |durable, core| [0, 1, 2, 3, 4].map(|place| fresh.may_change(place, &moment(7, durable, core)));
        assert_eq!(may(4, 0), [true, true, true, false, false]);
        assert_eq!(may(4, 1), [true, false, false, true, true]);
        assert_eq!(may(5, 0), [true, true, true, false, false]);
        assert_eq!(may(6, 0), [true; 5]);
        // Another core adds to the newest epoch, and one that is still in the epoch before.
        fresh.note(5, &moment(6, 4, 0));
        assert!(!fresh.may_change(4, &moment(6, 5, 1)) && !fresh.may_change(5, &moment(6, 5, 0)));
        fresh.note(6, &moment(5, 4, 2));
        assert!(!fresh.may_change(6, &moment(6, 5, 2)) && fresh.may_change(6, &moment(7, 6, 2)));
    }

    #[test]
    fn a_change_is_forgotten_when_it_is_durable() {
        let change = |place, serial, epoch, core| Change { place, serial, epoch, core, freed: 1, released: 0 };
        let mut recent = Recent::default();
        recent.note(change(1, Some(7), 5, 0), 4);
        recent.note(change(2, None, 6, 1), 4);
        assert!(recent.may_change(1, Some(8), &moment(6, 4, 1)), "another coupon of the claim");
        assert!(!recent.may_change(1, Some(7), &moment(6, 4, 1)) && recent.may_change(1, Some(7), &moment(6, 4, 0)));
        assert!(!recent.may_change(1, None, &moment(6, 4, 1)) && !recent.may_change(2, Some(9), &moment(6, 4, 0)));
        assert!(recent.may_change(1, Some(7), &moment(6, 5, 1)));
        recent.prune(5);
        assert_eq!(recent.iter().map(|change| change.place).collect::<Vec<_>>(), [2]);
    }
}
