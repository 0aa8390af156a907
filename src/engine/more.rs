//! What few batches have: limits of days and reservations, an audience, a time zone, coupons that expire, counters.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use stockade_protocol::Status;
use stockade_protocol::batch::{Audience, Fields, Holds, Terms, Validity};

use super::calendar::Calendar;
use crate::limits::{ENDED_MAX, ENDED_PER_UNIT_MAX};
use crate::stock::{Day, DayLimit, Pool};
use crate::types::TimeMs;
use crate::users::{Coupon, Tally};

/// Time between two looks for coupons that were granted after their date.
const LATE_MS: TimeMs = 3_600_000;

/// Statuses that refuse a claim for what the batch, the user or the stock is: those that are counted by batch.
const COUNTED: [Status; 15] = [
    Status::RequestConflict,
    Status::HistoryFull,
    Status::BatchDraft,
    Status::NotStarted,
    Status::Paused,
    Status::Ended,
    Status::Closed,
    Status::AudienceRefused,
    Status::QuantityAboveLimit,
    Status::HoldsUserLimit,
    Status::HoldsBatchLimit,
    Status::DayLimitReached,
    Status::LimitReached,
    Status::SoldOut,
    Status::DaySoldOut,
];

/// Counts of refusals, one for each status.
pub(super) type Counts = [u32; COUNTED.len()];

/// See the module. As in [`super::limits`], what an edit may change is an atomic of its own, and 0 stands for "none".
pub(super) struct More {
    pub(super) calendar: Calendar,
    zone: Box<str>,
    validity: Validity,
    per_user_day: AtomicU32,
    per_day: AtomicU32,
    quantity_max: AtomicU8,
    audience_all: AtomicU32,
    audience_any: AtomicU32,
    audience_none: AtomicU32,
    holds_per_user: AtomicU16,
    holds_share: AtomicU8,
    pub(super) day_limit: OnceLock<Box<DayLimit>>,
    /// What became of the units of a batch that has closed.
    pub(super) closed: OnceLock<Box<Tally>>,
    /// Whether anything but claims ever happened.
    moved: AtomicBool,
    /// Units reserved: raised before they are taken, lowered when it is durable that they are not any more.
    held: AtomicU32,
    /// Units that may be reserved. Follows from the share and the total, and is written with them.
    held_max: AtomicU32,
    /// Ended reservations that may be remembered. Follows from the total.
    ended_max: AtomicU32,
    /// Reservations that ended without a grant, and cancellations of such as never came. Only rises.
    ended: AtomicU32,
    /// Coupons of which it was recorded that they have expired.
    expired: AtomicU64,
    /// When the next sweep is planned; 0 = none is.
    sweep_ms: AtomicU64,
    refusals: [AtomicU64; COUNTED.len()],
}

impl Default for More {
    fn default() -> Self {
        Self::new(&Terms::default()).expect("UTC is a zone")
    }
}

impl More {
    /// What a batch with these terms has; `None` when there is no such time zone.
    pub(super) fn new(terms: &Terms) -> Option<Self> {
        let more = Self {
            calendar: Calendar::of(&terms.zone)?,
            zone: terms.zone.as_str().into(),
            validity: terms.validity,
            per_user_day: AtomicU32::new(0),
            per_day: AtomicU32::new(0),
            quantity_max: AtomicU8::new(0),
            audience_all: AtomicU32::new(0),
            audience_any: AtomicU32::new(0),
            audience_none: AtomicU32::new(0),
            holds_per_user: AtomicU16::new(0),
            holds_share: AtomicU8::new(0),
            day_limit: OnceLock::new(),
            closed: OnceLock::new(),
            moved: AtomicBool::new(false),
            held: AtomicU32::new(0),
            held_max: AtomicU32::new(0),
            ended_max: AtomicU32::new(0),
            ended: AtomicU32::new(0),
            expired: AtomicU64::new(0),
            sweep_ms: AtomicU64::new(0),
            refusals: std::array::from_fn(|_| AtomicU64::new(0)),
        };
        more.set(Fields::ALL, terms);
        more.set_total(terms.stock);
        Some(more)
    }

    /// Notes how many units the batch has, or that the share of them that may be reserved has changed.
    pub(super) fn set_total(&self, total: u32) {
        let share = self.holds_share.load(Ordering::Relaxed);
        let held_max = if share == 0 { u64::from(u32::MAX) } else { u64::from(total) * u64::from(share) / 100 };
        let ended_max = u64::from(total).saturating_mul(ENDED_PER_UNIT_MAX).saturating_add(ENDED_MAX);
        self.held_max.store(u32::try_from(held_max).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.ended_max.store(u32::try_from(ended_max).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// Whether a batch with these terms needs any of it from the beginning.
    pub(super) fn is_needed(terms: &Terms) -> bool {
        let plain = Terms {
            stock: terms.stock,
            per_user: terms.per_user,
            starts_ms: terms.starts_ms,
            ends_ms: terms.ends_ms,
            draft: terms.draft,
            name: terms.name.clone(),
            ..Terms::default()
        };
        plain != *terms
    }

    /// Takes the values of these fields.
    pub(super) fn set(&self, fields: Fields, terms: &Terms) {
        if fields.has(Fields::PER_USER_DAY) {
            self.per_user_day.store(terms.per_user_day.unwrap_or(0), Ordering::Relaxed);
        }
        if fields.has(Fields::PER_DAY) {
            self.per_day.store(terms.per_day.unwrap_or(0), Ordering::Relaxed);
        }
        if fields.has(Fields::QUANTITY_MAX) {
            self.quantity_max.store(terms.quantity_max.unwrap_or(0), Ordering::Relaxed);
        }
        if fields.has(Fields::AUDIENCE) {
            self.audience_all.store(terms.audience.all, Ordering::Relaxed);
            self.audience_any.store(terms.audience.any, Ordering::Relaxed);
            self.audience_none.store(terms.audience.none, Ordering::Relaxed);
        }
        if fields.has(Fields::HOLDS) {
            self.holds_per_user.store(terms.holds.per_user.unwrap_or(0), Ordering::Relaxed);
            self.holds_share.store(terms.holds.share.unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// Sets the limit of a day in the stock, as it is set here. `day` is today.
    pub(super) fn set_day_limit(&self, pool: &Pool, day: Day) {
        let limit = Some(self.per_day.load(Ordering::Relaxed)).filter(|limit| *limit != 0);
        match self.day_limit.get() {
            Some(day_limit) => day_limit.set_limit(pool, limit, day),
            // Nobody counted what was taken today: it begins tomorrow.
            None if limit.is_some() => {
                self.day_limit.get_or_init(|| Box::new(DayLimit::new(pool, day, 0, None, limit)));
            }
            None => {}
        }
    }

    /// Gives a new batch, or one after a restart, the limit of its days. `taken` units were taken today.
    pub(super) fn begin_day_limit(&self, pool: &Pool, day: Day, taken: u64) {
        if let Some(limit) = self.per_day() {
            self.day_limit.get_or_init(|| Box::new(DayLimit::new(pool, day, taken, Some(limit), Some(limit))));
        }
    }

    pub(super) fn per_day(&self) -> Option<u32> {
        Some(self.per_day.load(Ordering::Relaxed)).filter(|limit| *limit != 0)
    }

    /// Units that one user may take on one day.
    pub(super) fn per_user_day(&self) -> Option<u32> {
        Some(self.per_user_day.load(Ordering::Relaxed)).filter(|limit| *limit != 0)
    }

    /// Units that one user may have reserved.
    pub(super) fn holds_per_user(&self) -> Option<u32> {
        Some(self.holds_per_user.load(Ordering::Relaxed)).filter(|limit| *limit != 0).map(u32::from)
    }

    /// Whether a request of so many units, for a user of this audience, is refused at once.
    pub(super) fn refusal(&self, audience: u32, quantity: u8) -> Option<Status> {
        let quantity_max = self.quantity_max.load(Ordering::Relaxed);
        if !self.audience().admits(audience) {
            Some(Status::AudienceRefused)
        } else if quantity_max != 0 && quantity > quantity_max {
            Some(Status::QuantityAboveLimit)
        } else {
            None
        }
    }

    /// Whether at least so many more units may be reserved. Others may take the room at the same time.
    pub(super) fn may_hold(&self, least: u32) -> bool {
        let held = self.held.load(Ordering::Acquire);
        held.checked_add(least).is_some_and(|held| held <= self.held_max.load(Ordering::Relaxed))
    }

    /// Takes room for up to `quantity` units among those that may be reserved, at least `least`; returns how many.
    pub(super) fn hold(&self, quantity: u32, least: u32) -> Option<u32> {
        let (max, mut granted) = (self.held_max.load(Ordering::Relaxed), 0);
        let fits = |held: u32| {
            granted = quantity.min(max.saturating_sub(held));
            (granted >= least).then(|| held + granted)
        };
        self.held.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).ok().map(|_| granted)
    }

    /// Gives room among the reserved units back.
    pub(super) fn let_go(&self, units: u32) {
        self.held.fetch_sub(units, Ordering::AcqRel);
    }

    /// Whether another reservation that ends can be remembered.
    pub(super) fn has_history_left(&self) -> bool {
        self.ended.load(Ordering::Relaxed) < self.ended_max.load(Ordering::Relaxed)
    }

    /// A reservation ended without a grant, or was cancelled ahead.
    pub(super) fn note_end(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// What a restart found.
    pub(super) fn recall(&self, held: u32, ended: u32) {
        self.held.store(held, Ordering::Relaxed);
        self.ended.store(ended, Ordering::Relaxed);
        self.note_move();
    }

    /// Something else than a claim happens.
    pub(super) fn note_move(&self) {
        if !self.moved.load(Ordering::Relaxed) {
            self.moved.store(true, Ordering::Release);
        }
    }

    pub(super) fn has_moves(&self) -> bool {
        self.moved.load(Ordering::Acquire)
    }

    /// Whether coupons of the batch ever expire.
    pub(super) fn expires(&self) -> bool {
        self.validity.expires_ms.is_some() || self.validity.valid_days.is_some()
    }

    /// Coupons of which it was recorded that they have expired.
    pub(super) fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    /// That of more is recorded.
    pub(super) fn note_expired(&self, coupons: u64) {
        self.expired.fetch_add(coupons, Ordering::Relaxed);
    }

    /// Notes when the next sweep is due; false when one is planned that is not later.
    pub(super) fn plan_sweep(&self, due_ms: TimeMs) -> bool {
        let earlier = |planned: u64| (planned == 0 || due_ms < planned).then_some(due_ms);
        self.sweep_ms.fetch_update(Ordering::AcqRel, Ordering::Acquire, earlier).is_ok()
    }

    /// Begins the sweep that was planned for `due_ms`, if it still is.
    pub(super) fn takes_sweep(&self, due_ms: TimeMs) -> bool {
        self.sweep_ms.compare_exchange(due_ms, 0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The next moment at which coupons may expire. After their date, those that are granted late are looked for.
    pub(super) fn next_expiry_ms(&self, now_ms: TimeMs, today: Day) -> Option<TimeMs> {
        let by_date =
            self.validity.expires_ms.map(|expires_ms| if expires_ms > now_ms { expires_ms } else { now_ms + LATE_MS });
        let by_days = self.validity.valid_days.and_then(|_| self.calendar.end_of(today));
        // A coupon that was restored may have a last day of its own.
        let restored = if self.validity.return_days > 0 { self.calendar.end_of(today) } else { None };
        by_date.into_iter().chain(by_days).chain(restored).min()
    }

    /// The last day on which a coupon that has expired by the batch's terms was taken.
    pub(super) fn expired_through(&self, today: Day, now_ms: TimeMs) -> Day {
        let by_date = self.validity.expires_ms.is_some_and(|expires_ms| now_ms >= expires_ms);
        let by_days = self.validity.valid_days.map(|days| today.saturating_sub(Day::from(days)).saturating_sub(1));
        if by_date { today } else { by_days.unwrap_or(Day::MIN) }
    }

    /// Whether a coupon that was taken on `taken` and that nobody has locked has expired, at `now_ms` on `today`.
    pub(super) fn has_expired(&self, coupon: &Coupon, taken: Day, (now_ms, today): (TimeMs, Day)) -> bool {
        if let Some(through) = coupon.through() {
            return today > through;
        }
        let by_date = self.validity.expires_ms.is_some_and(|expires_ms| now_ms >= expires_ms);
        let by_days = self.validity.valid_days.is_some_and(|days| today > taken.saturating_add(days.into()));
        by_date || by_days
    }

    /// When such a coupon expires; `None` = never.
    pub(super) fn expires_ms(&self, through: Option<Day>, taken: Day) -> Option<TimeMs> {
        if let Some(through) = through {
            return self.calendar.end_of(through);
        }
        let by_days = self.validity.valid_days.and_then(|days| self.calendar.end_of(taken.saturating_add(days.into())));
        by_days.into_iter().chain(self.validity.expires_ms).min()
    }

    /// The last day on which a coupon is valid that is restored today; `None` = as before.
    pub(super) fn restored_through(&self, coupon: &Coupon, taken: Day, today: Day) -> Option<Day> {
        let (days, before) = (self.validity.return_days, self.expires_ms(coupon.through(), taken)?);
        let through = today.saturating_add(days.into());
        let is_longer = self.calendar.end_of(through).is_none_or(|end| end > before);
        (days > 0 && is_longer).then_some(through)
    }

    /// Adds refusals.
    pub(super) fn count_refusals(&self, counts: &Counts) {
        for (sum, count) in self.refusals.iter().zip(counts).filter(|(_, count)| **count > 0) {
            sum.fetch_add(u64::from(*count), Ordering::Relaxed);
        }
    }

    /// Refusals since the start, by status; those that there were.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (Status, u64)> + '_ {
        let counts = self.refusals.iter().map(|count| count.load(Ordering::Relaxed));
        COUNTED.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }

    pub(super) fn write_to(&self, terms: &mut Terms) {
        let some = |value: &AtomicU32| Some(value.load(Ordering::Relaxed)).filter(|value| *value != 0);
        let (share, per_user) = (self.holds_share.load(Ordering::Relaxed), self.holds_per_user.load(Ordering::Relaxed));
        terms.per_user_day = some(&self.per_user_day);
        terms.per_day = some(&self.per_day);
        terms.quantity_max = Some(self.quantity_max.load(Ordering::Relaxed)).filter(|value| *value != 0);
        terms.audience = self.audience();
        terms.holds = Holds {
            per_user: Some(per_user).filter(|value| *value != 0),
            share: Some(share).filter(|value| *value != 0),
        };
        terms.validity = self.validity;
        self.zone.as_ref().clone_into(&mut terms.zone);
    }

    fn audience(&self) -> Audience {
        let load = |value: &AtomicU32| value.load(Ordering::Relaxed);
        Audience { all: load(&self.audience_all), any: load(&self.audience_any), none: load(&self.audience_none) }
    }
}

/// Where a status is counted, if it is.
pub(super) fn counted(status: Status) -> Option<usize> {
    COUNTED.iter().position(|counted| *counted == status)
}
