//! What ends a reservation, or lets it live longer.

use super::holds::Hold;
use super::recent::{Change, Moment};
use super::shard::{Shard, Standing};
use super::slot::Phase;

/// Whether a reservation is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Its time has passed.
    Now,
    /// It will be, in milliseconds of the running clock.
    At(u64),
    /// It has ended.
    Never,
}

impl Shard {
    /// Makes a reserved claim a grant.
    pub(super) fn confirm(&mut self, place: u32, standing: Standing, now: &Moment) {
        let units = self.release(place, standing, Phase::Granted);
        let tally = &mut self.rare_mut().tally;
        tally.confirmed += u64::from(units);
        self.note(place, None, (0, units), now);
    }

    /// Ends a reservation: its units are not the user's any more once that is durable. `stranded` says that they cannot
    /// come back into stock.
    pub(super) fn give_up(&mut self, place: u32, standing: Standing, how: Phase, stranded: bool, now: &Moment) {
        let units = self.release(place, standing, how);
        let slot = self.claims.get_mut(place);
        slot.back = slot.granted;
        if let Some(busy) = standing.busy.filter(|_| slot.is_unindexed()) {
            self.forget_units(busy, place, units);
        }
        let rare = self.rare_mut();
        rare.ended += 1;
        let sum = match how {
            Phase::Cancelled => &mut rare.tally.cancelled,
            Phase::Lapsed => &mut rare.tally.lapsed,
            Phase::Granted | Phase::Reserved | Phase::Mark => unreachable!("a reservation is given up in two ways"),
        };
        *sum += u64::from(units);
        if stranded {
            rare.tally.stranded += u64::from(units);
        }
        self.note(place, None, (units, units), now);
    }

    /// Lets a reservation live until `due_ms`, if that is longer.
    pub(super) fn extend(&mut self, place: u32, due_ms: u64, ttl_s: u16, now: &Moment) {
        let at = self.claims.get(place).place;
        let hold = self.rare_mut().holds.get_mut(at);
        (hold.due_ms, hold.extended_s) = (hold.due_ms.max(due_ms), ttl_s);
        self.note(place, None, (0, 0), now);
    }

    /// What is known of a reserved claim.
    pub(super) fn hold_of(&self, place: u32) -> Option<&Hold> {
        let slot = self.claims.get(place);
        (slot.phase() == Phase::Reserved).then(|| self.rare().holds.get(slot.place))
    }

    /// Whether a change of a claim, or of one of its coupons, would overtake none.
    pub(super) fn may_change(&self, place: u32, serial: Option<u32>, now: &Moment) -> bool {
        let recent = self.rare.as_ref().is_none_or(|rare| rare.recent.may_change(place, serial, now));
        recent && self.fresh.may_change(place, now)
    }

    /// Notes a change that may not be durable yet. `freed` units are not the user's, `released` ones not reserved any
    /// more.
    pub(super) fn note(&mut self, place: u32, serial: Option<u32>, (freed, released): (u8, u8), now: &Moment) {
        let change = Change { place, serial, epoch: now.epoch, core: now.core, freed, released };
        self.rare_mut().recent.note(change, now.durable);
    }

    /// Units that a claim does not hold any more, as far as they are counted for a busy user.
    pub(super) fn forget_units(&mut self, busy: u32, place: u32, units: u8) {
        let day = self.day_of(place);
        let busy = &mut self.rare_mut().busy[busy as usize];
        busy.units -= u32::from(units);
        if busy.day.0 == day {
            busy.day.1 -= u32::from(units);
        }
    }

    /// Ends the hold of a reserved claim; returns its units.
    fn release(&mut self, place: u32, standing: Standing, phase: Phase) -> u8 {
        let slot = self.claims.get(place);
        assert_eq!(slot.phase(), Phase::Reserved, "a reservation ends once");
        let (at, units, is_unindexed) = (slot.place, slot.granted, slot.is_unindexed());
        let rare = self.rare_mut();
        let hold = rare.holds.take(at);
        if let Some(busy) = standing.busy.filter(|_| is_unindexed) {
            rare.busy[busy as usize].reserved -= u32::from(units);
        }
        let slot = self.claims.get_mut(place);
        slot.place = hold.place;
        slot.set_phase(phase);
        units
    }
}
