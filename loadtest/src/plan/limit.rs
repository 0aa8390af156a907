//! Limits as people write them: a number, or `unlimited`.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// A limit in a flag or a scenario file; `None` = there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<Number>(pub Option<Number>);

/// A whole number that a limit can be.
pub trait Whole: Copy + PartialEq + FromStr {
    /// The greatest.
    const MAX: u32;
    /// What is no limit but a prohibition.
    const ZERO: Self;
}

impl Whole for u8 {
    const MAX: u32 = 255;
    const ZERO: Self = 0;
}

impl Whole for u16 {
    const MAX: u32 = 65_535;
    const ZERO: Self = 0;
}

impl Whole for u32 {
    const MAX: u32 = u32::MAX;
    const ZERO: Self = 0;
}

/// What a text should have been.
fn wanted<Number: Whole>() -> String {
    format!("a whole number from 1 to {}, or `unlimited`", Number::MAX)
}

impl<Number: Whole> FromStr for Limit<Number> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unlimited" {
            return Ok(Limit(None));
        }
        let number = text.parse::<Number>().ok().filter(|number| *number != Number::ZERO);
        number.map(|number| Limit(Some(number))).ok_or_else(wanted::<Number>)
    }
}

impl<'de, Number: Whole> Deserialize<'de> for Limit<Number> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitVisitor(PhantomData))
    }
}

struct LimitVisitor<Number>(PhantomData<Number>);

impl<Number: Whole> Visitor<'_> for LimitVisitor<Number> {
    type Value = Limit<Number>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&wanted::<Number>())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Limit<Number>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Limit<Number>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Limit<Number>, E> {
        text.parse().map_err(|wanted| E::custom(format!("`{text}` is not {wanted}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_its_bounds_or_none_at_all() {
        assert_eq!(
            ["1", "255", "unlimited"].map(str::parse),
            [Ok(Limit(Some(1_u8))), Ok(Limit(Some(255))), Ok(Limit(None))]
        );
        assert_eq!("65535".parse(), Ok(Limit(Some(65_535_u16))));
        assert_eq!("4294967295".parse(), Ok(Limit(Some(u32::MAX))));
        for text in ["0", "256", "-1", "", "many"] {
            let error = text.parse::<Limit<u8>>().expect_err(text);
            assert_eq!(error, "a whole number from 1 to 255, or `unlimited`");
        }
    }
}
