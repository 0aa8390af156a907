//! The stored form of operations on batches: a kind, then a fixed layout. Little-endian.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::record::{Control, StateCode};
use stockade_protocol::FixedText;
use stockade_protocol::limits::BATCH_NAME_BYTES_MAX;

const CREATED: u8 = 1;
const CHANGED: u8 = 2;
const ADDED: u8 = 3;
const DROPPED: u8 = 4;

/// 0 stands for "none" where the value itself cannot be 0.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Created {
    kind: u8,
    state: u8,
    batch: U64,
    time_ms: U64,
    stock: U32,
    per_user: U32,
    starts_ms: U64,
    ends_ms: U64,
    name: FixedText<BATCH_NAME_BYTES_MAX>,
}

const _: () = assert!(size_of::<Created>() == 130);

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Changed {
    kind: u8,
    state: u8,
    batch: U64,
    version: U32,
    time_ms: U64,
}

const _: () = assert!(size_of::<Changed>() == 22);

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Added {
    kind: u8,
    reserved: u8,
    batch: U64,
    version: U32,
    request: U64,
    units: U32,
    time_ms: U64,
}

const _: () = assert!(size_of::<Added>() == 34);

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Dropped {
    kind: u8,
    reserved: u8,
    batch: U64,
    claims: U64,
    units: U64,
}

const _: () = assert!(size_of::<Dropped>() == 26);

/// Appends the stored form of `control`.
pub(super) fn encode(control: &Control, bytes: &mut Vec<u8>) {
    match control {
        Control::Created { batch, time_ms, stock, per_user, starts_ms, ends_ms, state, name } => {
            let stored = Created {
                kind: CREATED,
                state: *state as u8,
                batch: U64::new(*batch),
                time_ms: U64::new(*time_ms),
                stock: U32::new(*stock),
                per_user: U32::new(per_user.unwrap_or(0)),
                starts_ms: U64::new(starts_ms.unwrap_or(0)),
                ends_ms: U64::new(ends_ms.unwrap_or(0)),
                name: FixedText::truncated(name),
            };
            bytes.extend_from_slice(stored.as_bytes());
        }
        Control::Changed { batch, version, state, time_ms } => {
            let (batch, version, time_ms) = (U64::new(*batch), U32::new(*version), U64::new(*time_ms));
            let stored = Changed { kind: CHANGED, state: *state as u8, batch, version, time_ms };
            bytes.extend_from_slice(stored.as_bytes());
        }
        Control::Added { batch, version, request, units, time_ms } => {
            let stored = Added {
                kind: ADDED,
                reserved: 0,
                batch: U64::new(*batch),
                version: U32::new(*version),
                request: U64::new(*request),
                units: U32::new(*units),
                time_ms: U64::new(*time_ms),
            };
            bytes.extend_from_slice(stored.as_bytes());
        }
        Control::Dropped { batch, claims, units } => {
            let (batch, claims, units) = (U64::new(*batch), U64::new(*claims), U64::new(*units));
            let stored = Dropped { kind: DROPPED, reserved: 0, batch, claims, units };
            bytes.extend_from_slice(stored.as_bytes());
        }
    }
}

/// Reads exactly `count` operations that fill `bytes`, or nothing.
pub(super) fn decode_all(mut bytes: &[u8], count: u32) -> Option<Vec<Control>> {
    let mut controls = Vec::new();
    for _ in 0..count {
        let (control, rest) = decode(bytes)?;
        controls.push(control);
        bytes = rest;
    }
    bytes.is_empty().then_some(controls)
}

fn decode(bytes: &[u8]) -> Option<(Control, &[u8])> {
    match *bytes.first()? {
        CREATED => {
            let (stored, rest) = Created::ref_from_prefix(bytes).ok()?;
            let optional = |value: u64| Some(value).filter(|value| *value != 0);
            let control = Control::Created {
                batch: stored.batch.get(),
                time_ms: stored.time_ms.get(),
                stock: stored.stock.get(),
                per_user: Some(stored.per_user.get()).filter(|limit| *limit != 0),
                starts_ms: optional(stored.starts_ms.get()),
                ends_ms: optional(stored.ends_ms.get()),
                state: StateCode::from_number(stored.state)?,
                name: stored.name.text().ok()?.to_owned(),
            };
            Some((control, rest))
        }
        CHANGED => {
            let (stored, rest) = Changed::ref_from_prefix(bytes).ok()?;
            let state = StateCode::from_number(stored.state)?;
            let (batch, version, time_ms) = (stored.batch.get(), stored.version.get(), stored.time_ms.get());
            Some((Control::Changed { batch, version, state, time_ms }, rest))
        }
        ADDED => {
            let (stored, rest) = Added::ref_from_prefix(bytes).ok()?;
            let (batch, version, request) = (stored.batch.get(), stored.version.get(), stored.request.get());
            let (units, time_ms) = (stored.units.get(), stored.time_ms.get());
            Some((Control::Added { batch, version, request, units, time_ms }, rest))
        }
        DROPPED => {
            let (stored, rest) = Dropped::ref_from_prefix(bytes).ok()?;
            let (batch, claims, units) = (stored.batch.get(), stored.claims.get(), stored.units.get());
            Some((Control::Dropped { batch, claims, units }, rest))
        }
        _ => None,
    }
}
