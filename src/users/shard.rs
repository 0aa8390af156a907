//! One shard of the table, behind the table's lock: the claims in the order in which they came, and an index over them.
//!
//! All claims of a user share the user's hash and so stand in one sequence of the index: a claim reads that sequence
//! once and knows the user's total and whether the request was seen. Users with more than a few claims get
//! a map of their own for the rest ([`super::busy`]).
//!
//! Why two parts: a look-up of a user who holds nothing, which is what nearly all claims begin with, touches one or two
//! cache lines of the index; a grant appends. A shard of a few claims has no index: it looks at all of them. Only the
//! index grows (4 of some 30 bytes a claim), so growing is short.
//!
//! How claims come in is in [`super::record`], what happens to them later in [`super::moves`] and [`super::redeem`],
//! what a restart does in [`super::settle`].

use super::busy::BusyUser;
use super::claims::Claims;
use super::coupons::Coupons;
use super::holds::Holds;
use super::index::Index;
use super::recent::{Fresh, Moment, Recent};
use super::slot::{Claim, Kind, Phase, Slot};
use super::tally::Tally;
use crate::stock::{Day, Run, Runs};

/// Claims up to which a shard has no index: looking at all of them is as quick, and a million batches have few.
pub(super) const SCANNED_MAX: usize = 8;

/// See the module.
#[derive(Default)]
pub(super) struct Shard {
    pub(super) index: Index,
    pub(super) claims: Claims,
    pub(super) fresh: Fresh,
    /// The day of the last claim, and the first place of that day's claims.
    pub(super) last_day: (Day, u32),
    /// Units of grants that were no reservations: most shards need no other number.
    pub(super) claimed: u64,
    pub(super) rare: Option<Box<Rare>>,
    /// See [`Index::larger`].
    pub(super) phase: u8,
    /// Given back for good: the batch is closed.
    closed: bool,
}

/// What few shards have.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) splits: Vec<Runs>,
    pub(super) busy: Vec<BusyUser>,
    pub(super) holds: Holds,
    pub(super) coupons: Coupons,
    pub(super) recent: Recent,
    /// Days before the last one, each with the first place of its claims.
    pub(super) days: Vec<(u32, Day)>,
    pub(super) tally: Tally,
    /// Reservations that ended without a grant, and marks of such as never came.
    pub(super) ended: u32,
}

impl Rare {
    /// Whether nothing in it is of use any more.
    pub(super) fn is_unused(&self) -> bool {
        self.splits.is_empty()
            && self.busy.is_empty()
            && self.coupons.is_empty()
            && self.days.is_empty()
            && self.tally == Tally::default()
            && self.ended == 0
    }
}

/// What a shard knows of a user and a request.
#[derive(Default)]
pub struct Look {
    /// Units that the user holds.
    pub units: u32,
    /// Those of them that were taken today.
    pub day_units: u32,
    /// Those of them that are reserved.
    pub reserved: u32,
    /// What became of the request.
    pub claim: Option<Claim>,
    pub(super) standing: Standing,
}

/// Where a user's next claim belongs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// Claims of the user in the index.
    pub(super) inline: usize,
    /// The user's place among the busy ones.
    pub(super) busy: Option<u32>,
}

impl Shard {
    /// An empty shard whose growth is in this phase.
    pub(super) fn new(phase: u8) -> Self {
        Self { phase, ..Self::default() }
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    #[inline]
    pub(super) fn find(&mut self, hash: u64, user: u64, request: u64, now: &Moment) -> Look {
        let (mut look, mut found) = (Look::default(), None);
        let (today, from) = self.last_day;
        self.for_each_of(hash, user, |place, slot| {
            if slot.kind() == Kind::Busy {
                look.standing.busy = Some(slot.place);
                return;
            }
            look.standing.inline += 1;
            let held = slot.held();
            look.units += held;
            if slot.phase() == Phase::Reserved {
                look.reserved += held;
            }
            let is_of_today = if place >= from { today == now.day } else { self.day_of(place) == now.day };
            if is_of_today {
                look.day_units += held;
            }
            if slot.request == request {
                found = Some(place);
            }
        });
        if let Some(busy) = look.standing.busy {
            found = self.find_busy(busy, request, now, &mut look).or(found);
        }
        if self.rare.as_ref().is_some_and(|rare| !rare.recent.is_empty()) {
            self.count_what_is_not_durable(user, now, &mut look);
        }
        look.claim = found.map(|place| self.claim(place));
        look
    }

    /// Gives all memory back; returns how many claims there were, marks included, and what became of their units.
    pub(super) fn close(&mut self) -> (u64, Tally) {
        let busy_marks = self.rare.as_ref().map_or(0, |rare| rare.busy.len());
        let closed = ((self.claims.len() - busy_marks) as u64, self.tally());
        *self = Shard { closed: true, ..Shard::default() };
        closed
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Reservations that ended without a grant, and marks of such as never came.
    pub(super) fn ended(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.ended)
    }

    /// What became of the units.
    pub(super) fn tally(&self) -> Tally {
        let rare = self.rare.as_ref().map_or_else(Tally::default, |rare| rare.tally);
        Tally { claimed: self.claimed, ..rare }
    }

    /// Visits what the index, or a look at all, finds of a user.
    #[inline]
    pub(super) fn for_each_of(&self, hash: u64, user: u64, mut visit: impl FnMut(u32, &Slot)) {
        if self.index.words().is_empty() {
            let few = (0..).zip(self.claims.newest());
            few.filter(|(_, slot)| slot.user == user && !slot.is_unindexed())
                .for_each(|(place, slot)| visit(place, slot));
            return;
        }
        for place in self.index.places(hash) {
            let slot = self.claims.get(place);
            if slot.user == user {
                visit(place, slot);
            }
        }
    }

    pub(super) fn claim(&self, place: u32) -> Claim {
        let slot = self.claims.get(place);
        Claim { place, asked: slot.asked(), phase: slot.phase(), runs: self.runs(slot) }
    }

    /// The serials of a claim that has its units, or had them.
    pub(super) fn runs(&self, slot: &Slot) -> Runs {
        let place = if slot.phase() == Phase::Reserved { self.rare().holds.get(slot.place).place } else { slot.place };
        match slot.kind() {
            _ if slot.granted == 0 => Runs::default(),
            Kind::OneRun => Runs::one(Run::new(place, u32::from(slot.granted))),
            Kind::Split => self.rare().splits[place as usize].clone(),
            Kind::Busy => unreachable!("a busy user's mark is no claim"),
        }
    }

    /// The day on which a claim was taken.
    pub(super) fn day_of(&self, place: u32) -> Day {
        let (last, from) = self.last_day;
        if place >= from {
            return last;
        }
        let days = &self.rare().days;
        days[days.partition_point(|(from, _)| *from <= place) - 1].1
    }

    /// Units of claims that were taken on a day and are still held.
    pub(super) fn units_of_day(&self, day: Day) -> u64 {
        let of_day = (0..).zip(self.claims.iter()).filter(|(place, _)| self.day_of(*place) == day);
        of_day.map(|(_, slot)| u64::from(slot.held())).sum()
    }

    #[inline]
    pub(super) fn note_day(&mut self, place: u32, day: Day) {
        let (last, from) = self.last_day;
        if place == 0 {
            self.last_day = (day, 0);
        } else if day != last {
            self.rare_mut().days.push((from, last));
            self.last_day = (day, place);
        }
    }

    fn find_busy(&mut self, busy: u32, request: u64, now: &Moment, look: &mut Look) -> Option<u32> {
        let user = &self.rare().busy[busy as usize];
        if user.day.0 != now.day {
            let of_today = |place: &&u32| self.day_of(**place) == now.day;
            let units = user.claims.values().filter(of_today).map(|place| self.claims.get(*place).held()).sum();
            self.rare_mut().busy[busy as usize].day = (now.day, units);
        }
        let user = &self.rare().busy[busy as usize];
        look.units += user.units;
        look.reserved += user.reserved;
        look.day_units += user.day.1;
        user.claims.get(&request).copied()
    }

    /// What a user gave back a moment ago still counts.
    #[cold]
    fn count_what_is_not_durable(&mut self, user: u64, now: &Moment, look: &mut Look) {
        self.rare_mut().recent.prune(now.durable);
        for change in self.rare().recent.iter().filter(|change| self.claims.get(change.place).user == user) {
            look.units += u32::from(change.freed);
            look.reserved += u32::from(change.released);
            if self.day_of(change.place) == now.day {
                look.day_units += u32::from(change.freed);
            }
        }
    }

    pub(super) fn rare(&self) -> &Rare {
        self.rare.as_ref().expect("a claim that refers to it was recorded with it")
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

pub(super) fn index(length: usize) -> u32 {
    u32::try_from(length).expect("fewer entries than serials")
}
