//! Bounds on the command line: a number, or `unlimited`.

/// The word for no bound.
const UNLIMITED: &str = "unlimited";

/// Hundredths of the whole.
const SHARE_MAX: u8 = 100;

/// A bound; `None` = unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit<T>(pub(super) Option<T>);

/// Reads a bound of units.
pub(super) fn units(text: &str) -> Result<Limit<u32>, String> {
    limit(text, u32::MAX)
}

/// Reads a bound of units of which there are fewer, or of days.
pub(super) fn short(text: &str) -> Result<Limit<u16>, String> {
    limit(text, u16::MAX)
}

/// Reads a bound of units of one request.
pub(super) fn quantity(text: &str) -> Result<Limit<u8>, String> {
    limit(text, u8::MAX)
}

/// Reads a share in percent, with the sign or without.
pub(super) fn share(text: &str) -> Result<Limit<u8>, String> {
    limit(text.strip_suffix('%').unwrap_or(text), SHARE_MAX)
}

fn limit<T: TryFrom<u64> + Into<u64> + Copy>(text: &str, max: T) -> Result<Limit<T>, String> {
    if text == UNLIMITED {
        return Ok(Limit(None));
    }
    let max = max.into();
    let number = text.parse::<u64>().ok().filter(|number| (1..=max).contains(number));
    let number = number.and_then(|number| T::try_from(number).ok());
    number
        .map(|number| Limit(Some(number)))
        .ok_or_else(|| format!("it must be a whole number from 1 to {max}, or unlimited"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_numbers_or_unlimited() {
        assert_eq!(units("3"), Ok(Limit(Some(3))));
        assert_eq!(units("4294967295"), Ok(Limit(Some(u32::MAX))));
        assert_eq!(units("unlimited"), Ok(Limit(None)));
        assert_eq!(short("65535"), Ok(Limit(Some(u16::MAX))));
        assert_eq!(
            (share("50%"), share("100"), share("unlimited")),
            (Ok(Limit(Some(50))), Ok(Limit(Some(100))), Ok(Limit(None)))
        );
        for text in ["0", "-1", "4294967296", "none", "", "3%"] {
            assert!(units(text).is_err(), "{text:?}");
        }
        assert!(short("65536").is_err() && quantity("256").is_err() && share("101").is_err() && share("0%").is_err());
    }
}
