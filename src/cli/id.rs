//! Numbers on the command line: ids, request ids, counts.

use std::hash::{BuildHasher, RandomState};

use super::listing::PAGE;

/// Bits of a request id that we draw. Every JSON reader keeps such a number exactly; with 64 bits, those that read
/// numbers as floating point (JavaScript, older jq) would hand back another id, and the lookup would find nothing.
const DRAWN_REQUEST_BITS: u32 = 53;

/// Length of a UUID as text, and where its hyphens stand.
const UUID_CHARACTERS: usize = 36;
const UUID_HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Reads an id.
pub(super) fn id(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {}, such as 42", u64::MAX))
}

/// Reads a request id: a number, or a UUID, which becomes the xor of its two halves read as big-endian numbers.
pub(super) fn request(text: &str) -> Result<u64, String> {
    text.parse().ok().or_else(|| folded_uuid(text)).ok_or_else(|| {
        format!(
            "it must be a whole number from 0 to {}, or a UUID such as 67e55044-10b1-426f-9247-bb680e5fe0c8",
            u64::MAX
        )
    })
}

/// Reads a serial.
pub(super) fn serial(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {}, such as 42", u32::MAX))
}

/// Reads how many items are wanted at most: what one page of a list holds.
pub(super) fn page(text: &str) -> Result<u32, String> {
    let page = text.parse().ok().filter(|count| (1..=PAGE).contains(count));
    page.ok_or_else(|| format!("it must be a whole number from 1 to {PAGE}, such as 100"))
}

/// Reads a number of units.
pub(super) fn units(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 1 to {}, such as 10000", u32::MAX))
}

/// Reads how many events are wanted.
pub(super) fn count(text: &str) -> Result<u64, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| format!("it must be a whole number from 1 to {}, such as 100", u64::MAX))
}

/// Reads a number of days.
pub(super) fn days(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {}, such as 7", u16::MAX))
}

/// Reads the version of a batch.
pub(super) fn version(text: &str) -> Result<u32, String> {
    let version = text.parse().ok().filter(|version| *version > 0);
    version.ok_or_else(|| format!("it must be a whole number from 1 to {}, such as 4", u32::MAX))
}

/// Reads a claim's quantity.
pub(super) fn quantity(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 1 to {}, such as 2", u8::MAX))
}

/// A request id that nobody used: drawn from the keys that the standard library takes from the system's randomness.
pub(super) fn draw_request() -> u64 {
    RandomState::new().hash_one(std::process::id()) >> (u64::BITS - DRAWN_REQUEST_BITS)
}

fn folded_uuid(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let hyphens_stand = UUID_HYPHENS.iter().all(|position| bytes.get(*position) == Some(&b'-'));
    if bytes.len() != UUID_CHARACTERS || !hyphens_stand {
        return None;
    }
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    if digits.len() != UUID_CHARACTERS - UUID_HYPHENS.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let (high, low) = digits.split_at(digits.len() / 2);
    Some(u64::from_str_radix(high, 16).ok()? ^ u64::from_str_radix(low, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_folds_by_xor_of_its_halves() {
        assert_eq!(request("00000000-0000-0001-0000-000000000002"), Ok(3));
        assert_eq!(request("67e55044-10b1-426f-9247-bb680e5fe0c8"), Ok(0x67e5_5044_10b1_426f ^ 0x9247_bb68_0e5f_e0c8));
        assert_eq!(request("67E55044-10B1-426F-9247-BB680E5FE0C8"), request("67e55044-10b1-426f-9247-bb680e5fe0c8"));
    }

    #[test]
    fn what_is_neither_number_nor_uuid_is_refused() {
        for text in [
            "",
            "-1",
            "1.5",
            "abc",
            "18446744073709551616",
            "67e5504410b1426f9247bb680e5fe0c8",
            "67e55044-10b1-426f-9247-bb680e5fe0c",
            "67e55044-10b1-426f-9247-bb680e5fe0cg",
            "67e55044-10b1-426f-9247--b680e5fe0c8",
            "+7e55044-10b1-426f-9247-bb680e5fe0c8",
            "67e55044-10b1-426f-9247-bb680e5fé0c",
        ] {
            assert!(request(text).is_err(), "{text:?}");
        }
        assert_eq!(request("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn drawn_requests_differ_and_survive_floating_point() {
        let drawn: std::collections::HashSet<u64> = (0..1_000).map(|_| draw_request()).collect();
        assert_eq!(drawn.len(), 1_000);
        assert!(drawn.iter().all(|request| *request < 1 << DRAWN_REQUEST_BITS));
        assert!(drawn.iter().any(|request| *request >= 1 << (DRAWN_REQUEST_BITS - 8)), "the upper bits are drawn too");
    }
}
