//! One event as the index keeps it: some 22 bytes instead of 64, and its user elsewhere.
//!
//! ```text
//! length   u8    of what follows
//! kind     u8    and bit 7: client, order and value follow at the end
//! units    u8
//! serial   u32
//! request  u64
//! index, epoch, batch and time after the base's, client, order, value    LEB128, batch and time in zigzag
//! ```
//!
//! LEB128: seven bits a byte, lowest first, the eighth says that more follow (DWARF 5, section 7.6). Zigzag: the sign
//! in the lowest bit.

use stockade_protocol::feed::{Event, Kind};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What the numbers of records count from.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Base {
    pub(super) epoch: U64,
    pub(super) time_ms: U64,
    /// That of the first event: while one batch is sold, it is that of nearly all.
    pub(super) batch: U64,
}

/// How each record begins.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Fixed {
    length: u8,
    kind: u8,
    units: u8,
    serial: U32,
    request: U64,
}

const HAS_MORE: u8 = 1 << 7;

/// Bytes that a number in LEB128 takes at most.
const NUMBER_BYTES_MAX: usize = 10;

/// Bytes of the longest record, and some more.
const BYTES_MAX: usize = 96;

/// Bytes that most records fit in. Copying always so many costs less than finding out how many.
const BYTES_USUAL: usize = 32;

/// Makes records. What events of one burst have in common is put in bytes once.
pub(super) struct Encoder {
    base: Base,
    /// Batch, epoch and time of the last event, and these numbers in bytes.
    last: Option<(u64, U64, U64)>,
    common: [u8; NUMBER_BYTES_MAX * 3],
    common_bytes: usize,
}

impl Encoder {
    /// One for events of this base. None of them is of an earlier epoch.
    pub(super) fn new(base: Base) -> Self {
        Self { base, last: None, common: [0; NUMBER_BYTES_MAX * 3], common_bytes: 0 }
    }

    pub(super) fn base(&self) -> &Base {
        &self.base
    }

    /// Adds an event of a user to `records`.
    #[inline]
    pub(super) fn encode(&mut self, kind: Kind, event: &Event, records: &mut Vec<u8>) {
        let common = (event.batch.get(), event.epoch, event.time_ms);
        if self.last != Some(common) {
            self.last = Some(common);
            let mut length = 0;
            put(&mut self.common, &mut length, event.epoch.get().wrapping_sub(self.base.epoch.get()));
            put(&mut self.common, &mut length, zigzag(event.batch.get().wrapping_sub(self.base.batch.get())));
            put(&mut self.common, &mut length, zigzag(event.time_ms.get().wrapping_sub(self.base.time_ms.get())));
            self.common_bytes = length;
        }
        let has_more = event.client.get() != 0 || event.order.get() != 0 || event.value.get() != 0;
        let (mut bytes, mut length) = ([0; BYTES_MAX], size_of::<Fixed>());
        put(&mut bytes, &mut length, event.index.get().into());
        bytes[length..length + self.common.len()].copy_from_slice(&self.common);
        length += self.common_bytes;
        if has_more {
            put(&mut bytes, &mut length, event.client.get().into());
            put(&mut bytes, &mut length, event.order.get());
            put(&mut bytes, &mut length, event.value.get().into());
        }
        if let Ok((fixed, _)) = Fixed::mut_from_prefix(&mut bytes) {
            fixed.length = u8::try_from(length - 1).expect("a record is shorter");
            fixed.kind = kind as u8 | if has_more { HAS_MORE } else { 0 };
            (fixed.units, fixed.serial, fixed.request) = (event.units, event.serial, event.request);
        }
        if length <= BYTES_USUAL {
            let end = records.len() + length;
            records.extend_from_slice(&bytes[..BYTES_USUAL]);
            records.truncate(end);
        } else {
            records.extend_from_slice(&bytes[..length]);
        }
    }
}

/// The event of a record of this user.
pub(super) fn decode(base: &Base, user: u64, record: &[u8]) -> Option<Event> {
    let (fixed, mut rest) = Fixed::ref_from_prefix(record).ok()?;
    let kind = Kind::from_number(fixed.kind & !HAS_MORE)?;
    let index = U32::new(u32::try_from(take(&mut rest)?).ok()?);
    let epoch = base.epoch.get().wrapping_add(take(&mut rest)?);
    let batch = base.batch.get().wrapping_add(unzigzag(take(&mut rest)?));
    let time_ms = base.time_ms.get().wrapping_add(unzigzag(take(&mut rest)?));
    let mut event = Event::new(kind, batch, time_ms);
    (event.epoch, event.index, event.user) = (U64::new(epoch), index, U64::new(user));
    (event.units, event.serial, event.request) = (fixed.units, fixed.serial, fixed.request);
    if fixed.kind & HAS_MORE != 0 {
        event.client = U16::new(u16::try_from(take(&mut rest)?).ok()?);
        event.order = U64::new(take(&mut rest)?);
        event.value = U32::new(u32::try_from(take(&mut rest)?).ok()?);
    }
    rest.is_empty().then_some(event)
}

/// Takes the first record off, if it is whole.
#[inline]
pub(super) fn split(records: &[u8]) -> Option<(&[u8], &[u8])> {
    records.split_at_checked(1 + usize::from(*records.first()?))
}

/// Writes a number.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lowest bits are wanted")]
fn put(bytes: &mut [u8], length: &mut usize, mut number: u64) {
    while number >= 1 << 7 {
        bytes[*length] = number as u8 | 1 << 7;
        *length += 1;
        number >>= 7;
    }
    bytes[*length] = number as u8;
    *length += 1;
}

/// Reads a number.
#[inline]
fn take(record: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = record.split_first()?;
        *record = rest;
        number |= u64::from(byte & 127).checked_shl(shift)?;
        if *byte < 128 {
            return Some(number);
        }
        shift += 7;
    }
}

fn zigzag(difference: u64) -> u64 {
    (difference << 1) ^ (difference.cast_signed() >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> u64 {
    (number >> 1) ^ (number & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LARGEST: Base = Base { epoch: U64::ZERO, time_ms: U64::ZERO, batch: U64::ZERO };

    fn event(numbers: [u64; 6], small: [u32; 3], (units, client): (u8, u16), kind: Kind) -> Event {
        let [batch, user, request, order, time_ms, epoch] = numbers;
        let mut event = Event::new(kind, batch, time_ms);
        event.epoch = U64::new(epoch);
        (event.index, event.serial, event.value) = (U32::new(small[0]), U32::new(small[1]), U32::new(small[2]));
        (event.units, event.client) = (units, U16::new(client));
        (event.user, event.request, event.order) = (U64::new(user), U64::new(request), U64::new(order));
        event
    }

    fn round_trip(base: &Base, kind: Kind, event: &Event) -> (Option<Event>, usize) {
        let (mut records, mut encoder) = (Vec::new(), Encoder::new(*base));
        let before = Event::new(Kind::Locked, 3, 4);
        encoder.encode(Kind::Locked, &before, &mut records);
        encoder.encode(kind, event, &mut records);
        let (first, rest) = split(&records).expect("there is one");
        assert_eq!(decode(base, 0, first), Some(before));
        let (record, rest) = split(rest).expect("there is another");
        assert!(rest.is_empty());
        for shorter in 0..record.len() {
            assert_eq!(decode(base, event.user.get(), &record[..shorter]), None, "{shorter} bytes of it");
        }
        (decode(base, event.user.get(), record), record.len())
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            numbers in any::<[u64; 6]>(), small in any::<[u32; 3]>(), rest in any::<(u8, u16)>(), kind in 1..=13_u8,
            shifts in prop::array::uniform6(0..64_u32), base in any::<[u64; 3]>(),
        ) {
            let kind = Kind::from_number(kind).expect("these are all kinds of users' events");
            let numbers = std::array::from_fn(|at| numbers[at] >> shifts[at]);
            let event = event(numbers, small, rest, kind);
            let [epoch, time_ms, batch] = base.map(U64::new);
            let base = Base { epoch, time_ms, batch };
            prop_assert_eq!(round_trip(&base, kind, &event).0, Some(event));
        }
    }

    #[test]
    fn a_claim_takes_a_third_of_an_event_and_the_longest_record_fits() {
        let plain = event([1 << 60, 1, u64::MAX, 0, 1_000_250, 1_020], [40_000, 9_000_000, 0], (1, 0), Kind::Granted);
        let base = Base { epoch: U64::new(1_000), time_ms: U64::new(1_000_000), batch: plain.batch };
        assert_eq!(round_trip(&base, Kind::Granted, &plain), (Some(plain), 22));
        let longest = event([u64::MAX; 6], [u32::MAX; 3], (u8::MAX, u16::MAX), Kind::Voided);
        let (read, length) = round_trip(&LARGEST, Kind::Voided, &longest);
        assert!(read == Some(longest) && length < BYTES_MAX, "{length} bytes");
    }
}
