//! Users with many claims in one batch: a map of their own, so that no sequence of the index grows with a user's
//! appetite.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::slot::{Phase, Slot};
use crate::stock::{Day, Runs};

/// Claims of one user beyond those that the index finds.
#[derive(Default)]
pub(super) struct BusyUser {
    /// Units held by them.
    pub(super) units: u32,
    /// Units reserved by them.
    pub(super) reserved: u32,
    /// A day, and the units of it.
    pub(super) day: (Day, u32),
    /// Request → place.
    pub(super) claims: HashMap<u64, u32, RandomState>,
    /// First serial of a run → place; made when it is first needed.
    pub(super) serials: Option<BTreeMap<u32, u32>>,
}

impl BusyUser {
    /// Adds a claim, which has these serials.
    pub(super) fn add(&mut self, place: u32, slot: &Slot, runs: &Runs, day: Day) {
        self.units += slot.held();
        if slot.phase() == Phase::Reserved {
            self.reserved += slot.held();
        }
        if self.day.0 == day {
            self.day.1 += slot.held();
        }
        let before = self.claims.insert(slot.request, place);
        assert!(before.is_none(), "a request is recorded once");
        if let Some(serials) = &mut self.serials {
            serials.extend(runs.iter().map(|run| (run.first, place)));
        }
    }
}
