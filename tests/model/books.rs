//! The model's books: maps and vectors, and nothing that is kept twice.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use stockade::types::Epoch;
use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, State, Terms};

use super::coupons::Coupon;
use super::days::{Day, day_of, end_of};
use super::ranges::Ranges;

/// When and where something is decided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) core: usize,
    pub(crate) epoch: Epoch,
    /// What was durable when the burst began.
    pub(crate) durable: Epoch,
    pub(crate) now_ms: u64,
    pub(crate) running_ms: u64,
    /// Whether reservations may expire yet.
    pub(crate) may_lapse: bool,
}

/// Who changed something last, and in which epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Touch {
    pub(crate) epoch: Epoch,
    pub(crate) core: usize,
}

impl Touch {
    pub(crate) fn at(moment: &Moment) -> Self {
        Self { epoch: moment.epoch, core: moment.core }
    }

    /// Whether another core did it, and it is not durable.
    pub(crate) fn is_foreign(&self, now: &Moment) -> bool {
        self.epoch > now.durable && self.core != now.core
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Granted,
    Reserved,
    Cancelled,
    Lapsed,
    /// Cancelled before it came.
    Mark,
}

/// What a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) quantity: u8,
    pub(crate) up_to: bool,
    pub(crate) reserves: bool,
}

/// First serial and number of units.
pub(crate) type Run = (u32, u32);

pub(crate) fn units_of(runs: &[Run]) -> u32 {
    runs.iter().map(|run| run.1).sum()
}

/// A claim or a reservation that took effect.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) asked: Asked,
    pub(crate) phase: Phase,
    pub(crate) runs: Vec<Run>,
    /// Units that the user does not hold any more.
    pub(crate) back: u32,
    pub(crate) day: Day,
    pub(crate) taken_ms: u64,
    /// When a reservation expires, by the time of its records, and by the running clock.
    pub(crate) until_ms: u64,
    pub(crate) due_ms: u64,
    pub(crate) extended_s: Option<u16>,
    pub(crate) born: Touch,
    pub(crate) changed: Touch,
}

impl Request {
    pub(crate) fn units(&self) -> u32 {
        units_of(&self.runs)
    }

    /// Units that the user holds by it.
    pub(crate) fn held(&self) -> u32 {
        self.units() - self.back
    }
}

/// What a user gave up a moment ago: it counts until that is durable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recent {
    pub(crate) epoch: Epoch,
    pub(crate) user: u64,
    pub(crate) freed: u32,
    pub(crate) released: u32,
    pub(crate) day: Day,
}

/// What operators decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Draft,
    Active,
    Paused,
    Ended,
    Closed,
}

/// What claims go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Hidden,
    Gone,
    Is(Code),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    Added(u32),
    Withdrawn { asked: u32, taken: u32 },
}

/// What happened so far, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) claimed: u32,
    pub(crate) reserved: u32,
    pub(crate) confirmed: u32,
    pub(crate) cancelled: u32,
    pub(crate) lapsed: u32,
    pub(crate) locked: u32,
    pub(crate) unlocked: u32,
    pub(crate) redeemed: u32,
    pub(crate) restored: u32,
    pub(crate) returned: u32,
    pub(crate) voided: u32,
    /// Units that could not come back.
    pub(crate) stranded: u32,
    pub(crate) added: u32,
    pub(crate) withdrawn: u32,
}

impl Counts {
    pub(crate) fn held(&self) -> u32 {
        self.reserved - self.confirmed - self.cancelled - self.lapsed
    }

    pub(crate) fn worthless(&self) -> u32 {
        self.voided + self.stranded
    }

    pub(crate) fn granted(&self) -> u32 {
        self.claimed + self.confirmed - self.returned - self.voided
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) created_ms: u64,
    /// As operators decided them; stock and draft as at the creation.
    pub(crate) terms: Terms,
    /// Terms that all bind claims: those in force, and those of edits that are not durable.
    pub(crate) binding: Vec<Terms>,
    /// The version of the last edit.
    pub(crate) edited: u32,
    pub(crate) code: Code,
    pub(crate) gate: Gate,
    /// Its users' claims are not kept any more.
    pub(crate) shut: bool,
    pub(crate) version: u32,
    pub(crate) total: u32,
    pub(crate) serials_end: u32,
    /// Serials that may be drawn. Which of them were withdrawn, nobody tells: `free_units` counts what is left.
    pub(crate) free: Ranges,
    pub(crate) free_units: u32,
    /// Units on their way in.
    pub(crate) pending: u32,
    pub(crate) supplies: HashMap<u64, Supply>,
    /// Units reserved, those included that were a moment ago.
    pub(crate) room_taken: u32,
    pub(crate) users: BTreeMap<u64, BTreeMap<u64, Request>>,
    /// Who ever took which serial.
    pub(crate) takers: BTreeMap<u32, (u64, u64)>,
    pub(crate) coupons: BTreeMap<u32, Coupon>,
    pub(crate) recents: Vec<Recent>,
    pub(crate) counts: Counts,
    /// Units taken by day and not given back on that day.
    pub(crate) day_taken: BTreeMap<Day, u32>,
    /// From this day on a limit of the day counts.
    pub(crate) day_limit_from: Day,
    pub(crate) zone: TimeZone,
}

impl Batch {
    pub(crate) fn is_visible(&self) -> bool {
        matches!(self.gate, Gate::Is(_))
    }

    pub(crate) fn day_of(&self, time_ms: u64) -> Day {
        day_of(&self.zone, time_ms)
    }

    /// The lowest of a limit that all binding terms have.
    pub(crate) fn lowest<T: Ord>(&self, limit: impl Fn(&Terms) -> Option<T>) -> Option<T> {
        self.binding.iter().filter_map(limit).min()
    }

    pub(crate) fn has_ended(&self, now_ms: u64) -> bool {
        self.lowest(|terms| terms.ends_ms).is_some_and(|ends_ms| now_ms >= ends_ms)
    }

    pub(crate) fn has_begun(&self, now_ms: u64) -> bool {
        self.binding.iter().all(|terms| terms.starts_ms.is_none_or(|starts_ms| now_ms >= starts_ms))
    }

    pub(crate) fn state(&self, now_ms: u64) -> State {
        match self.code {
            Code::Closed => State::Closed,
            Code::Ended => State::Ended,
            _ if self.has_ended(now_ms) => State::Ended,
            Code::Draft => State::Draft,
            Code::Paused => State::Paused,
            Code::Active if self.has_begun(now_ms) => State::Active,
            Code::Active => State::Scheduled,
        }
    }

    /// Why no new claim is granted.
    pub(crate) fn closed_to_claims(&self, now_ms: u64) -> Option<Status> {
        match self.gate {
            Gate::Hidden | Gate::Gone => Some(Status::BatchUnknown),
            Gate::Is(Code::Closed) => Some(Status::Closed),
            Gate::Is(Code::Ended) => Some(Status::Ended),
            Gate::Is(_) if self.has_ended(now_ms) => Some(Status::Ended),
            Gate::Is(Code::Draft) => Some(Status::BatchDraft),
            Gate::Is(Code::Paused) => Some(Status::Paused),
            Gate::Is(Code::Active) if !self.has_begun(now_ms) => Some(Status::NotStarted),
            Gate::Is(Code::Active) => None,
        }
    }

    pub(crate) fn request(&self, user: u64, request: u64) -> Option<&Request> {
        self.users.get(&user)?.get(&request)
    }

    /// Units that a user holds, those of them that are reserved, and those that were taken on a day; what was given up
    /// counts until that is durable.
    pub(crate) fn holdings(&self, user: u64, day: Day, durable: Epoch) -> (u32, u32, u32) {
        let (mut units, mut reserved, mut of_day) = (0, 0, 0);
        for request in self.users.get(&user).into_iter().flat_map(BTreeMap::values) {
            units += request.held();
            reserved += if request.phase == Phase::Reserved { request.held() } else { 0 };
            of_day += if request.day == day { request.held() } else { 0 };
        }
        for recent in self.recents.iter().filter(|recent| recent.user == user && recent.epoch > durable) {
            units += recent.freed;
            reserved += recent.released;
            of_day += if recent.day == day { recent.freed } else { 0 };
        }
        (units, reserved, of_day)
    }

    /// The most that all users may take on a day, if that is limited on it.
    pub(crate) fn per_day(&self, day: Day) -> Option<u32> {
        self.lowest(|terms| terms.per_day).filter(|_| day >= self.day_limit_from)
    }

    pub(crate) fn taken_on(&self, day: Day) -> u32 {
        self.day_taken.get(&day).copied().unwrap_or(0)
    }

    /// When a coupon expires that nobody has locked.
    pub(crate) fn expires_ms(&self, through: Option<Day>, taken: Day) -> Option<u64> {
        if let Some(through) = through {
            return Some(end_of(&self.zone, through));
        }
        let by_days = self.terms.validity.valid_days.map(|days| end_of(&self.zone, taken + Day::from(days)));
        by_days.into_iter().chain(self.terms.validity.expires_ms).min()
    }

    pub(crate) fn has_expired(&self, through: Option<Day>, taken: Day, now_ms: u64) -> bool {
        let expires = self.terms.validity.expires_ms.is_some() || self.terms.validity.valid_days.is_some();
        (expires || through.is_some()) && self.expires_ms(through, taken).is_some_and(|end_ms| now_ms >= end_ms)
    }

    /// What an operation answers with.
    pub(crate) fn info(&self, id: u64, status: Status, now_ms: u64) -> BatchInfo {
        let mut info = BatchInfo::about(status, id, self.state(now_ms), &self.terms);
        info.total.set(self.total);
        info.remaining.set(self.free_units + self.pending);
        info.held.set(self.counts.held());
        info.voided.set(self.counts.worthless());
        info.granted.set(self.counts.granted());
        info.created_ms.set(self.created_ms);
        info.version.set(self.version);
        let today = self.day_of(now_ms);
        info.day_units.set(if self.per_day(today).is_some() { self.taken_on(today) } else { 0 });
        info
    }
}

/// All batches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub(crate) batches: BTreeMap<u64, Batch>,
    /// The latest time of any record.
    pub(crate) last_ms: u64,
    /// What happens when an epoch is durable.
    pub(crate) deferred: Vec<(Epoch, super::records::Inflow)>,
}

impl Books {
    /// The batch with this id, if it can be seen.
    pub(crate) fn find(&self, id: u64) -> Option<&Batch> {
        self.batches.get(&id).filter(|batch| batch.is_visible())
    }
}
