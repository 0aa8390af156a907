//! Days of a time zone, the plain way: what a calendar there says.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Days since 1970-01-01.
pub(crate) type Day = i32;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A zone of which the test knows that it exists.
pub(crate) fn zone(name: &str) -> TimeZone {
    if name.is_empty() { TimeZone::UTC } else { TimeZoneDatabase::bundled().get(name).expect("a zone that exists") }
}

/// The day of an instant.
pub(crate) fn day_of(zone: &TimeZone, time_ms: u64) -> Day {
    let instant = Timestamp::from_millisecond(i64::try_from(time_ms).expect("a time")).expect("a time");
    zone.to_datetime(instant).date().since(date(1970, 1, 1)).expect("a date").get_days()
}

/// The first instant after a day, found by halving.
pub(crate) fn end_of(zone: &TimeZone, day: Day) -> u64 {
    let noon = i64::from(day) * DAY_MS;
    let (mut within, mut after) = (noon - 2 * DAY_MS, noon + 4 * DAY_MS);
    while after - within > 1 {
        let middle = within + (after - within) / 2;
        let day_then = day_of(zone, u64::try_from(middle).expect("after 1970"));
        if day_then <= day { within = middle } else { after = middle }
    }
    u64::try_from(after).expect("after 1970")
}
