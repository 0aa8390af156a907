//! Numbers of a batch's day.

use std::collections::BTreeMap;
use std::mem::offset_of;

use stockade_protocol::batch::{Stats, WHOLE};
use stockade_protocol::feed::{Event, Kind};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::journal::NO_SERIAL;
use crate::stock::Day;

/// How often what happened: units, but for orders. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
#[expect(missing_docs, reason = "docs/protocol.md says what each number counts")]
pub struct Counts {
    pub added: U64,
    pub withdrawn: U64,
    pub reserved: U64,
    pub granted: U64,
    pub locked: U64,
    pub redeemed: U64,
    pub unlocked: U64,
    pub restored: U64,
    pub returned: U64,
    pub voided: U64,
    pub expired: U64,
    pub cancelled: U64,
    pub lapsed: U64,
    pub confirmed: U64,
    /// Units that could not come back into stock.
    pub stranded: U64,
}

impl Counts {
    /// Counts an event.
    pub(super) fn add_event(&mut self, kind: Kind, event: &Event) {
        let (units, value) = (u64::from(event.units), u64::from(event.value.get()));
        let comes_back = matches!(kind, Kind::Cancelled | Kind::Lapsed | Kind::Returned);
        if comes_back && event.value.get() == NO_SERIAL {
            self.stranded += units;
        }
        let (number, more) = match kind {
            Kind::Granted => (&mut self.granted, units),
            Kind::Reserved => (&mut self.reserved, units),
            Kind::Confirmed => {
                self.granted += units;
                (&mut self.confirmed, units)
            }
            Kind::Cancelled => (&mut self.cancelled, units),
            Kind::Lapsed => (&mut self.lapsed, units),
            Kind::Locked => (&mut self.locked, units),
            Kind::Unlocked => (&mut self.unlocked, if value == 0 { units } else { 0 }),
            Kind::Redeemed => (&mut self.redeemed, units),
            Kind::Restored => (&mut self.restored, units),
            Kind::Returned => (&mut self.returned, units),
            Kind::Voided => (&mut self.voided, units),
            Kind::BatchCreated | Kind::BatchAdded => (&mut self.added, value),
            Kind::BatchWithdrawn => (&mut self.withdrawn, value),
            Kind::BatchExpired => (&mut self.expired, value),
            Kind::BatchCondensed => match self.condensed(event) {
                Some(number) => (number, value),
                None => return,
            },
            Kind::Extended | Kind::CancelledAhead | Kind::BatchChanged | Kind::BatchEdited | Kind::BatchPurged => {
                return;
            }
        };
        *number += more;
    }

    /// The number that an event of what a checkpoint left out counts in.
    fn condensed(&mut self, event: &Event) -> Option<&mut U64> {
        let offset = event.serial.get() as usize;
        if offset == offset_of!(Stats, voided) {
            return Some(if event.units > 0 { &mut self.stranded } else { &mut self.voided });
        }
        let numbers: [(usize, &mut U64); 10] = [
            (offset_of!(Stats, reserved), &mut self.reserved),
            (offset_of!(Stats, granted), &mut self.granted),
            (offset_of!(Stats, locked), &mut self.locked),
            (offset_of!(Stats, redeemed), &mut self.redeemed),
            (offset_of!(Stats, unlocked), &mut self.unlocked),
            (offset_of!(Stats, restored), &mut self.restored),
            (offset_of!(Stats, returned), &mut self.returned),
            (offset_of!(Stats, cancelled), &mut self.cancelled),
            (offset_of!(Stats, lapsed), &mut self.lapsed),
            (offset_of!(Stats, confirmed), &mut self.confirmed),
        ];
        numbers.into_iter().find(|(at, _)| *at == offset).map(|(_, number)| number)
    }

    /// Adds other numbers.
    pub(super) fn add(&mut self, other: &Counts) {
        let mine = <[U64]>::mut_from_bytes(self.as_mut_bytes()).expect("it is nothing else");
        let theirs = <[U64]>::ref_from_bytes(other.as_bytes()).expect("it is nothing else");
        mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += *theirs);
    }

    /// What happened on `day`.
    #[must_use]
    pub fn of_day(&self, day: Day) -> Stats {
        let mut stats = self.told();
        stats.day.set(day);
        stats
    }

    /// Where the units are, after all that was counted; `None` when more left a place than came to it.
    #[must_use]
    pub fn now(&self) -> Option<Stats> {
        let less =
            |from: U64, less: &[U64]| less.iter().try_fold(from.get(), |left, less| left.checked_sub(less.get()));
        let number = |number: u64| U32::new(u32::try_from(number).unwrap_or(u32::MAX));
        let reserved = less(self.reserved, &[self.confirmed, self.cancelled, self.lapsed])?;
        let granted = less(self.granted, &[self.returned, self.voided])?;
        let voided = self.voided + self.stranded;
        let mut stats = self.told();
        stats.day.set(WHOLE);
        stats.remaining = number(less(self.added, &[self.withdrawn, reserved.into(), granted.into(), voided])?);
        stats.reserved = number(reserved);
        stats.granted = number(granted);
        stats.locked = number(less(self.locked, &[self.unlocked, self.redeemed])?);
        stats.redeemed = number(less(self.redeemed, &[self.restored])?);
        Some(stats)
    }

    fn told(&self) -> Stats {
        let number = |number: U64| U32::new(u32::try_from(number.get()).unwrap_or(u32::MAX));
        Stats {
            added: number(self.added),
            withdrawn: number(self.withdrawn),
            reserved: number(self.reserved),
            granted: number(self.granted),
            locked: number(self.locked),
            redeemed: number(self.redeemed),
            unlocked: number(self.unlocked),
            restored: number(self.restored),
            returned: number(self.returned),
            voided: number(self.voided + self.stranded),
            expired: number(self.expired),
            cancelled: number(self.cancelled),
            lapsed: number(self.lapsed),
            confirmed: number(self.confirmed),
            ..Stats::default()
        }
    }
}

/// The numbers of a batch, by day. What cannot be told by day stands before all days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days(BTreeMap<Day, Counts>);

impl Days {
    pub(super) fn add(&mut self, day: Day, counts: &Counts) {
        self.0.entry(day).or_default().add(counts);
    }

    /// The sum of all days.
    #[must_use]
    pub fn whole(&self) -> Counts {
        let mut whole = Counts::default();
        self.0.values().for_each(|counts| whole.add(counts));
        whole
    }

    /// The days from `day` on.
    pub fn from(&self, day: Day) -> impl Iterator<Item = (Day, &Counts)> {
        self.0.range(day..).filter(|(day, _)| **day != Day::MIN).map(|(day, counts)| (*day, counts))
    }
}
