//! The days of a batch: where they begin and end in its time zone.
//!
//! Zones come from the database that is built into the program, so that a restart on another machine counts the same
//! days. A day begins at midnight, or at the first moment after it where a change of the clocks skips midnight.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::stock::Day;
use crate::types::TimeMs;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const SECOND_MS: u64 = 1_000;
const MINUTE_S: u64 = 60;

/// The days of one time zone.
pub(super) enum Calendar {
    /// Days are all alike.
    Utc,
    /// They are not.
    Zone(Box<Zone>),
}

/// See [`Calendar`].
pub(super) struct Zone {
    zone: TimeZone,
    /// The day that was asked for last, see [`Window`]; written by any core, a hint.
    last: AtomicU64,
}

/// A day and when it is, packed into a word: seconds from 1970 to its beginning (36 bits), its minutes (11), its number
/// (17).
#[derive(Clone, Copy)]
struct Window {
    begins_s: u64,
    minutes: u64,
    day: Day,
}

const DAY_BITS: u32 = 17;
const MINUTE_BITS: u32 = 11;

impl Calendar {
    /// The calendar of the zone with this IANA name; empty = UTC. `None`: there is no such zone.
    pub(super) fn of(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::Utc);
        }
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        Some(Self::Zone(Box::new(Zone { zone, last: AtomicU64::new(0) })))
    }

    /// The day of an instant, in days since 1970-01-01.
    #[inline]
    pub(super) fn day_of(&self, time_ms: TimeMs) -> Day {
        match self {
            Calendar::Utc => Day::try_from(time_ms / DAY_MS).unwrap_or(Day::MAX),
            Calendar::Zone(zone) => zone.day_of(time_ms),
        }
    }

    /// The first instant after a day; `None`: it is beyond what can be told.
    pub(super) fn end_of(&self, day: Day) -> Option<TimeMs> {
        let next = day.checked_add(1)?;
        match self {
            Calendar::Utc => u64::try_from(next).ok()?.checked_mul(DAY_MS),
            Calendar::Zone(zone) => zone.begin_of(next),
        }
    }
}

impl Zone {
    fn day_of(&self, time_ms: TimeMs) -> Day {
        let seconds = time_ms / SECOND_MS;
        let last = Window::unpack(self.last.load(Ordering::Relaxed));
        if (last.begins_s..last.begins_s + last.minutes * MINUTE_S).contains(&seconds) {
            return last.day;
        }
        let Some(day) = self.look_up(time_ms) else { return Day::MAX };
        let window = self.window(day);
        window.and_then(Window::pack).into_iter().for_each(|word| self.last.store(word, Ordering::Relaxed));
        day
    }

    fn look_up(&self, time_ms: TimeMs) -> Option<Day> {
        let instant = Timestamp::from_millisecond(i64::try_from(time_ms).ok()?).ok()?;
        let date = self.zone.to_datetime(instant).date();
        date.since(Date::new(1970, 1, 1).ok()?).ok().map(|span| span.get_days())
    }

    fn window(&self, day: Day) -> Option<Window> {
        let (begins, ends) = (self.begin_of(day)?, self.begin_of(day + 1)?);
        let whole = (begins % SECOND_MS, (ends - begins) % (MINUTE_S * SECOND_MS)) == (0, 0);
        let minutes = (ends - begins) / (MINUTE_S * SECOND_MS);
        whole.then_some(Window { begins_s: begins / SECOND_MS, minutes, day })
    }

    fn begin_of(&self, day: Day) -> Option<TimeMs> {
        let date = Date::new(1970, 1, 1).ok()?.checked_add(jiff::Span::new().try_days(day).ok()?).ok()?;
        let begin = self.zone.to_zoned(date.at(0, 0, 0, 0)).ok()?.start_of_day().ok()?;
        u64::try_from(begin.timestamp().as_millisecond()).ok()
    }
}

impl Window {
    fn unpack(word: u64) -> Self {
        let minutes = word >> DAY_BITS & ((1 << MINUTE_BITS) - 1);
        let day = Day::try_from(word & ((1 << DAY_BITS) - 1)).expect("17 bits");
        Self { begins_s: word >> (DAY_BITS + MINUTE_BITS), minutes, day }
    }

    fn pack(self) -> Option<u64> {
        let day = u64::try_from(self.day).ok()?;
        let fits = self.begins_s >> (64 - DAY_BITS - MINUTE_BITS) == 0
            && self.minutes >> MINUTE_BITS == 0
            && day >> DAY_BITS == 0;
        fits.then_some(self.begins_s << (DAY_BITS + MINUTE_BITS) | self.minutes << DAY_BITS | day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> TimeMs {
        let instant: Timestamp = text.parse().expect("an instant");
        u64::try_from(instant.as_millisecond()).expect("after 1970")
    }

    /// Asks for the days of instants, in both orders: the answer must not depend on what was asked before.
    fn days(zone: &str, instants: &[&str]) -> Vec<Day> {
        let calendar = Calendar::of(zone).expect(zone);
        let forwards = instants.iter().map(|instant| calendar.day_of(ms(instant))).collect::<Vec<_>>();
        let mut backwards = instants.iter().rev().map(|instant| calendar.day_of(ms(instant))).collect::<Vec<_>>();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        let first = forwards[0];
        forwards.into_iter().map(|day| day - first).collect()
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_zone() {
        let instants =
            ["2026-11-27T15:59:59.999Z", "2026-11-27T16:00:00Z", "2026-11-27T23:59:59.999Z", "2026-11-28T00:00:00Z"];
        assert_eq!(days("Asia/Shanghai", &instants), [0, 1, 1, 1]);
        assert_eq!(days("", &instants), [0, 0, 0, 1]);
        assert_eq!(days("UTC", &instants), [0, 0, 0, 1]);
        assert_eq!(Calendar::of("").expect("UTC").day_of(ms("1970-01-02T00:00:00Z")), 1);
        assert_eq!(Calendar::of("Asia/Shanghai").expect("a zone").day_of(ms("2026-11-27T16:00:00Z")), 20_785);
    }

    #[test]
    fn days_are_longer_and_shorter_where_the_clocks_change() {
        // New York: 8 March 2026 has 23 hours, 1 November 25.
        let spring = ["2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z", "2026-03-09T03:59:59Z", "2026-03-09T04:00:00Z"];
        assert_eq!(days("America/New_York", &spring), [0, 1, 1, 2]);
        let autumn = ["2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z", "2026-11-02T05:00:00Z"];
        assert_eq!(days("America/New_York", &autumn), [0, 1, 1, 2]);
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_after_the_gap() {
        // Santiago: on 6 September 2026 the clocks go from 24:00 to 01:00.
        let instants = ["2026-09-06T03:59:59Z", "2026-09-06T04:00:00Z", "2026-09-07T02:59:59Z", "2026-09-07T03:00:00Z"];
        assert_eq!(days("America/Santiago", &instants), [0, 1, 1, 2]);
        let calendar = Calendar::of("America/Santiago").expect("a zone");
        let day = calendar.day_of(ms("2026-09-06T12:00:00Z"));
        assert_eq!(calendar.end_of(day - 1), Some(ms("2026-09-06T04:00:00Z")));
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_no_day() {
        // Samoa went from 29 to 31 December 2011.
        let instants = ["2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z"];
        assert_eq!(days("Pacific/Apia", &instants), [0, 2]);
    }

    #[test]
    fn the_end_of_a_day_is_the_beginning_of_the_next() {
        for zone in ["", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu"] {
            let calendar = Calendar::of(zone).expect(zone);
            let end = calendar.end_of(20_000).expect("an instant");
            assert_eq!((calendar.day_of(end - 1), calendar.day_of(end)), (20_000, 20_001), "{zone}");
        }
    }

    #[test]
    fn there_is_no_calendar_for_a_zone_that_does_not_exist() {
        assert!(
            ["Mars/Olympus", "Asia", "+08:00", " ", "../etc/passwd"].iter().all(|name| Calendar::of(name).is_none())
        );
    }
}
