//! The stored form of operations on batches: a kind, then a layout of its own. Little-endian.
//!
//! ```text
//!  1 created       head 18, base terms 112
//!  2 changed       22
//!  3 added         38
//!  4 dropped       20, then 8 for each bit of `numbers`
//!  5 created       head 18, base terms 112, more terms 76: a batch that has any of these
//!  6 edited        26, base terms 112, more terms 76
//!  7 withdrawn     42
//!  8 expired       26
//!  9 purged        18
//! 10 named         60
//! ```

use zerocopy::little_endian::{I32, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::record::{Control, StateCode};
use super::terms::{BaseTerms, MoreTerms, terms};
use crate::stock::Run;
use crate::users::Tally;
use stockade_protocol::FixedText;
use stockade_protocol::batch::Fields;
use stockade_protocol::limits::CLIENT_NAME_BYTES_MAX;

/// Defines layouts whose first byte is their kind; the number after it is their size.
macro_rules! layouts {
    ($($name:ident = $bytes:literal { $($field:ident: $type:ty),* })*) => {
        $(#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
        #[repr(C)]
        struct $name { kind: u8, $($field: $type,)* }

        const _: () = assert!(size_of::<$name>() == $bytes);)*
    };
}

layouts! {
    Created = 18 { state: u8, batch: U64, time_ms: U64 }
    Changed = 22 { state: u8, batch: U64, version: U32, time_ms: U64 }
    Added = 38 { reserved: u8, batch: U64, version: U32, request: U64, first: U32, count: U32, time_ms: U64 }
    Dropped = 20 { reserved: u8, numbers: U16, batch: U64, claims: U64 }
    Edited = 26 { reserved: u8, batch: U64, version: U32, fields: U32, time_ms: U64 }
    Withdrawn = 42 {
        reserved: u8, batch: U64, version: U32, request: U64, asked: U32, first: U32, count: U32, time_ms: U64
    }
    Expired = 26 { reserved: u8, batch: U64, through: I32, coupons: U32, time_ms: U64 }
    Purged = 18 { reserved: u8, batch: U64, time_ms: U64 }
    Named = 60 { reserved: u8, client: U16, name: FixedText<CLIENT_NAME_BYTES_MAX> }
}

const CREATED: u8 = 1;
const CHANGED: u8 = 2;
const ADDED: u8 = 3;
const DROPPED: u8 = 4;
const CREATED_FULLY: u8 = 5;
const EDITED: u8 = 6;
const WITHDRAWN: u8 = 7;
const EXPIRED: u8 = 8;
const PURGED: u8 = 9;
const NAMED: u8 = 10;

/// Appends the stored form of `control`.
pub(super) fn encode(control: &Control, bytes: &mut Vec<u8>) {
    let number = U64::new;
    match control {
        Control::Created { batch, time_ms, terms } => {
            let more = MoreTerms::of(terms);
            let kind = if more.is_plain() { CREATED } else { CREATED_FULLY };
            let state = if terms.draft { StateCode::Draft } else { StateCode::Active };
            put(bytes, &Created { kind, state: state as u8, batch: number(*batch), time_ms: number(*time_ms) });
            put(bytes, &BaseTerms::of(terms));
            if kind == CREATED_FULLY {
                put(bytes, &more);
            }
        }
        Control::Changed { batch, version, state, time_ms } => {
            let (batch, version, time_ms) = (number(*batch), U32::new(*version), number(*time_ms));
            put(bytes, &Changed { kind: CHANGED, state: *state as u8, batch, version, time_ms });
        }
        Control::Edited { batch, version, fields, terms, time_ms } => {
            let (batch, version, fields) = (number(*batch), U32::new(*version), U32::new(fields.0));
            put(bytes, &Edited { kind: EDITED, reserved: 0, batch, version, fields, time_ms: number(*time_ms) });
            put(bytes, &BaseTerms::of(terms));
            put(bytes, &MoreTerms::of(terms));
        }
        Control::Added { batch, version, request, run, time_ms } => {
            let (batch, version, request) = (number(*batch), U32::new(*version), number(*request));
            let (first, count, time_ms) = (U32::new(run.first), U32::new(run.count), number(*time_ms));
            put(bytes, &Added { kind: ADDED, reserved: 0, batch, version, request, first, count, time_ms });
        }
        Control::Withdrawn { batch, version, request, asked, run, time_ms } => {
            let (batch, version, request) = (number(*batch), U32::new(*version), number(*request));
            let (asked, first, count) = (U32::new(*asked), U32::new(run.first), U32::new(run.count));
            let (kind, reserved, time_ms) = (WITHDRAWN, 0, number(*time_ms));
            put(bytes, &Withdrawn { kind, reserved, batch, version, request, asked, first, count, time_ms });
        }
        Control::Expired { batch, through, coupons, time_ms } => {
            let (batch, through, coupons) = (number(*batch), I32::new(*through), U32::new(*coupons));
            put(bytes, &Expired { kind: EXPIRED, reserved: 0, batch, through, coupons, time_ms: number(*time_ms) });
        }
        Control::Purged { batch, time_ms } => {
            let (batch, time_ms) = (number(*batch), number(*time_ms));
            put(bytes, &Purged { kind: PURGED, reserved: 0, batch, time_ms });
        }
        Control::Named { client, name } => {
            put(
                bytes,
                &Named { kind: NAMED, reserved: 0, client: U16::new(*client), name: FixedText::truncated(name) },
            );
        }
        Control::Dropped { batch, claims, tally } => {
            let numbers = tally.numbers();
            let bits = numbers.iter().enumerate().filter(|(_, number)| **number != 0).map(|(bit, _)| 1 << bit);
            let (batch, claims) = (number(*batch), number(*claims));
            put(bytes, &Dropped { kind: DROPPED, reserved: 0, numbers: U16::new(bits.sum()), batch, claims });
            numbers.iter().filter(|number| **number != 0).for_each(|value| put(bytes, &number(*value)));
        }
    }
}

/// Reads exactly `count` operations that fill `bytes`, or nothing.
pub(super) fn decode_all(mut bytes: &[u8], count: u32) -> Option<Vec<Control>> {
    let mut controls = Vec::new();
    for _ in 0..count {
        controls.push(decode(&mut bytes)?);
    }
    bytes.is_empty().then_some(controls)
}

fn decode(bytes: &mut &[u8]) -> Option<Control> {
    let kind = *bytes.first()?;
    Some(match kind {
        CREATED | CREATED_FULLY => {
            let stored = take::<Created>(bytes)?;
            let base = take::<BaseTerms>(bytes)?;
            let more = if kind == CREATED_FULLY { Some(*take::<MoreTerms>(bytes)?) } else { None };
            let draft = match StateCode::from_number(stored.state)? {
                StateCode::Draft => true,
                StateCode::Active => false,
                StateCode::Paused | StateCode::Ended | StateCode::Closed => return None,
            };
            let terms = Box::new(terms(base, more.as_ref(), draft)?);
            Control::Created { batch: stored.batch.get(), time_ms: stored.time_ms.get(), terms }
        }
        CHANGED => {
            let stored = take::<Changed>(bytes)?;
            let state = StateCode::from_number(stored.state)?;
            let (batch, version, time_ms) = (stored.batch.get(), stored.version.get(), stored.time_ms.get());
            Control::Changed { batch, version, state, time_ms }
        }
        EDITED => {
            let stored = take::<Edited>(bytes)?;
            let base = take::<BaseTerms>(bytes)?;
            let terms = Box::new(terms(base, Some(take::<MoreTerms>(bytes)?), false)?);
            let (batch, version, time_ms) = (stored.batch.get(), stored.version.get(), stored.time_ms.get());
            Control::Edited { batch, version, fields: Fields(stored.fields.get()), terms, time_ms }
        }
        ADDED => {
            let stored = take::<Added>(bytes)?;
            let run = run(stored.first, stored.count)?;
            let (batch, version, request) = (stored.batch.get(), stored.version.get(), stored.request.get());
            Control::Added { batch, version, request, run, time_ms: stored.time_ms.get() }
        }
        WITHDRAWN => {
            let stored = take::<Withdrawn>(bytes)?;
            let run = run(stored.first, stored.count)?;
            let (batch, version, request) = (stored.batch.get(), stored.version.get(), stored.request.get());
            Control::Withdrawn {
                batch,
                version,
                request,
                asked: stored.asked.get(),
                run,
                time_ms: stored.time_ms.get(),
            }
        }
        EXPIRED => {
            let stored = take::<Expired>(bytes)?;
            let (batch, through, coupons) = (stored.batch.get(), stored.through.get(), stored.coupons.get());
            Control::Expired { batch, through, coupons, time_ms: stored.time_ms.get() }
        }
        PURGED => {
            let stored = take::<Purged>(bytes)?;
            Control::Purged { batch: stored.batch.get(), time_ms: stored.time_ms.get() }
        }
        NAMED => {
            let stored = take::<Named>(bytes)?;
            Control::Named { client: stored.client.get(), name: stored.name.text().ok()?.to_owned() }
        }
        DROPPED => dropped(bytes)?,
        _ => return None,
    })
}

fn dropped(bytes: &mut &[u8]) -> Option<Control> {
    let stored = take::<Dropped>(bytes)?;
    let mut numbers = Tally::default().numbers();
    if stored.numbers.get() >> numbers.len() != 0 {
        return None;
    }
    for (bit, number) in numbers.iter_mut().enumerate() {
        if stored.numbers.get() >> bit & 1 == 1 {
            *number = take::<U64>(bytes)?.get();
        }
    }
    let tally = Box::new(Tally::from_numbers(numbers));
    Some(Control::Dropped { batch: stored.batch.get(), claims: stored.claims.get(), tally })
}

fn run(first: U32, count: U32) -> Option<Run> {
    let (first, count) = (first.get(), count.get());
    first.checked_add(count).map(|_| Run::new(first, count))
}

fn put<T: IntoBytes + Immutable>(bytes: &mut Vec<u8>, value: &T) {
    bytes.extend_from_slice(value.as_bytes());
}

fn take<'a, T: FromBytes + KnownLayout + Immutable + Unaligned>(bytes: &mut &'a [u8]) -> Option<&'a T> {
    let (value, rest) = T::ref_from_prefix(bytes).ok()?;
    *bytes = rest;
    Some(value)
}
