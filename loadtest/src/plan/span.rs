//! Spans of time as people write them: `5s`, `500ms`, `2m`, `1h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A span of time in a flag or a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

/// The text is no span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanError {
    text: String,
}

const UNITS: [(&str, u64); 5] = [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)];

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let error = || SpanError { text: text.to_owned() };
        let digits = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(error)?;
        let (number, unit) = text.split_at(digits);
        let number = number.parse::<u64>().map_err(|_| error())?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
        number.checked_mul(*factor).map(|micros| Span(Duration::from_micros(micros))).ok_or_else(error)
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl fmt::Display for SpanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is no span of time: write a whole number and us, ms, s, m or h, like 500ms", self.text)
    }
}

impl std::error::Error for SpanError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_with_a_unit_are_spans() {
        for (text, micros) in [("250us", 250), ("500ms", 500_000), ("5s", 5_000_000), ("2m", 120_000_000), ("0s", 0)] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_micros(micros))), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_and_an_example_shown() {
        for text in ["", "5", "s", "5 s", "1.5s", "-1s", "5d", "99999999999999999999s", "18446744073709551615h"] {
            let error = text.parse::<Span>().expect_err(text);
            assert!(error.to_string().ends_with("like 500ms"), "{error}");
        }
    }
}
