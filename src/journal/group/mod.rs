//! The stored form of a group: one value, in columns. Little-endian.
//!
//! ```text
//! header     64 bytes   see [`Head`]
//! claims     24 each    see [`columns::ClaimEntry`]: records of claims that follow each other
//! users       8 each    one per record of a claim
//! requests    8 each    the same
//! coupons    24 each    see [`columns::CouponEntry`]: records of coupons
//! holders     8 each    one per record of a coupon
//! orders      8 each    the same
//! serials     4 each    the same
//! controls              operations on batches, see [`Control`]
//! hash       16         XXH3-128 of all bytes before it
//! ```
//!
//! The header names the hash of the group before: the groups form a chain. Decoding checks the hash first and every
//! count against the bytes that are there, and panics on nothing.
//!
//! All records of one claim or coupon stand in the order in which they were decided: those of claims before those of
//! coupons, since a unit is no coupon before the last step of its claim.

mod columns;
mod controls;
mod events;
mod portion;
mod record;
mod runs;
mod terms;

pub use events::AS_BEFORE;
pub use portion::Portion;
pub use record::{ClaimRecord, Control, CouponRecord, NO_SERIAL, StateCode, Step};
pub use runs::{ClaimRun, CouponRun};

use std::fmt;

use xxhash_rust::xxh3::xxh3_128;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::types::{Epoch, TimeMs};
use columns::{ClaimEntry, CouponEntry};

/// Version of this form.
const FORMAT: u16 = 2;

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
    claim_runs: U32,
    claims: U32,
    controls: U32,
    controls_bytes: U32,
    coupon_runs: U32,
    coupons: U32,
}

const _: () = assert!(size_of::<Head>() == 64);

/// Packs what the cores handed in into groups. Keeps its buffers from one to the next.
#[derive(Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    controls: Vec<u8>,
}

impl Encoder {
    /// The group of these portions, and its hash. Its time is that of its first record; controls carry their own.
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
            claim_runs: sum(|portion| portion.claims.len()),
            claims: sum(|portion| portion.users.len()),
            controls: sum(|portion| portion.controls.len()),
            controls_bytes: count_of(self.controls.len()),
            coupon_runs: sum(|portion| portion.coupons.len()),
            coupons: sum(|portion| portion.holders.len()),
        };
        let bytes = &mut self.bytes;
        bytes.clear();
        bytes.extend_from_slice(head.as_bytes());
        portions.iter().for_each(|portion| portion.append_claims(time_ms, bytes));
        portions.iter().for_each(|portion| bytes.extend_from_slice(portion.users.as_bytes()));
        portions.iter().for_each(|portion| bytes.extend_from_slice(portion.requests.as_bytes()));
        portions.iter().for_each(|portion| portion.append_coupons(time_ms, bytes));
        portions.iter().for_each(|portion| bytes.extend_from_slice(portion.holders.as_bytes()));
        portions.iter().for_each(|portion| bytes.extend_from_slice(portion.orders.as_bytes()));
        portions.iter().for_each(|portion| bytes.extend_from_slice(portion.serials.as_bytes()));
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
    /// Written by another version of the program.
    OtherFormat {
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
            GroupError::OtherFormat { format } if *format > FORMAT => {
                write!(formatter, "has format {format}, newer than {FORMAT}: use a newer stockade")
            }
            GroupError::OtherFormat { format } => {
                write!(formatter, "has format {format}, older than {FORMAT}: use the stockade that wrote it")
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
    claims: &'a [ClaimEntry],
    users: &'a [U64],
    requests: &'a [U64],
    coupons: &'a [CouponEntry],
    holders: &'a [U64],
    orders: &'a [U64],
    serials: &'a [U32],
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
            return Err(GroupError::OtherFormat { format: head.format.get() });
        }
        let (claims, rest) = column::<ClaimEntry>(rest, head.claim_runs)?;
        let (users, rest) = column::<U64>(rest, head.claims)?;
        let (requests, rest) = column::<U64>(rest, head.claims)?;
        let (coupons, rest) = column::<CouponEntry>(rest, head.coupon_runs)?;
        let (holders, rest) = column::<U64>(rest, head.coupons)?;
        let (orders, rest) = column::<U64>(rest, head.coupons)?;
        let (serials, rest) = column::<U32>(rest, head.coupons)?;
        if rest.len() != head.controls_bytes.get() as usize {
            return Err(GroupError::Inconsistent);
        }
        let controls = controls::decode_all(rest, head.controls.get()).ok_or(GroupError::Inconsistent)?;
        let claims_in_runs = claims.iter().map(|run| u64::from(run.records.get())).sum::<u64>();
        let coupons_in_runs = coupons.iter().map(|run| u64::from(run.records.get())).sum::<u64>();
        if (claims_in_runs, coupons_in_runs) != (users.len() as u64, holders.len() as u64) {
            return Err(GroupError::Inconsistent);
        }
        let (epoch, time_ms, previous, hash) = (head.epoch.get(), head.time_ms.get(), head.previous, *hash);
        Ok(Self {
            epoch,
            time_ms,
            previous,
            hash,
            claims,
            users,
            requests,
            coupons,
            holders,
            orders,
            serials,
            controls,
        })
    }

    /// Number of records of claims.
    #[must_use]
    pub fn claims(&self) -> usize {
        self.users.len()
    }

    /// Number of records of claims and coupons.
    #[must_use]
    pub fn records(&self) -> usize {
        self.users.len() + self.holders.len()
    }
}

fn column<T: FromBytes + KnownLayout + Immutable + Unaligned>(
    bytes: &[u8],
    count: U32,
) -> Result<(&[T], &[u8]), GroupError> {
    <[T]>::ref_from_prefix_with_elems(bytes, count.get() as usize).map_err(|_| GroupError::Inconsistent)
}
