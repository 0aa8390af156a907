//! What a batch is created with.

/// What a batch is created with. Two creations with equal terms are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Units at the beginning; at least 1.
    pub stock: u32,
    /// Units that one user may hold; `None` = as many as there are.
    pub per_user: Option<u32>,
    /// Units that one user may take on one day.
    pub per_user_day: Option<u32>,
    /// Units that all users may take on one day.
    pub per_day: Option<u32>,
    /// Units of one request.
    pub quantity_max: Option<u8>,
    /// Who may claim.
    pub audience: Audience,
    /// How much may be reserved at once.
    pub holds: Holds,
    /// First instant at which claims are granted, in milliseconds since 1970; `None` = at once.
    pub starts_ms: Option<u64>,
    /// First instant at which they are not granted any more; `None` = never.
    pub ends_ms: Option<u64>,
    /// How long coupons are valid.
    pub validity: Validity,
    /// IANA name of the time zone of its days; empty = UTC.
    pub zone: String,
    /// Stay a draft until activated.
    pub draft: bool,
    /// For people.
    pub name: String,
}

/// Flags that a claim must have, or must not. Which flag means what, only the gateway knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Flags that it must have, all of them.
    pub all: u32,
    /// Flags of which it must have one; 0 = none is asked for.
    pub any: u32,
    /// Flags that it must not have.
    pub none: u32,
}

impl Audience {
    /// Whether a claim with these flags may be granted.
    #[must_use]
    pub fn admits(&self, flags: u32) -> bool {
        flags & self.all == self.all && (self.any == 0 || flags & self.any != 0) && flags & self.none == 0
    }
}

/// How much of a batch may be reserved at once; `None` = unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// Units of one user.
    pub per_user: Option<u16>,
    /// Hundredths of the stock, 1 to 100.
    pub share: Option<u8>,
}

/// How long a batch's coupons are valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// First instant at which they are not, in milliseconds since 1970; `None` = no such instant.
    pub expires_ms: Option<u64>,
    /// They expire at the end of so many days after the day on which they were taken; `None` = no such limit.
    pub valid_days: Option<u16>,
    /// One that is restored is valid at least to the end of so many days after that day; 0 = nothing is added.
    pub return_days: u16,
}

/// Which fields an edit changes: bits, with names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub u32);

impl Fields {
    /// The name.
    pub const NAME: Fields = Fields(1);
    /// Units that one user may hold.
    pub const PER_USER: Fields = Fields(1 << 1);
    /// Units that one user may take on one day.
    pub const PER_USER_DAY: Fields = Fields(1 << 2);
    /// Units that all users may take on one day.
    pub const PER_DAY: Fields = Fields(1 << 3);
    /// Units of one request.
    pub const QUANTITY_MAX: Fields = Fields(1 << 4);
    /// The audience.
    pub const AUDIENCE: Fields = Fields(1 << 5);
    /// How much may be reserved.
    pub const HOLDS: Fields = Fields(1 << 6);
    /// The window's start.
    pub const STARTS: Fields = Fields(1 << 7);
    /// The window's end.
    pub const ENDS: Fields = Fields(1 << 8);
    /// All of them.
    pub const ALL: Fields = Fields((1 << 9) - 1);

    /// Whether all of `fields` are among these.
    #[must_use]
    pub fn has(self, fields: Fields) -> bool {
        self.0 & fields.0 == fields.0
    }

    /// These and `fields`.
    #[must_use]
    pub fn with(self, fields: Fields) -> Fields {
        Fields(self.0 | fields.0)
    }

    /// Those of these that are not among `fields`.
    #[must_use]
    pub fn without(self, fields: Fields) -> Fields {
        Fields(self.0 & !fields.0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Terms {
    /// These terms with the fields that `fields` names taken from `new`.
    #[must_use]
    pub fn edited(&self, fields: Fields, new: &Terms) -> Terms {
        let pick = |field: Fields| if fields.has(field) { new } else { self };
        Terms {
            stock: self.stock,
            per_user: pick(Fields::PER_USER).per_user,
            per_user_day: pick(Fields::PER_USER_DAY).per_user_day,
            per_day: pick(Fields::PER_DAY).per_day,
            quantity_max: pick(Fields::QUANTITY_MAX).quantity_max,
            audience: pick(Fields::AUDIENCE).audience,
            holds: pick(Fields::HOLDS).holds,
            starts_ms: pick(Fields::STARTS).starts_ms,
            ends_ms: pick(Fields::ENDS).ends_ms,
            validity: self.validity,
            zone: self.zone.clone(),
            draft: self.draft,
            name: pick(Fields::NAME).name.clone(),
        }
    }

    /// The fields in which `other` differs; not stock, draft, zone and validity, which no edit
    /// changes.
    #[must_use]
    pub fn differences(&self, other: &Terms) -> Fields {
        let bit = |differs: bool, field: Fields| if differs { field } else { Fields(0) };
        [
            bit(self.name != other.name, Fields::NAME),
            bit(self.per_user != other.per_user, Fields::PER_USER),
            bit(self.per_user_day != other.per_user_day, Fields::PER_USER_DAY),
            bit(self.per_day != other.per_day, Fields::PER_DAY),
            bit(self.quantity_max != other.quantity_max, Fields::QUANTITY_MAX),
            bit(self.audience != other.audience, Fields::AUDIENCE),
            bit(self.holds != other.holds, Fields::HOLDS),
            bit(self.starts_ms != other.starts_ms, Fields::STARTS),
            bit(self.ends_ms != other.ends_ms, Fields::ENDS),
        ]
        .into_iter()
        .fold(Fields(0), Fields::with)
    }

    /// Whether the window does not end before it starts.
    #[must_use]
    pub fn window_is_possible(&self) -> bool {
        !matches!((self.starts_ms, self.ends_ms), (Some(start), Some(end)) if end <= start)
    }
}

/// What an item says where 0 stands for "none".
pub(super) fn some<N: Default + PartialEq>(value: N) -> Option<N> {
    Some(value).filter(|value| *value != N::default())
}

/// The terms that an item has, of which requests and replies have the same fields; the others are for the caller.
macro_rules! shared_terms {
    ($item:expr) => {
        $crate::batch::Terms {
            per_user: some($item.per_user.get()),
            per_user_day: some($item.per_user_day.get()),
            per_day: some($item.per_day.get()),
            quantity_max: some($item.quantity_max),
            audience: $crate::batch::Audience {
                all: $item.audience_all.get(),
                any: $item.audience_any.get(),
                none: $item.audience_none.get(),
            },
            holds: $crate::batch::Holds { per_user: some($item.holds_per_user.get()), share: some($item.holds_share) },
            starts_ms: some($item.starts_ms.get()),
            ends_ms: some($item.ends_ms.get()),
            validity: $crate::batch::Validity {
                expires_ms: some($item.expires_ms.get()),
                valid_days: some($item.valid_days.get()),
                return_days: $item.return_days.get(),
            },
            ..$crate::batch::Terms::default()
        }
    };
}
pub(super) use shared_terms;
