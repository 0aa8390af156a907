//! What one core hands in during one epoch, in the columns of a group: the committer only has to put the portions
//! together.

use std::fmt;

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

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
