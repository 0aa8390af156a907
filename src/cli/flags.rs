//! Flags of an audience: 32 of them, by number or as a mask.

use std::fmt;

/// Flags that there are.
const FLAGS: u32 = u32::BITS;

/// A set of flags: bit *n* is flag *n*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(pub(super) u32);

impl Flags {
    /// The numbers of its flags, in order.
    pub(super) fn numbers(self) -> impl Iterator<Item = u32> {
        (0..FLAGS).filter(move |number| self.0 & (1 << number) != 0)
    }
}

/// Reads flags: numbers with commas between them, a mask in hexadecimal, or `none`.
pub(super) fn flags(text: &str) -> Result<Flags, String> {
    let mask = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // Without a sign in front, which the standard library would take.
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => u32::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None if text == "none" => Some(0),
        None => text.split(',').try_fold(0, |mask, number| {
            let number: u32 = number.trim().parse().ok()?;
            (number < FLAGS).then(|| mask | 1 << number)
        }),
    };
    mask.map(Flags).ok_or_else(|| {
        "it must be flag numbers from 0 to 31 such as 0,3,17, a hexadecimal mask such as 0x20009, or none".to_owned()
    })
}

impl fmt::Display for Flags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return formatter.write_str("none");
        }
        formatter.write_str(&self.numbers().map(|number| number.to_string()).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_masks_and_none() {
        for (text, mask) in [
            ("0,3,17", 0x2_0009),
            ("0x20009", 0x2_0009),
            ("31", 1 << 31),
            ("0xFFFFFFFF", u32::MAX),
            ("none", 0),
            ("3, 3", 8),
        ] {
            assert_eq!(flags(text), Ok(Flags(mask)), "{text}");
        }
        for text in ["", "32", "-1", "0x", "0x1FFFFFFFF", "0x+1", "all", "1;2", "1,"] {
            assert!(flags(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn they_are_written_as_they_are_read() {
        for mask in [0, 1, 0x2_0009, u32::MAX] {
            assert_eq!(flags(&Flags(mask).to_string()), Ok(Flags(mask)));
        }
    }
}
