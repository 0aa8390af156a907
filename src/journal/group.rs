//! The stored form of a group: one value, in columns. Little-endian.
//!
//! ```text
//! header     64 bytes   see [`Head`]
//! runs       24 each    see [`RunEntry`]: consecutive records of one batch with consecutive serials
//! users       8 each    one per record
//! requests    8 each    one per record
//! controls              operations on batches, see [`super::record::Control`]
//! hash       16         XXH3-128 of all bytes before it
//! ```
//!
//! The header names the hash of the group before: the groups form a chain. A hot batch costs 16 bytes a claim and 24 a
//! run. Decoding checks the hash first and every count against the bytes that are there, and panics on nothing.

use std::fmt;

use xxhash_rust::xxh3::xxh3_128;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::controls;
use super::portion::{Portion, RunEntry};
use super::record::{Control, GrantRecord, mode_from_number};
use crate::stock::Run;
use crate::types::{BatchId, Epoch, TimeMs, UserId};
use crate::users::Asked;

/// Version of this form.
const FORMAT: u16 = 1;

const MAGIC: [u8; 4] = *b"SKGP";

/// Bytes of a hash.
const HASH_BYTES: usize = 16;

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
    runs: U32,
    records: U32,
    controls: U32,
    controls_bytes: U32,
    reserved_tail: U64,
}

const _: () = assert!(size_of::<Head>() == 64);

/// Packs what the cores handed in into groups. Keeps its buffers from one to the next.
#[derive(Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    controls: Vec<u8>,
}

impl Encoder {
    /// The group of these portions, and its hash. Its time is that of its first grant; controls carry their own.
    pub fn encode(&mut self, epoch: Epoch, previous: Hash, portions: &[&Portion]) -> (&[u8], Hash) {
        let time_ms = portions.iter().filter_map(|portion| portion.time_ms()).min().unwrap_or(0);
        let sum = |count: fn(&Portion) -> usize| count_of(portions.iter().map(|portion| count(portion)).sum());
        self.controls.clear();
        let controls = portions.iter().flat_map(|portion| &portion.controls);
        controls.for_each(|control| controls::encode(control, &mut self.controls));
        let head = Head {
            magic: MAGIC,
            format: U16::new(FORMAT),
            reserved: U16::ZERO,
            epoch: U64::new(epoch),
            time_ms: U64::new(time_ms),
            previous,
            runs: sum(|portion| portion.runs.len()),
            records: sum(Portion::records),
            controls: sum(|portion| portion.controls.len()),
            controls_bytes: count_of(self.controls.len()),
            reserved_tail: U64::ZERO,
        };
        let bytes = &mut self.bytes;
        bytes.clear();
        bytes.extend_from_slice(head.as_bytes());
        for portion in portions {
            portion.append_runs(time_ms, bytes);
        }
        portions.iter().for_each(|portion| bytes.extend_from_slice(portion.users.as_bytes()));
        portions.iter().for_each(|portion| bytes.extend_from_slice(portion.requests.as_bytes()));
        bytes.extend_from_slice(&self.controls);
        let hash = xxh3_128(bytes).to_le_bytes();
        bytes.extend_from_slice(&hash);
        (bytes, hash)
    }
}

fn count_of(length: usize) -> U32 {
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
    runs: &'a [RunEntry],
    users: &'a [U64],
    requests: &'a [U64],
    /// Operations on batches.
    pub controls: Vec<Control>,
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
        Self::read_again(bytes)
    }

    /// Reads a group once more that was decoded before: its hash is not computed again.
    ///
    /// # Errors
    /// As [`Group::decode`].
    pub fn read_again(bytes: &'a [u8]) -> Result<Self, GroupError> {
        let (content, hash) = bytes.split_last_chunk::<HASH_BYTES>().ok_or(GroupError::Damaged)?;
        let (head, rest) = Head::ref_from_prefix(content).map_err(|_| GroupError::Inconsistent)?;
        if head.magic != MAGIC {
            return Err(GroupError::Inconsistent);
        }
        if head.format.get() != FORMAT {
            return Err(GroupError::NewerFormat { format: head.format.get() });
        }
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
        Ok(Self { epoch, time_ms, previous: head.previous, hash: *hash, runs, users, requests, controls })
    }

    /// Number of grant records.
    #[must_use]
    pub fn records(&self) -> usize {
        self.users.len()
    }

    /// The grants as runs, in order.
    ///
    /// # Errors
    /// An item is `Inconsistent` when a run cannot be one.
    pub fn runs(&self) -> impl Iterator<Item = Result<GrantRun<'a>, GroupError>> {
        let (mut users, mut requests) = (self.users, self.requests);
        self.runs.iter().map(move |run| {
            let (mode, records) = (mode_from_number(run.mode), run.records.get() as usize);
            let mode = mode.ok_or(GroupError::Inconsistent)?;
            let end = u64::from(run.serial.get()) + u64::from(run.records.get()) * u64::from(run.units);
            if run.units == 0 || end > u64::from(u32::MAX) {
                return Err(GroupError::Inconsistent);
            }
            Ok(GrantRun {
                batch: run.batch.get(),
                time_ms: self.time_ms.saturating_add(u64::from(run.later_ms.get())),
                serial: run.serial.get(),
                units: run.units,
                asked: Asked { quantity: run.asked, mode },
                continues: run.continues(),
                users: users.split_off(..records).ok_or(GroupError::Inconsistent)?,
                requests: requests.split_off(..records).ok_or(GroupError::Inconsistent)?,
            })
        })
    }
}

/// Records of one batch with consecutive serials.
#[derive(Clone, Copy, Debug)]
pub struct GrantRun<'a> {
    /// Batch claimed from.
    pub batch: BatchId,
    /// When the claims were decided.
    pub time_ms: TimeMs,
    /// First serial of the first record.
    pub serial: u32,
    /// Units of each record.
    pub units: u8,
    /// What each claim asked for.
    pub asked: Asked,
    /// Whether the claim of the only record continues in the next run.
    pub continues: bool,
    users: &'a [U64],
    requests: &'a [U64],
}

impl<'a> GrantRun<'a> {
    /// All serials of the run.
    #[must_use]
    pub fn serials(&self) -> Run {
        let records = u32::try_from(self.users.len()).expect("checked when it was read");
        Run::new(self.serial, records * u32::from(self.units))
    }

    /// The users, in the order of their records.
    pub fn users(&self) -> impl Iterator<Item = UserId> + 'a {
        self.users.iter().map(|user| user.get())
    }

    /// The users and the requests, as they are stored.
    pub(super) fn columns(&self) -> (&'a [U64], &'a [U64]) {
        (self.users, self.requests)
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
    pub fn records(&self) -> impl Iterator<Item = GrantRecord> + use<'a> {
        let GrantRun { batch, units, asked, continues, .. } = *self;
        let serials = (self.serial..).step_by(usize::from(units));
        self.users.iter().zip(self.requests).zip(serials).map(move |((user, request), serial)| {
            let (user, request) = (user.get(), request.get());
            GrantRecord { batch, user, request, serial, units, asked, continues }
        })
    }
}

fn column<T: FromBytes + KnownLayout + Immutable + Unaligned>(
    bytes: &[u8],
    count: U32,
) -> Result<(&[T], &[u8]), GroupError> {
    <[T]>::ref_from_prefix_with_elems(bytes, count.get() as usize).map_err(|_| GroupError::Inconsistent)
}
