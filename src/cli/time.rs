//! Times and durations as people write them.

use std::time::Duration;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Span, Timestamp};
use stockade_client::DEADLINE_MAX;

/// Nanoseconds of a millisecond.
const MILLISECOND_NANOS: i128 = 1_000_000;

/// The day from which days are counted.
const DAY_ZERO: Date = date(1970, 1, 1);

/// An instant of a batch's terms; `None` = the end of time that needs none: at once, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge(pub(super) Option<u64>);

/// Reads the beginning of a window: an instant, or `now`.
pub(super) fn start(text: &str) -> Result<Edge, String> {
    edge(text, "now")
}

/// Reads an end: an instant, or `never`.
pub(super) fn end(text: &str) -> Result<Edge, String> {
    edge(text, "never")
}

fn edge(text: &str, none: &str) -> Result<Edge, String> {
    if text == none {
        return Ok(Edge(None));
    }
    instant_ms(text).map(|at| Edge(Some(at))).map_err(|wanted| format!("{wanted}, or {none}"))
}

/// Reads an instant in RFC 3339; gives milliseconds since 1970, the first one not before it.
fn instant_ms(text: &str) -> Result<u64, String> {
    let example = "such as 2026-11-27T20:00:00+08:00 or 2026-11-27T12:00:00Z";
    let instant: Timestamp =
        text.parse().map_err(|_| format!("it must be a time with its offset from UTC, {example}"))?;
    // Rounded up: the first millisecond of the server's clock that is not before what was asked for.
    let milliseconds = (instant.as_nanosecond() + MILLISECOND_NANOS - 1).div_euclid(MILLISECOND_NANOS);
    match u64::try_from(milliseconds) {
        Ok(milliseconds) if milliseconds > 0 => Ok(milliseconds),
        Ok(_) | Err(_) => Err(format!("it must be after 1970, {example}")),
    }
}

/// Writes an instant in RFC 3339.
pub(super) fn rfc3339(milliseconds: u64) -> String {
    let instant = i64::try_from(milliseconds).ok().and_then(|value| Timestamp::from_millisecond(value).ok());
    // Another client may have set a time after the year 9999, which has no such text.
    instant.map_or_else(|| format!("{milliseconds} ms after 1970"), |instant| instant.to_string())
}

/// Reads a day; gives days since 1970-01-01.
pub(super) fn day(text: &str) -> Result<i32, String> {
    let day = text.parse::<Date>().ok().and_then(|day| DAY_ZERO.until(day).ok());
    day.map(|span| span.get_days()).ok_or_else(|| "it must be a day, such as 2026-11-27".to_owned())
}

/// Writes a day that is given as days since 1970-01-01.
pub(super) fn date_of(day: i32) -> String {
    let date = Span::new().try_days(day).ok().and_then(|span| DAY_ZERO.checked_add(span).ok());
    date.map_or_else(|| format!("{day} days after 1970-01-01"), |date| date.to_string())
}

/// Reads the life of a reservation; gives seconds.
pub(super) fn ttl_s(text: &str) -> Result<u16, String> {
    let wanted = || format!("it must be whole seconds from 1s to {}s, such as 90s or 15m", u16::MAX);
    let life = text.parse::<SignedDuration>().map_err(|_| wanted())?;
    match u16::try_from(life.as_secs()) {
        Ok(seconds) if seconds > 0 && life.subsec_nanos() == 0 => Ok(seconds),
        Ok(_) | Err(_) => Err(wanted()),
    }
}

/// Reads a duration of up to a day.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| (Duration::from_millis(1)..=DEADLINE_MAX).contains(duration))
        .ok_or_else(|| "it must be a duration from 1ms to 24h, such as 500ms, 5s or 1m 30s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_with_their_offset_and_rounded_up() {
        for (text, milliseconds) in [
            ("2026-11-27T12:00:00Z", 1_795_780_800_000),
            ("2026-11-27T20:00:00+08:00", 1_795_780_800_000),
            ("2026-11-27T12:00:00.25Z", 1_795_780_800_250),
            ("2026-11-27T12:00:00.0000001Z", 1_795_780_800_001),
            ("1970-01-01T00:00:00.001Z", 1),
        ] {
            assert_eq!(instant_ms(text), Ok(milliseconds), "{text}");
        }
    }

    #[test]
    fn other_instants_are_refused_with_a_good_one() {
        for text in [
            "",
            "tomorrow",
            "2026-11-27",
            "2026-11-27T12:00:00",
            "2026-02-30T12:00:00Z",
            "1970-01-01T00:00:00Z",
            "1969-12-31T00:00:00Z",
            "12",
        ] {
            let error = instant_ms(text).expect_err(text);
            assert!(error.contains("2026-11-27T20:00:00+08:00"), "{text}: {error}");
        }
    }

    #[test]
    fn instants_are_written_as_they_are_read() {
        assert_eq!(rfc3339(1_795_780_800_000), "2026-11-27T12:00:00Z");
        assert_eq!(rfc3339(1_795_780_800_250), "2026-11-27T12:00:00.25Z");
        assert_eq!(rfc3339(u64::MAX), "18446744073709551615 ms after 1970");
    }

    #[test]
    fn edges_have_a_word_for_none() {
        assert_eq!((start("now"), end("never")), (Ok(Edge(None)), Ok(Edge(None))));
        assert_eq!(end("1970-01-01T00:00:00.001Z"), Ok(Edge(Some(1))));
        assert!(start("never").expect_err("no start").ends_with(", or now"));
        assert!(end("now").expect_err("no end").ends_with(", or never"));
    }

    #[test]
    fn days_are_counted_from_1970() {
        for (text, number) in [("1970-01-01", 0), ("1969-12-31", -1), ("2026-11-27", 20_784)] {
            assert_eq!(day(text), Ok(number), "{text}");
            assert_eq!(date_of(number), text);
        }
        for text in ["", "12", "2026-02-30", "today"] {
            assert!(day(text).is_err(), "{text:?}");
        }
        assert_eq!(date_of(i32::MAX), "2147483647 days after 1970-01-01");
    }

    #[test]
    fn lives_are_whole_seconds() {
        assert_eq!((ttl_s("90s"), ttl_s("15m"), ttl_s("65535s")), (Ok(90), Ok(900), Ok(u16::MAX)));
        for text in ["", "90", "0s", "-1s", "500ms", "65536s", "soon"] {
            assert!(ttl_s(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn durations_have_bounds() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("24h"), Ok(DEADLINE_MAX));
        for text in ["", "5", "0s", "-5s", "25h", "999us", "soon"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }
}
