//! The item that creates or edits a batch.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::terms::{Fields, Terms, shared_terms, some};
use crate::limits::{BATCH_NAME_BYTES_MAX, HOLDS_SHARE_MAX, ZONE_BYTES_MAX};
use crate::status::Status;
use crate::text::{FixedText, TextError};

/// Flag of a creation: leave the batch a draft, to be activated later.
pub const DRAFT: u8 = 1;

/// Creates or edits one batch. 0 stands for "unlimited" or "none" in every field that may be either.
///
/// ```text
/// offset  0  batch           u64
///         8  stock           u32   ≥ 1; in an edit zero
///        12  per_user        u32
///        16  starts_ms       u64   0 = at once
///        24  ends_ms         u64   0 = never
///        32  flags           u8    bit 0 DRAFT; others zero; in an edit zero
///        33  quantity_max    u8
///        34  valid_days      u16
///        36  return_days     u16
///        38  holds_share     u8    hundredths, at most 100
///        39  reserved        u8    zero
///        40  name           88 bytes, UTF-8 padded with zeros
///       128  per_user_day    u32
///       132  per_day         u32
///       136  expires_ms      u64
///       144  audience_all    u32
///       148  audience_any    u32
///       152  audience_none   u32
///       156  holds_per_user  u16
///       158  reserved        u16   zero
///       160  zone           40 bytes, UTF-8 padded with zeros; empty = UTC
///       200  fields          u32   which fields an edit changes; in a creation zero
///       204  version         u32   which version an edit is of, 0 = any; in a creation zero
///       208  reserved       48 bytes, zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Create {
    /// Id of the batch; of a new one, chosen by the caller.
    pub batch: U64,
    stock: U32,
    per_user: U32,
    starts_ms: U64,
    ends_ms: U64,
    flags: u8,
    quantity_max: u8,
    valid_days: U16,
    return_days: U16,
    holds_share: u8,
    reserved: u8,
    name: FixedText<BATCH_NAME_BYTES_MAX>,
    per_user_day: U32,
    per_day: U32,
    expires_ms: U64,
    audience_all: U32,
    audience_any: U32,
    audience_none: U32,
    holds_per_user: U16,
    reserved_middle: U16,
    zone: FixedText<ZONE_BYTES_MAX>,
    fields: U32,
    /// The version of the batch that an edit is of; 0 = any.
    pub version: U32,
    reserved_tail: [u8; 48],
}

const _: () = assert!(size_of::<Create>() == 256);

/// An item of the same layout that edits: some bits mean something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(transparent)]
pub struct Edit(Create);

impl Create {
    /// Asks for a batch with these terms.
    ///
    /// # Errors
    /// When a text does not fit its field.
    pub fn new(batch: u64, terms: &Terms) -> Result<Self, TextError> {
        let some = |limit: Option<u32>| U32::new(limit.unwrap_or(0));
        let Terms { audience, holds, validity, .. } = terms;
        Ok(Self {
            batch: U64::new(batch),
            stock: U32::new(terms.stock),
            per_user: some(terms.per_user),
            starts_ms: U64::new(terms.starts_ms.unwrap_or(0)),
            ends_ms: U64::new(terms.ends_ms.unwrap_or(0)),
            flags: if terms.draft { DRAFT } else { 0 },
            quantity_max: terms.quantity_max.unwrap_or(0),
            valid_days: U16::new(validity.valid_days.unwrap_or(0)),
            return_days: U16::new(validity.return_days),
            holds_share: holds.share.unwrap_or(0),
            reserved: 0,
            name: FixedText::new(&terms.name)?,
            per_user_day: some(terms.per_user_day),
            per_day: some(terms.per_day),
            expires_ms: U64::new(validity.expires_ms.unwrap_or(0)),
            audience_all: U32::new(audience.all),
            audience_any: U32::new(audience.any),
            audience_none: U32::new(audience.none),
            holds_per_user: U16::new(holds.per_user.unwrap_or(0)),
            reserved_middle: U16::ZERO,
            zone: FixedText::new(&terms.zone)?,
            fields: U32::ZERO,
            version: U32::ZERO,
            reserved_tail: [0; 48],
        })
    }

    /// Whether all reserved bits are zero.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.flags & !DRAFT == 0 && self.fields.get() == 0 && self.version.get() == 0 && self.rest_is_well_formed()
    }

    fn rest_is_well_formed(&self) -> bool {
        self.reserved == 0 && self.reserved_middle.get() == 0 && self.reserved_tail == [0; 48]
    }

    /// The terms asked for. Whether there is such a time zone is not known here.
    ///
    /// # Errors
    /// `TermsInvalid` when they are not possible.
    pub fn terms(&self) -> Result<Terms, Status> {
        let zone = self.zone.text().map_err(|_| Status::TermsInvalid)?;
        let terms = Terms { zone: zone.to_owned(), ..self.terms_of(Fields::ALL)? };
        if terms.stock == 0 || !terms.window_is_possible() { Err(Status::TermsInvalid) } else { Ok(terms) }
    }

    /// The terms but for the zone, of which only `fields` have to be possible.
    fn terms_of(&self, fields: Fields) -> Result<Terms, Status> {
        let text = |text: Result<&str, TextError>, field: Fields| match text {
            Ok(text) => Ok(text.to_owned()),
            Err(_) if fields.has(field) => Err(Status::TermsInvalid),
            Err(_) => Ok(String::new()),
        };
        if fields.has(Fields::HOLDS) && self.holds_share > HOLDS_SHARE_MAX {
            return Err(Status::TermsInvalid);
        }
        let (stock, draft) = (self.stock.get(), self.flags & DRAFT != 0);
        Ok(Terms { stock, draft, name: text(self.name.text(), Fields::NAME)?, ..shared_terms!(self) })
    }
}

impl Edit {
    /// Asks for the values that `terms` have for `fields`, in the batch's `version`; 0 = in any. Stock and draft of
    /// `terms` are ignored.
    ///
    /// # Errors
    /// When a text does not fit its field.
    pub fn new(batch: u64, fields: Fields, terms: &Terms, version: u32) -> Result<Self, TextError> {
        let mut create = Create::new(batch, &Terms { stock: 0, draft: false, ..terms.clone() })?;
        (create.fields, create.version) = (U32::new(fields.0), U32::new(version));
        Ok(Self(create))
    }

    /// Id of the batch.
    #[must_use]
    pub fn batch(&self) -> u64 {
        self.0.batch.get()
    }

    /// The version that is edited; 0 = any.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.version.get()
    }

    /// Which fields change.
    #[must_use]
    pub fn fields(&self) -> Fields {
        Fields(self.0.fields.get())
    }

    /// Whether all reserved bits are zero and all fields are known.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let known = Fields::ALL.has(self.fields());
        known && self.0.flags == 0 && self.0.stock.get() == 0 && self.0.rest_is_well_formed()
    }

    /// The new values; only those of [`Edit::fields`] count. How one end of a window fits the other that the batch has
    /// is not known here.
    ///
    /// # Errors
    /// `TermsInvalid` when they are not possible.
    pub fn terms(&self) -> Result<Terms, Status> {
        let terms = self.0.terms_of(self.fields())?;
        let names_window = self.fields().has(Fields::STARTS.with(Fields::ENDS));
        if names_window && !terms.window_is_possible() { Err(Status::TermsInvalid) } else { Ok(terms) }
    }
}
