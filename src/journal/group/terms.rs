//! The stored form of a batch's terms: those that every batch has, and those that few have. Little-endian; 0 stands for
//! "none" where the value itself cannot be 0.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use stockade_protocol::FixedText;
use stockade_protocol::batch::{Audience, Holds, Terms, Validity};
use stockade_protocol::limits::{BATCH_NAME_BYTES_MAX, ZONE_BYTES_MAX};

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct BaseTerms {
    stock: U32,
    per_user: U32,
    starts_ms: U64,
    ends_ms: U64,
    name: FixedText<BATCH_NAME_BYTES_MAX>,
}

const _: () = assert!(size_of::<BaseTerms>() == 112);

#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct MoreTerms {
    per_user_day: U32,
    per_day: U32,
    quantity_max: u8,
    holds_share: u8,
    holds_per_user: U16,
    audience_all: U32,
    audience_any: U32,
    audience_none: U32,
    expires_ms: U64,
    valid_days: U16,
    return_days: U16,
    zone: FixedText<ZONE_BYTES_MAX>,
}

const _: () = assert!(size_of::<MoreTerms>() == 76);

impl BaseTerms {
    pub(super) fn of(terms: &Terms) -> Self {
        Self {
            stock: U32::new(terms.stock),
            per_user: U32::new(terms.per_user.unwrap_or(0)),
            starts_ms: U64::new(terms.starts_ms.unwrap_or(0)),
            ends_ms: U64::new(terms.ends_ms.unwrap_or(0)),
            name: FixedText::truncated(&terms.name),
        }
    }
}

impl MoreTerms {
    pub(super) fn of(terms: &Terms) -> Self {
        let Terms { audience, holds, validity, .. } = terms;
        Self {
            per_user_day: U32::new(terms.per_user_day.unwrap_or(0)),
            per_day: U32::new(terms.per_day.unwrap_or(0)),
            quantity_max: terms.quantity_max.unwrap_or(0),
            holds_share: holds.share.unwrap_or(0),
            holds_per_user: U16::new(holds.per_user.unwrap_or(0)),
            audience_all: U32::new(audience.all),
            audience_any: U32::new(audience.any),
            audience_none: U32::new(audience.none),
            expires_ms: U64::new(validity.expires_ms.unwrap_or(0)),
            valid_days: U16::new(validity.valid_days.unwrap_or(0)),
            return_days: U16::new(validity.return_days),
            zone: FixedText::truncated(&terms.zone),
        }
    }

    /// Whether a batch has none of them.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self::of(&Terms::default())
    }
}

/// The terms as they were stored; `None` when a text is not one.
pub(super) fn terms(base: &BaseTerms, more: Option<&MoreTerms>, draft: bool) -> Option<Terms> {
    let none = MoreTerms::of(&Terms::default());
    let more = more.unwrap_or(&none);
    let some = |value: U32| Some(value.get()).filter(|value| *value != 0);
    let time = |value: U64| Some(value.get()).filter(|value| *value != 0);
    let short = |value: U16| Some(value.get()).filter(|value| *value != 0);
    let byte = |value: u8| Some(value).filter(|value| *value != 0);
    Some(Terms {
        stock: base.stock.get(),
        per_user: some(base.per_user),
        per_user_day: some(more.per_user_day),
        per_day: some(more.per_day),
        quantity_max: byte(more.quantity_max),
        audience: Audience {
            all: more.audience_all.get(),
            any: more.audience_any.get(),
            none: more.audience_none.get(),
        },
        holds: Holds { per_user: short(more.holds_per_user), share: byte(more.holds_share) },
        starts_ms: time(base.starts_ms),
        ends_ms: time(base.ends_ms),
        validity: Validity {
            expires_ms: time(more.expires_ms),
            valid_days: short(more.valid_days),
            return_days: more.return_days.get(),
        },
        zone: more.zone.text().ok()?.to_owned(),
        draft,
        name: base.name.text().ok()?.to_owned(),
    })
}
