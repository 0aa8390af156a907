//! What one core hands in during one epoch, in the columns of a group: the committer only has to put the portions
//! together.

use zerocopy::FromBytes;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U32, U64};

use super::columns::{ClaimEntry, CouponEntry};
use super::record::{ClaimRecord, Control, CouponRecord};
use super::{ClaimRun, CouponRun};
use crate::types::TimeMs;

/// See the module. Order matters in each column, and between the columns of one kind of record.
#[derive(Default)]
pub struct Portion {
    /// Time of the first record.
    base_ms: TimeMs,
    pub(super) claims: Vec<ClaimEntry>,
    pub(super) users: Vec<U64>,
    pub(super) requests: Vec<U64>,
    pub(super) coupons: Vec<CouponEntry>,
    pub(super) holders: Vec<U64>,
    pub(super) orders: Vec<U64>,
    pub(super) serials: Vec<U32>,
    pub(super) controls: Vec<Control>,
}

impl Portion {
    /// Adds a step of a claim that was decided at `time_ms`, not earlier than the record before.
    #[inline]
    pub fn claim(&mut self, time_ms: TimeMs, record: &ClaimRecord) {
        self.begin(time_ms);
        self.users.push(U64::new(record.user));
        self.requests.push(U64::new(record.request));
        self.join_claims(&ClaimEntry::new(record, later(self.base_ms, time_ms)));
    }

    /// Adds what happened to a coupon, in the same way.
    #[inline]
    pub fn coupon(&mut self, time_ms: TimeMs, record: &CouponRecord) {
        self.begin(time_ms);
        self.holders.push(U64::new(record.user));
        self.orders.push(U64::new(record.order));
        self.serials.push(U32::new(record.serial));
        self.join_coupons(&CouponEntry::new(record, later(self.base_ms, time_ms)));
    }

    /// Adds the records of a run that was read back, decided at any time that the portion [spans](Portion::spans).
    pub(in crate::journal) fn claim_run(&mut self, run: &ClaimRun<'_>) {
        let later_ms = self.rebase(run.time_ms);
        let (users, requests) = run.columns();
        self.users.extend_from_slice(users);
        self.requests.extend_from_slice(requests);
        self.join_claims(&run.entry(later_ms));
    }

    /// The same for coupons.
    pub(in crate::journal) fn coupon_run(&mut self, run: &CouponRun<'_>) {
        let later_ms = self.rebase(run.time_ms);
        let (holders, orders, serials) = run.columns();
        self.holders.extend_from_slice(holders);
        self.orders.extend_from_slice(orders);
        self.serials.extend_from_slice(serials);
        self.join_coupons(&run.entry(later_ms));
    }

    /// Whether a record of this time, give or take what bursts of one moment differ in, can stand in the same portion
    /// as those that are there: times are kept as milliseconds in 32 bits.
    pub(in crate::journal) fn spans(&self, time_ms: TimeMs) -> bool {
        self.records() == 0 || time_ms.abs_diff(self.base_ms) < u64::from(u32::MAX / 2)
    }

    /// Bytes that its records take when stored, and what its operations take in memory.
    pub(in crate::journal) fn bytes(&self) -> usize {
        size_of_val(&*self.claims)
            + size_of_val(&*self.users) * 2
            + size_of_val(&*self.coupons)
            + size_of_val(&*self.holders) * 2
            + size_of_val(&*self.serials)
            + size_of_val(&*self.controls)
    }

    /// Adds an operation on a batch.
    pub fn control(&mut self, control: Control) {
        self.controls.push(control);
    }

    /// Adds operations before those that are there.
    pub(in crate::journal) fn controls_before(&mut self, controls: impl Iterator<Item = Control>) {
        self.controls.splice(..0, controls);
    }

    /// Number of records of claims and coupons.
    #[must_use]
    pub fn records(&self) -> usize {
        self.users.len() + self.holders.len()
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records() == 0 && self.controls.is_empty()
    }

    /// Time of the first record, if there is one.
    pub(super) fn time_ms(&self) -> Option<TimeMs> {
        (self.records() > 0).then_some(self.base_ms)
    }

    /// Appends the runs of claims as they stand in a group of `time_ms`.
    pub(super) fn append_claims(&self, time_ms: TimeMs, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(self.claims.as_bytes());
        if let (Some(offset), Ok(entries)) = (self.offset(time_ms), <[ClaimEntry]>::mut_from_bytes(&mut bytes[start..]))
        {
            entries.iter_mut().for_each(|entry| shift(&mut entry.later_ms, offset));
        }
    }

    /// The same for coupons.
    pub(super) fn append_coupons(&self, time_ms: TimeMs, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(self.coupons.as_bytes());
        if let (Some(offset), Ok(entries)) =
            (self.offset(time_ms), <[CouponEntry]>::mut_from_bytes(&mut bytes[start..]))
        {
            entries.iter_mut().for_each(|entry| shift(&mut entry.later_ms, offset));
        }
    }

    /// Empties it and keeps its memory.
    pub(in crate::journal) fn clear(&mut self) {
        self.claims.clear();
        self.users.clear();
        self.requests.clear();
        self.coupons.clear();
        self.holders.clear();
        self.orders.clear();
        self.serials.clear();
        self.controls.clear();
    }

    #[inline]
    fn begin(&mut self, time_ms: TimeMs) {
        if self.records() == 0 {
            self.base_ms = time_ms;
        }
    }

    /// Makes room for a record of any time; returns how much later than the first it is.
    fn rebase(&mut self, time_ms: TimeMs) -> U32 {
        self.begin(time_ms);
        if time_ms < self.base_ms {
            let earlier = later(time_ms, self.base_ms).get();
            self.claims.iter_mut().for_each(|entry| shift(&mut entry.later_ms, earlier));
            self.coupons.iter_mut().for_each(|entry| shift(&mut entry.later_ms, earlier));
            self.base_ms = time_ms;
        }
        later(self.base_ms, time_ms)
    }

    #[inline]
    fn join_claims(&mut self, entry: &ClaimEntry) {
        if !self.claims.last_mut().is_some_and(|last| last.join(entry)) {
            self.claims.push(*entry);
        }
    }

    #[inline]
    fn join_coupons(&mut self, entry: &CouponEntry) {
        if !self.coupons.last_mut().is_some_and(|last| last.join(entry)) {
            self.coupons.push(*entry);
        }
    }

    fn offset(&self, time_ms: TimeMs) -> Option<u32> {
        (self.base_ms > time_ms).then(|| later(time_ms, self.base_ms).get())
    }
}

/// Milliseconds from `base_ms` to `time_ms`, as far as they can be told.
fn later(base_ms: TimeMs, time_ms: TimeMs) -> U32 {
    U32::new(u32::try_from(time_ms.saturating_sub(base_ms)).unwrap_or(u32::MAX))
}

fn shift(later_ms: &mut U32, by: u32) {
    later_ms.set(later_ms.get().saturating_add(by));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::group::{Encoder, Group, Step};
    use crate::stock::Mode;
    use crate::users::{Action, Asked};

    fn claim(serial: u32) -> ClaimRecord {
        let asked = Asked { quantity: 2, mode: Mode::UpTo, reserves: false };
        let (user, request) = (u64::from(serial) + 70, u64::from(serial) + 900);
        ClaimRecord { batch: 5, user, request, step: Step::Grant, serial, units: 1, asked, continues: serial == 3 }
    }

    fn returned(serial: u32) -> CouponRecord {
        let (user, order) = (u64::from(serial) + 70, u64::from(serial) % 2);
        let (marks, through) = (false, None);
        let back = Some(serial + 1_000).filter(|_| serial != 4);
        CouponRecord { batch: 5, user, serial, action: Action::Return, order, client: 3, marks, back, through }
    }

    type Timed<T> = Vec<(TimeMs, T)>;

    /// The records with their times, as a group gives them back.
    fn read(bytes: &[u8]) -> (Timed<ClaimRecord>, Timed<CouponRecord>) {
        let group = Group::decode(bytes).expect("a group");
        let claims = group.claim_runs().map(|run| run.expect("a run"));
        let claims = claims.flat_map(|run| run.records().map(move |record| (run.time_ms, record))).collect();
        let coupons = group.coupon_runs().map(|run| run.expect("a run"));
        let coupons = coupons.flat_map(|run| run.records().map(move |record| (run.time_ms, record))).collect();
        (claims, coupons)
    }

    #[test]
    fn runs_that_were_read_keep_their_times_in_any_order_and_join_where_they_can() {
        let mut encoder = Encoder::default();
        let (mut joined, mut claims, mut coupons) = (Portion::default(), Vec::new(), Vec::new());
        // The third group began earlier than the second one, as bursts of one moment may.
        for (epoch, serials, time_ms) in [(1, 0..2, 1_000), (2, 2..3, 1_000), (3, 3..6, 990), (4, 6..8, 2_000)] {
            let mut portion = Portion::default();
            for serial in serials {
                portion.claim(time_ms, &claim(serial));
                portion.coupon(time_ms, &returned(serial));
            }
            let (bytes, _) = encoder.encode(epoch, [0; 16], &[&portion]);
            let (more_claims, more_coupons) = read(bytes);
            claims.extend(more_claims);
            coupons.extend(more_coupons);
            let group = Group::decode(bytes).expect("a group");
            group.claim_runs().for_each(|run| joined.claim_run(&run.expect("a run")));
            group.coupon_runs().for_each(|run| joined.coupon_run(&run.expect("a run")));
        }
        assert_eq!(joined.claims.len(), 4, "serials 0 to 2, 3 alone, 4 and 5, 6 and 7");
        assert_eq!(joined.coupons.len(), 5, "the same, but 4 did not come back");
        let (bytes, _) = encoder.encode(9, [0; 16], &[&joined]);
        assert_eq!(read(bytes), (claims.clone(), coupons));
        assert_eq!(claims.iter().map(|(time_ms, _)| *time_ms).min(), Some(990));
    }

    #[test]
    fn more_records_than_a_run_holds_are_several_runs() {
        let mut portion = Portion::default();
        for serial in 10..70_010 {
            portion.claim(1, &claim(serial));
        }
        assert_eq!(portion.claims.len(), 2);
        let mut encoder = Encoder::default();
        let (bytes, _) = encoder.encode(1, [0; 16], &[&portion]);
        assert_eq!(read(bytes).0.len(), 70_000);
    }
}
