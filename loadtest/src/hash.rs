//! Numbers that look random and follow from a key: the same seed gives the same users, requests and choices.

/// Odd, so that multiplying by it loses nothing: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// `SplitMix64`'s finaliser (Steele, Lea, Flood 2014): each input has its own output.
#[must_use]
pub const fn scramble(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// One family of numbers out of a seed.
#[derive(Clone, Copy, Debug)]
pub struct Key(u64);

impl Key {
    /// The family `purpose` of `seed`.
    #[must_use]
    pub const fn new(seed: u64, purpose: u64) -> Self {
        Self(scramble(scramble(seed ^ GOLDEN).wrapping_add(purpose.wrapping_mul(GOLDEN))))
    }

    /// The number at `index`. Different indexes have different numbers: users and requests made of it are unique.
    #[must_use]
    pub const fn at(self, index: u64) -> u64 {
        scramble(index.wrapping_mul(GOLDEN) ^ self.0)
    }

    /// A number below `bound` at `index`; `bound` is at least 1.
    #[must_use]
    pub fn below(self, bound: u64, index: u64) -> u64 {
        scaled(self.at(index), bound)
    }

    /// A number in 0 ≤ x < 1 at `index`.
    #[must_use]
    pub fn unit(self, index: u64) -> f64 {
        crate::time::real(self.at(index) >> 11) / crate::time::real(1 << 53)
    }
}

/// `number` out of 2^64, scaled down to 0..`bound`.
#[must_use]
pub fn scaled(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_of_a_key_are_unique_and_keys_differ() {
        let (first, second) = (Key::new(7, 1), Key::new(7, 2));
        let numbers = (0..100_000).flat_map(|index| [first.at(index), second.at(index)]).collect::<HashSet<_>>();
        assert_eq!(numbers.len(), 200_000);
    }

    #[test]
    fn scaled_numbers_reach_all_of_the_range_and_nothing_beyond() {
        let seen = (0..10_000).map(|index| Key::new(1, 1).below(10, index)).collect::<HashSet<_>>();
        assert_eq!(seen, (0..10).collect());
        assert_eq!(scaled(u64::MAX, 10), 9);
    }
}
