//! The records of a group, run by run.

use zerocopy::little_endian::{U32, U64};

use super::columns::{ClaimEntry, CouponEntry};
use super::record::{ClaimRecord, CouponRecord, NO_SERIAL, Step};
use super::{Group, GroupError};
use crate::stock::Run;
use crate::types::{BatchId, RequestId, TimeMs, UserId};
use crate::users::{Action, Asked, Tally};

/// Records of claims of one batch and one step, with consecutive serials.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRun<'a> {
    /// Batch claimed from.
    pub batch: BatchId,
    /// When they were decided.
    pub time_ms: TimeMs,
    /// What happened.
    pub step: Step,
    /// First serial of the first record.
    pub serial: u32,
    /// Units of each record.
    pub units: u8,
    /// What each claim asked for.
    pub asked: Asked,
    /// Whether the claim of the only record continues in the next run.
    pub continues: bool,
    entry: &'a ClaimEntry,
    users: &'a [U64],
    requests: &'a [U64],
}

/// Records of coupons of one batch, one action and one client.
#[derive(Clone, Copy, Debug)]
pub struct CouponRun<'a> {
    /// Their batch.
    pub batch: BatchId,
    /// When they were decided.
    pub time_ms: TimeMs,
    entry: &'a CouponEntry,
    holders: &'a [U64],
    orders: &'a [U64],
    serials: &'a [U32],
}

impl<'a> Group<'a> {
    /// The records of claims as runs, in order.
    ///
    /// # Errors
    /// An item is `Inconsistent` when a run cannot be one.
    pub fn claim_runs(&self) -> impl Iterator<Item = Result<ClaimRun<'a>, GroupError>> + use<'a> {
        let (mut users, mut requests, base_ms) = (self.users, self.requests, self.time_ms);
        self.claims.iter().map(move |entry| {
            let records = usize::from(entry.records.get());
            let (step, asked) = (entry.step(), entry.asked());
            Ok(ClaimRun {
                batch: entry.batch.get(),
                time_ms: base_ms.saturating_add(u64::from(entry.later_ms.get())),
                step: step.ok_or(GroupError::Inconsistent)?,
                serial: entry.serial.get(),
                units: entry.units,
                asked: asked.ok_or(GroupError::Inconsistent)?,
                continues: entry.continues(),
                entry,
                users: users.split_off(..records).ok_or(GroupError::Inconsistent)?,
                requests: requests.split_off(..records).ok_or(GroupError::Inconsistent)?,
            })
        })
    }

    /// The records of coupons as runs, in order.
    ///
    /// # Errors
    /// The same.
    pub fn coupon_runs(&self) -> impl Iterator<Item = Result<CouponRun<'a>, GroupError>> + use<'a> {
        let (mut holders, mut orders, mut serials) = (self.holders, self.orders, self.serials);
        let base_ms = self.time_ms;
        self.coupons.iter().map(move |entry| {
            let records = usize::from(entry.records.get());
            let last = entry.records.get().checked_sub(1).ok_or(GroupError::Inconsistent)?;
            entry.record(last, 0, 0, 0).ok_or(GroupError::Inconsistent)?;
            Ok(CouponRun {
                batch: entry.batch.get(),
                time_ms: base_ms.saturating_add(u64::from(entry.later_ms.get())),
                entry,
                holders: holders.split_off(..records).ok_or(GroupError::Inconsistent)?,
                orders: orders.split_off(..records).ok_or(GroupError::Inconsistent)?,
                serials: serials.split_off(..records).ok_or(GroupError::Inconsistent)?,
            })
        })
    }
}

impl<'a> ClaimRun<'a> {
    /// All serials of the run: those taken, or those under which units came back; none where they could not.
    #[must_use]
    pub fn serials(&self) -> Run {
        let records = u32::try_from(self.users.len()).expect("checked when it was read");
        let has_serials = (self.step.takes() || self.step.gives_back()) && self.serial != NO_SERIAL;
        if has_serials { Run::new(self.serial, records * u32::from(self.units)) } else { Run::new(0, 0) }
    }

    /// Counts the run.
    pub fn count(&self, tally: &mut Tally) {
        let units = self.all_units();
        let sum = match self.step {
            Step::Grant => &mut tally.claimed,
            Step::Reserve { .. } => &mut tally.reserved,
            Step::Confirm => &mut tally.confirmed,
            Step::Cancel => &mut tally.cancelled,
            Step::Lapse => &mut tally.lapsed,
            Step::Extend { .. } | Step::Mark => return,
        };
        *sum += units;
        if self.serial == NO_SERIAL {
            tally.stranded += units;
        }
    }

    /// Units of all records.
    #[must_use]
    pub fn all_units(&self) -> u64 {
        self.users.len() as u64 * u64::from(self.units)
    }

    /// The users, in the order of their records.
    #[must_use]
    pub fn users(&self) -> impl ExactSizeIterator<Item = UserId> + use<'a> {
        self.users.iter().map(|user| user.get())
    }

    /// Number of its records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether it holds no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = ClaimRecord> + use<'a> {
        let run = *self;
        let columns = self.users.iter().zip(self.requests).enumerate();
        columns.map(move |(number, (user, request))| run.of(number, user.get(), request.get()))
    }

    /// The record with this number, from 0.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline]
    #[must_use]
    pub fn record(&self, number: usize) -> ClaimRecord {
        self.of(number, self.users[number].get(), self.requests[number].get())
    }

    #[inline]
    fn of(&self, number: usize, user: UserId, request: RequestId) -> ClaimRecord {
        let ClaimRun { batch, step, units, asked, continues, serial, .. } = *self;
        let offset = u32::try_from(number).expect("fewer records than a run holds") * u32::from(units);
        let offset = if step == Step::Confirm { 0 } else { offset };
        // The only serial that cannot go on is the one that stands for none, and it is alone.
        let serial = serial.saturating_add(offset);
        ClaimRecord { batch, user, request, step, serial, units, asked, continues }
    }

    /// The users and the requests, as they are stored.
    pub(in crate::journal) fn columns(&self) -> (&'a [U64], &'a [U64]) {
        (self.users, self.requests)
    }

    pub(super) fn entry(&self, later_ms: U32) -> ClaimEntry {
        self.entry.at(later_ms)
    }
}

impl<'a> CouponRun<'a> {
    /// Number of its records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.holders.len()
    }

    /// Whether it holds no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holders.is_empty()
    }

    /// Counts the run.
    pub fn count(&self, tally: &mut Tally) {
        let Some(first) = self.records().next() else { return };
        let coupons = self.holders.len() as u64;
        match first.action {
            Action::Lock => tally.locked += coupons,
            Action::Unlock if first.marks => {}
            Action::Unlock => tally.unlocked += coupons,
            Action::Redeem => tally.redeemed += coupons,
            Action::Restore => tally.restored += coupons,
            Action::Void => tally.voided += coupons,
            Action::Return => {
                tally.returned += coupons;
                if first.back.is_none() {
                    tally.stranded += coupons;
                }
            }
        }
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = CouponRecord> + use<'a> {
        let entry = self.entry;
        let columns = self.holders.iter().zip(self.orders).zip(self.serials);
        (0..).zip(columns).map(move |(number, ((user, order), serial))| {
            let record = entry.record(number, user.get(), order.get(), serial.get());
            record.expect("the last record was checked when the run was read")
        })
    }

    pub(super) fn columns(&self) -> (&'a [U64], &'a [U64], &'a [U32]) {
        (self.holders, self.orders, self.serials)
    }

    pub(super) fn entry(&self, later_ms: U32) -> CouponEntry {
        self.entry.at(later_ms)
    }
}
