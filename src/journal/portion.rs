//! What one core hands in during one epoch, in the columns of a group: the committer only has to put the portions
//! together.

use std::fmt;

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::group::GrantRun;
use super::record::{Control, GrantRecord, mode_number};
use crate::types::TimeMs;

/// Bit of a run's flags: its only record continues in the next run.
const CONTINUES: u8 = 1;

/// Consecutive records of one batch with consecutive serials, as they are stored.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct RunEntry {
    pub(super) batch: U64,
    pub(super) serial: U32,
    pub(super) records: U32,
    /// Milliseconds after the portion's time; in a group, after the group's.
    pub(super) later_ms: U32,
    pub(super) units: u8,
    pub(super) asked: u8,
    pub(super) mode: u8,
    flags: u8,
}

const _: () = assert!(size_of::<RunEntry>() == 24);

/// See the module. Order matters in each column, and between the columns of grants.
#[derive(Default)]
pub struct Portion {
    /// Time of the first grant.
    base_ms: TimeMs,
    pub(super) runs: Vec<RunEntry>,
    pub(super) users: Vec<U64>,
    pub(super) requests: Vec<U64>,
    pub(super) controls: Vec<Control>,
}

impl Portion {
    /// Adds a grant that was decided at `time_ms`, not earlier than the one before.
    #[inline]
    pub fn grant(&mut self, time_ms: TimeMs, record: &GrantRecord) {
        if self.users.is_empty() {
            self.base_ms = time_ms;
        }
        self.users.push(U64::new(record.user));
        self.requests.push(U64::new(record.request));
        let entry = RunEntry {
            batch: U64::new(record.batch),
            serial: U32::new(record.serial),
            records: U32::new(1),
            later_ms: later(self.base_ms, time_ms),
            units: record.units,
            asked: record.asked.quantity,
            mode: mode_number(record.asked.mode),
            flags: if record.continues { CONTINUES } else { 0 },
        };
        match self.runs.last_mut() {
            Some(last) if last.is_followed_by(&entry) => last.records.set(last.records.get() + 1),
            Some(_) | None => self.runs.push(entry),
        }
    }

    /// Adds the grants of a run that was read back, decided at any time that the portion [spans](Portion::spans).
    pub(super) fn run(&mut self, run: &GrantRun<'_>) {
        if self.users.is_empty() {
            self.base_ms = run.time_ms;
        } else if run.time_ms < self.base_ms {
            let earlier = later(run.time_ms, self.base_ms).get();
            self.runs.iter_mut().for_each(|entry| entry.later_ms.set(entry.later_ms.get().saturating_add(earlier)));
            self.base_ms = run.time_ms;
        }
        let (users, requests) = run.columns();
        self.users.extend_from_slice(users);
        self.requests.extend_from_slice(requests);
        let entry = RunEntry {
            batch: U64::new(run.batch),
            serial: U32::new(run.serial),
            records: U32::new(u32::try_from(users.len()).expect("checked when it was read")),
            later_ms: later(self.base_ms, run.time_ms),
            units: run.units,
            asked: run.asked.quantity,
            mode: mode_number(run.asked.mode),
            flags: if run.continues { CONTINUES } else { 0 },
        };
        match self.runs.last_mut() {
            Some(last) if last.is_followed_by(&entry) => {
                last.records.set(last.records.get() + entry.records.get());
            }
            Some(_) | None => self.runs.push(entry),
        }
    }

    /// Whether a grant of this time, give or take what bursts of one moment differ in, can stand in the same portion as
    /// those that are there: times are kept as milliseconds in 32 bits.
    pub(super) fn spans(&self, time_ms: TimeMs) -> bool {
        self.users.is_empty() || time_ms.abs_diff(self.base_ms) < u64::from(u32::MAX / 2)
    }

    /// Bytes that its grants take when stored, and what its operations take in memory.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.runs)
            + size_of_val(&*self.users)
            + size_of_val(&*self.requests)
            + size_of_val(&*self.controls)
    }

    /// Adds an operation on a batch.
    pub fn control(&mut self, control: Control) {
        self.controls.push(control);
    }

    /// Number of grant records.
    #[must_use]
    pub fn records(&self) -> usize {
        self.users.len()
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.controls.is_empty()
    }

    /// Time of the first grant, if there is one.
    pub(super) fn time_ms(&self) -> Option<TimeMs> {
        (!self.users.is_empty()).then_some(self.base_ms)
    }

    /// Appends the runs as they stand in a group of `time_ms`.
    pub(super) fn append_runs(&self, time_ms: TimeMs, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(self.runs.as_bytes());
        if self.base_ms > time_ms
            && let Ok(runs) = <[RunEntry]>::mut_from_bytes(&mut bytes[start..])
        {
            let offset = later(time_ms, self.base_ms).get();
            runs.iter_mut().for_each(|run| run.later_ms.set(run.later_ms.get().saturating_add(offset)));
        }
    }

    /// Empties it and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.users.clear();
        self.requests.clear();
        self.controls.clear();
    }
}

impl RunEntry {
    /// Whether its only record continues in the next run.
    pub(super) fn continues(&self) -> bool {
        self.flags & CONTINUES != 0
    }

    /// Whether `entry` is the next record of this run.
    fn is_followed_by(&self, entry: &RunEntry) -> bool {
        let next_serial = u64::from(self.serial.get()) + u64::from(self.records.get()) * u64::from(self.units);
        next_serial == u64::from(entry.serial.get())
            && self.batch == entry.batch
            && self.later_ms == entry.later_ms
            && (self.units, self.asked, self.mode, self.flags) == (entry.units, entry.asked, entry.mode, entry.flags)
            && entry.flags == 0
    }
}

impl fmt::Debug for RunEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}×{} from {}", self.records, self.units, self.serial)
    }
}

/// Milliseconds from `base_ms` to `time_ms`, as far as they can be told.
fn later(base_ms: TimeMs, time_ms: TimeMs) -> U32 {
    U32::new(u32::try_from(time_ms.saturating_sub(base_ms)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::group::{Encoder, Group};
    use crate::stock::Mode;
    use crate::users::Asked;

    fn record(serial: u32) -> GrantRecord {
        let asked = Asked { quantity: 2, mode: Mode::UpTo };
        let (user, request) = (u64::from(serial) + 70, u64::from(serial) + 900);
        GrantRecord { batch: 5, user, request, serial, units: 1, asked, continues: serial == 3 }
    }

    /// The grants with their times, as a group gives them back.
    fn read(bytes: &[u8]) -> Vec<(TimeMs, GrantRecord)> {
        let group = Group::decode(bytes).expect("a group");
        let runs = group.runs().map(|run| run.expect("a run"));
        runs.flat_map(|run| run.records().map(move |record| (run.time_ms, record))).collect()
    }

    #[test]
    fn runs_that_were_read_keep_their_times_in_any_order_and_join_where_they_can() {
        let mut encoder = Encoder::default();
        let (mut joined, mut expected) = (Portion::default(), Vec::new());
        // The third group began earlier than the second one, as bursts of one moment may.
        for (epoch, serials, time_ms) in [(1, 0..2, 1_000), (2, 2..3, 1_000), (3, 3..6, 990), (4, 6..8, 2_000)] {
            let mut portion = Portion::default();
            serials.for_each(|serial| portion.grant(time_ms, &record(serial)));
            let (bytes, _) = encoder.encode(epoch, [0; 16], &[&portion]);
            expected.extend(read(bytes));
            let group = Group::decode(bytes).expect("a group");
            group.runs().for_each(|run| joined.run(&run.expect("a run")));
        }
        assert_eq!(joined.runs.len(), 4, "serials 0 to 2, 3 alone, 4 and 5, 6 and 7");
        let (bytes, _) = encoder.encode(9, [0; 16], &[&joined]);
        assert_eq!(read(bytes), expected);
        assert_eq!(expected.iter().map(|(time_ms, _)| *time_ms).min(), Some(990));
    }
}
