//! The stored form of a group: one value, in columns. Little-endian.
//!
//! ```text
//! header     64 bytes   see [`Head`]
//! batches     8 each    dictionary of batch ids
//! runs       20 each    see [`RunEntry`]: consecutive records of one batch with consecutive serials
//! users       8 each    one per record
//! requests    8 each    one per record
//! controls              operations on batches, see [`super::record::Control`]
//! hash       16         XXH3-128 of all bytes before it
//! ```
//!
//! The header names the hash of the group before: the groups form a chain. A hot batch costs 16 bytes a claim and 20 a
//! run. Decoding checks the hash first and every count against the bytes that are there, and panics on nothing.

use std::fmt;

use xxhash_rust::xxh3::xxh3_128;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::controls;
use super::record::{Control, GrantRecord, mode_from_number, mode_number};
use crate::types::{Epoch, TimeMs};
use crate::users::Asked;

/// Version of this form.
const FORMAT: u16 = 1;

const MAGIC: [u8; 4] = *b"SKGP";

/// Bytes of a hash.
const HASH_BYTES: usize = 16;

/// Bit of a run's flags: its only record continues in the next run.
const CONTINUES: u8 = 1;

/// 128 bits of XXH3: finds damage and mix-ups, not forgery.
pub type Hash = [u8; HASH_BYTES];

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Head {
    magic: [u8; 4],
    format: U16,
    reserved: U16,
    epoch: U64,
    time_ms: U64,
    previous: Hash,
    batches: U32,
    runs: U32,
    records: U32,
    controls: U32,
    controls_bytes: U32,
    reserved_tail: U32,
}

const _: () = assert!(size_of::<Head>() == 64);

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RunEntry {
    batch: U32,
    serial: U32,
    records: U32,
    /// Milliseconds after the group's time.
    later_ms: U32,
    units: u8,
    asked: u8,
    mode: u8,
    flags: u8,
}

const _: () = assert!(size_of::<RunEntry>() == 20);

/// Builds groups. Keeps its buffers from one to the next.
#[derive(Default)]
pub struct Encoder {
    batches: Vec<U64>,
    last_batch: Option<(u64, u32)>,
    index: std::collections::HashMap<u64, u32, foldhash::fast::RandomState>,
    runs: Vec<RunEntry>,
    users: Vec<U64>,
    requests: Vec<U64>,
    controls: Vec<u8>,
    control_count: u32,
    bytes: Vec<u8>,
}

impl Encoder {
    /// Whether nothing was added since the last group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.control_count == 0
    }

    /// Records added since the last group.
    #[must_use]
    pub fn records(&self) -> usize {
        self.users.len()
    }

    /// Adds the grants of one burst that was decided `later_ms` after the group's time.
    pub fn grants(&mut self, later_ms: u32, records: &[GrantRecord]) {
        for record in records {
            let batch = self.batch_index(record.batch);
            self.users.push(U64::new(record.user));
            self.requests.push(U64::new(record.request));
            let entry = RunEntry {
                batch: U32::new(batch),
                serial: U32::new(record.serial),
                records: U32::new(1),
                later_ms: U32::new(later_ms),
                units: record.units,
                asked: record.asked.quantity,
                mode: mode_number(record.asked.mode),
                flags: if record.continues { CONTINUES } else { 0 },
            };
            match self.runs.last_mut() {
                Some(last) if continues(last, &entry) => last.records.set(last.records.get() + 1),
                Some(_) | None => self.runs.push(entry),
            }
        }
    }

    /// Adds operations on batches.
    pub fn controls(&mut self, controls: &[Control]) {
        for control in controls {
            controls::encode(control, &mut self.controls);
            self.control_count += 1;
        }
    }

    /// The whole group, and its hash. Begins a new one.
    pub fn finish(&mut self, epoch: Epoch, time_ms: TimeMs, previous: Hash) -> (&[u8], Hash) {
        let head = Head {
            magic: MAGIC,
            format: U16::new(FORMAT),
            reserved: U16::ZERO,
            epoch: U64::new(epoch),
            time_ms: U64::new(time_ms),
            previous,
            batches: count(self.batches.len()),
            runs: count(self.runs.len()),
            records: count(self.users.len()),
            controls: U32::new(self.control_count),
            controls_bytes: count(self.controls.len()),
            reserved_tail: U32::ZERO,
        };
        self.bytes.clear();
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(self.batches.as_bytes());
        self.bytes.extend_from_slice(self.runs.as_bytes());
        self.bytes.extend_from_slice(self.users.as_bytes());
        self.bytes.extend_from_slice(self.requests.as_bytes());
        self.bytes.extend_from_slice(&self.controls);
        let hash = xxh3_128(&self.bytes).to_le_bytes();
        self.bytes.extend_from_slice(&hash);

        self.batches.clear();
        self.index.clear();
        self.last_batch = None;
        self.runs.clear();
        self.users.clear();
        self.requests.clear();
        self.controls.clear();
        self.control_count = 0;
        (&self.bytes, hash)
    }

    fn batch_index(&mut self, batch: u64) -> u32 {
        if let Some((last, index)) = self.last_batch
            && last == batch
        {
            return index;
        }
        let next = u32::try_from(self.batches.len()).expect("a group holds fewer records than 2^32");
        let index = *self.index.entry(batch).or_insert(next);
        if index == next {
            self.batches.push(U64::new(batch));
        }
        self.last_batch = Some((batch, index));
        index
    }
}

/// Whether `entry` is the next record of the run `last`.
fn continues(last: &RunEntry, entry: &RunEntry) -> bool {
    let next_serial = u64::from(last.serial.get()) + u64::from(last.records.get()) * u64::from(last.units);
    last.batch == entry.batch
        && next_serial == u64::from(entry.serial.get())
        && last.later_ms == entry.later_ms
        && (last.units, last.asked, last.mode, last.flags) == (entry.units, entry.asked, entry.mode, entry.flags)
        && entry.flags == 0
}

fn count(length: usize) -> U32 {
    U32::new(u32::try_from(length).expect("a group is smaller than GROUP_BYTES_MAX"))
}

/// Why bytes are not a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupError {
    /// Written by a newer program.
    NewerFormat {
        /// The format found.
        format: u16,
    },
    /// The bytes do not have the hash that they end with.
    Damaged,
    /// The hash is right and the content is not: a mistake of the program that wrote it.
    Inconsistent,
}

impl fmt::Display for GroupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupError::NewerFormat { format } => {
                write!(formatter, "has format {format}, newer than {FORMAT}: use a newer stockade")
            }
            GroupError::Damaged => formatter.write_str("is damaged: its hash does not match its bytes"),
            GroupError::Inconsistent => formatter.write_str("contradicts itself although its hash is right"),
        }
    }
}

/// A group as it was read: checked, its columns borrowed.
#[derive(Debug)]
pub struct Group<'a> {
    /// Its epoch.
    pub epoch: Epoch,
    /// When it began.
    pub time_ms: TimeMs,
    /// Hash of the group before.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
    batches: &'a [U64],
    runs: &'a [RunEntry],
    users: &'a [U64],
    requests: &'a [U64],
    /// Operations on batches.
    pub controls: Vec<Control>,
}

impl fmt::Debug for RunEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}×{} from {}", self.records, self.units, self.serial)
    }
}

impl<'a> Group<'a> {
    /// Reads a group.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, GroupError> {
        let (content, hash) = bytes.split_last_chunk::<HASH_BYTES>().ok_or(GroupError::Damaged)?;
        if xxh3_128(content).to_le_bytes() != *hash {
            return Err(GroupError::Damaged);
        }
        let (head, rest) = Head::ref_from_prefix(content).map_err(|_| GroupError::Inconsistent)?;
        if head.magic != MAGIC {
            return Err(GroupError::Inconsistent);
        }
        if head.format.get() != FORMAT {
            return Err(GroupError::NewerFormat { format: head.format.get() });
        }
        let (batches, rest) = column::<U64>(rest, head.batches)?;
        let (runs, rest) = column::<RunEntry>(rest, head.runs)?;
        let (users, rest) = column::<U64>(rest, head.records)?;
        let (requests, rest) = column::<U64>(rest, head.records)?;
        if rest.len() != head.controls_bytes.get() as usize {
            return Err(GroupError::Inconsistent);
        }
        let controls = controls::decode_all(rest, head.controls.get()).ok_or(GroupError::Inconsistent)?;
        let in_runs = runs.iter().map(|run| u64::from(run.records.get())).sum::<u64>();
        if in_runs != u64::from(head.records.get()) {
            return Err(GroupError::Inconsistent);
        }
        let (epoch, time_ms) = (head.epoch.get(), head.time_ms.get());
        Ok(Self { epoch, time_ms, previous: head.previous, hash: *hash, batches, runs, users, requests, controls })
    }

    /// Number of grant records.
    #[must_use]
    pub fn records(&self) -> usize {
        self.users.len()
    }

    /// Calls `visit` with each grant record and the time of its burst, in order.
    ///
    /// # Errors
    /// `Inconsistent` when a record cannot be one; otherwise what `visit` answers.
    pub fn grants<E: From<GroupError>>(
        &self,
        mut visit: impl FnMut(TimeMs, GrantRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut people = self.users.iter().zip(self.requests);
        for run in self.runs {
            let batch = self.batches.get(run.batch.get() as usize).ok_or(GroupError::Inconsistent)?.get();
            let mode = mode_from_number(run.mode).ok_or(GroupError::Inconsistent)?;
            let asked = Asked { quantity: run.asked, mode };
            let end = u64::from(run.serial.get()) + u64::from(run.records.get()) * u64::from(run.units);
            if run.units == 0 || end > u64::from(u32::MAX) {
                return Err(GroupError::Inconsistent.into());
            }
            let time_ms = self.time_ms.saturating_add(u64::from(run.later_ms.get()));
            let mut serial = run.serial.get();
            for (user, request) in people.by_ref().take(run.records.get() as usize) {
                let (user, request) = (user.get(), request.get());
                let continues = run.flags & CONTINUES != 0;
                visit(time_ms, GrantRecord { batch, user, request, serial, units: run.units, asked, continues })?;
                serial += u32::from(run.units);
            }
        }
        Ok(())
    }
}

fn column<T: FromBytes + KnownLayout + Immutable + Unaligned>(
    bytes: &[u8],
    count: U32,
) -> Result<(&[T], &[u8]), GroupError> {
    <[T]>::ref_from_prefix_with_elems(bytes, count.get() as usize).map_err(|_| GroupError::Inconsistent)
}
