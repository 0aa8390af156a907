//! The stored form of runs of records: the columns of a group, entry by entry. Little-endian.
//!
//! Consecutive records that differ in nothing but user and request, and whose serials follow each other, are one run: a
//! hot batch costs 16 bytes a claim and 24 a run.

use std::fmt;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::record::{
    ClaimRecord, CouponRecord, NO_SERIAL, Step, action_from_number, action_number, mode_from_number, mode_number,
};
use crate::stock::Mode;
use crate::users::{Action, Asked};

/// Bit of a run's flags: its only record continues in the next run.
const CONTINUES: u8 = 1;
/// Bit of a run's flags: the claims are reservations.
const RESERVES: u8 = 2;

/// Records of one batch and one step with consecutive serials.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(in crate::journal) struct ClaimEntry {
    pub(super) batch: U64,
    pub(super) serial: U32,
    pub(super) records: U16,
    ttl_s: U16,
    /// Milliseconds after the portion's time; in a group, after the group's.
    pub(super) later_ms: U32,
    pub(super) units: u8,
    asked: u8,
    /// Mode in the lower half, step in the upper.
    how: u8,
    flags: u8,
}

const _: () = assert!(size_of::<ClaimEntry>() == 24);

/// Records of one batch, one action and one client.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(in crate::journal) struct CouponEntry {
    pub(super) batch: U64,
    /// Of returns, the serial under which the first unit came back, the others following; of restorations, the day.
    value: U32,
    pub(super) records: U16,
    client: U16,
    pub(super) later_ms: U32,
    action: u8,
    flags: u8,
    reserved: U16,
}

const _: () = assert!(size_of::<CouponEntry>() == 24);

/// Flag of a coupon entry: its value counts.
const HAS_VALUE: u8 = 1;
/// Flag of a coupon entry: unlocks of what was not locked.
const MARKS: u8 = 2;

impl ClaimEntry {
    pub(super) fn new(record: &ClaimRecord, later_ms: U32) -> Self {
        let (step, ttl_s) = step_number(record.step);
        Self {
            batch: U64::new(record.batch),
            serial: U32::new(record.serial),
            records: U16::new(1),
            ttl_s: U16::new(ttl_s),
            later_ms,
            units: record.units,
            asked: record.asked.quantity,
            how: mode_number(record.asked.mode) | step << 4,
            flags: if record.continues { CONTINUES } else { 0 } | if record.asked.reserves { RESERVES } else { 0 },
        }
    }

    /// The same entry at another time.
    pub(super) fn at(&self, later_ms: U32) -> Self {
        Self { later_ms, ..*self }
    }

    /// Whether its only record continues in the next run.
    pub(super) fn continues(&self) -> bool {
        self.flags & CONTINUES != 0
    }

    pub(super) fn asked(&self) -> Option<Asked> {
        let mode: Mode = mode_from_number(self.how & 15)?;
        Some(Asked { quantity: self.asked, mode, reserves: self.flags & RESERVES != 0 })
    }

    /// What happened; `None` if the entry is none that is ever written.
    pub(super) fn step(&self) -> Option<Step> {
        let step = step_from_number(self.how >> 4, self.ttl_s.get())?;
        let has_serials = step.takes() || step.gives_back();
        let has_units = has_serials || step == Step::Confirm;
        let end = u64::from(self.serial.get()) + u64::from(self.records.get()) * u64::from(self.units);
        let in_range = if has_serials {
            end <= u64::from(NO_SERIAL) || (step.gives_back() && self.has_no_serial())
        } else {
            self.serial.get() == 0
        };
        (in_range && has_units == (self.units > 0) && self.records.get() > 0).then_some(step)
    }

    /// Whether units could not come back.
    pub(super) fn has_no_serial(&self) -> bool {
        self.serial.get() == NO_SERIAL && self.records.get() == 1
    }

    /// Adds the records of `entry`, if they go on where these end.
    pub(super) fn join(&mut self, entry: &ClaimEntry) -> bool {
        // Confirmations have units and no serials.
        let advance = if self.how >> 4 == CONFIRM { 0 } else { self.units };
        let next_serial = u64::from(self.serial.get()) + u64::from(self.records.get()) * u64::from(advance);
        let together = self.records.get().checked_add(entry.records.get());
        // What stands for no serial follows none, not even the last one of all.
        let follows = next_serial == u64::from(entry.serial.get())
            && entry.serial.get() != NO_SERIAL
            && self.batch == entry.batch
            && self.later_ms == entry.later_ms
            && (self.units, self.asked, self.how, self.flags) == (entry.units, entry.asked, entry.how, entry.flags)
            && self.ttl_s == entry.ttl_s
            && entry.flags & CONTINUES == 0;
        match together.filter(|_| follows) {
            Some(together) => {
                self.records.set(together);
                true
            }
            None => false,
        }
    }
}

impl CouponEntry {
    pub(super) fn new(record: &CouponRecord, later_ms: U32) -> Self {
        let value = match record.action {
            Action::Return => record.back,
            Action::Restore => record.through.map(i32::cast_unsigned),
            Action::Lock | Action::Unlock | Action::Redeem | Action::Void => None,
        };
        Self {
            batch: U64::new(record.batch),
            value: U32::new(value.unwrap_or(0)),
            records: U16::new(1),
            client: U16::new(record.client),
            later_ms,
            action: action_number(record.action),
            flags: if value.is_some() { HAS_VALUE } else { 0 } | if record.marks { MARKS } else { 0 },
            reserved: U16::ZERO,
        }
    }

    /// The same entry at another time.
    pub(super) fn at(&self, later_ms: U32) -> Self {
        Self { later_ms, ..*self }
    }

    /// The record number `number` of the run, for this user, order and serial; `None` if the entry is none that is ever
    /// written.
    pub(super) fn record(&self, number: u16, user: u64, order: u64, serial: u32) -> Option<CouponRecord> {
        let action = action_from_number(self.action)?;
        let value = (self.flags & HAS_VALUE != 0).then(|| self.value.get());
        let back = match value.filter(|_| action == Action::Return) {
            Some(first) => Some(first.checked_add(number.into())?),
            None => None,
        };
        let through = value.filter(|_| action == Action::Restore).map(u32::cast_signed);
        let (batch, client, marks) = (self.batch.get(), self.client.get(), self.flags & MARKS != 0);
        let is_possible = self.flags & !(HAS_VALUE | MARKS) == 0 && (!marks || action == Action::Unlock);
        is_possible.then_some(CouponRecord { batch, user, serial, action, order, client, marks, back, through })
    }

    /// Adds the records of `entry`, if they go on where these end.
    pub(super) fn join(&mut self, entry: &CouponEntry) -> bool {
        let is_return = self.action == action_number(Action::Return) && self.flags & HAS_VALUE != 0;
        let next_value =
            if is_return { self.value.get().checked_add(self.records.get().into()) } else { Some(self.value.get()) };
        let follows = next_value == Some(entry.value.get())
            && (self.batch, self.client, self.later_ms) == (entry.batch, entry.client, entry.later_ms)
            && (self.action, self.flags) == (entry.action, entry.flags);
        match self.records.get().checked_add(entry.records.get()).filter(|_| follows) {
            Some(together) => {
                self.records.set(together);
                true
            }
            None => false,
        }
    }
}

const CONFIRM: u8 = 2;

fn step_number(step: Step) -> (u8, u16) {
    match step {
        Step::Grant => (0, 0),
        Step::Reserve { ttl_s } => (1, ttl_s),
        Step::Confirm => (CONFIRM, 0),
        Step::Cancel => (3, 0),
        Step::Lapse => (4, 0),
        Step::Extend { ttl_s } => (5, ttl_s),
        Step::Mark => (6, 0),
    }
}

fn step_from_number(number: u8, ttl_s: u16) -> Option<Step> {
    let step = match number {
        0 => Step::Grant,
        1 => Step::Reserve { ttl_s },
        CONFIRM => Step::Confirm,
        3 => Step::Cancel,
        4 => Step::Lapse,
        5 => Step::Extend { ttl_s },
        6 => Step::Mark,
        _ => return None,
    };
    let has_ttl = matches!(step, Step::Reserve { .. } | Step::Extend { .. });
    (has_ttl == (ttl_s > 0)).then_some(step)
}

impl fmt::Debug for ClaimEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {}×{} from {}", self.step(), self.records, self.units, self.serial)
    }
}

impl fmt::Debug for CouponEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {}", action_from_number(self.action), self.records)
    }
}
