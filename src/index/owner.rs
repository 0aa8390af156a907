//! Who took which serials, in four bytes for most claims: not the user, only the user's bucket, whose events tell.
//!
//! Serials are kept in blocks of [`BLOCK_SERIALS`]; a run that is longer than [`RUN_MAX`], or lies in two blocks, is
//! several.

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::BUCKETS;

/// Serials of one block.
pub(super) const BLOCK_SERIALS: u32 = 1 << 10;

/// Serials of one run at most.
const RUN_MAX: u32 = 1 << 5;

const BUCKET_SHIFT: u32 = 10;
const RUN_SHIFT: u32 = 25;
const _: () = assert!(BUCKETS == 1 << (RUN_SHIFT - BUCKET_SHIFT) && RUN_MAX << RUN_SHIFT <= 1 << 30);

/// A run of serials of one block, as it is kept: from the lowest bit on 10 bits offset in the block, 15 bits bucket, 5
/// bits length less one.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(transparent)]
pub(super) struct Owner(U32);

/// A run of serials, and the bucket of the user who took them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) serial: u32,
    pub(super) units: u32,
    pub(super) bucket: usize,
}

impl Held {
    /// The owners that stand for it, each with its block.
    pub(super) fn owners(self) -> impl Iterator<Item = (u32, Owner)> {
        let (mut serial, end) = (self.serial, self.serial + self.units);
        let bucket = u32::try_from(self.bucket).expect("there are so few");
        std::iter::from_fn(move || {
            let (block, offset) = (serial / BLOCK_SERIALS, serial % BLOCK_SERIALS);
            let units = (end - serial).min(RUN_MAX).min(BLOCK_SERIALS - offset);
            serial += units;
            let owner = units.checked_sub(1).map(|rest| offset | bucket << BUCKET_SHIFT | rest << RUN_SHIFT)?;
            Some((block, Owner(U32::new(owner))))
        })
    }

    pub(super) fn has(&self, serial: u32) -> bool {
        serial.checked_sub(self.serial).is_some_and(|offset| offset < self.units)
    }

    /// Whether some of it is `from`, or behind it.
    pub(super) fn reaches(&self, from: u32) -> bool {
        self.serial + (self.units - 1) >= from
    }
}

impl Owner {
    pub(super) fn held(self, block: u32) -> Held {
        let number = self.0.get();
        Held {
            serial: block * BLOCK_SERIALS + number % BLOCK_SERIALS,
            units: (number >> RUN_SHIFT) % RUN_MAX + 1,
            bucket: (number >> BUCKET_SHIFT) as usize % BUCKETS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_serials_come_out_again(serial in any::<u32>(), units in 1..=255_u32, bucket in 0..BUCKETS) {
            let serial = serial.min(u32::MAX - units);
            let owners = Held { serial, units, bucket }.owners();
            let all = owners.map(|(block, owner)| owner.held(block)).collect::<Vec<_>>();
            prop_assert!(all.iter().all(|held| held.bucket == bucket));
            let serials = all.iter().flat_map(|held| held.serial..held.serial + held.units).collect::<Vec<_>>();
            prop_assert_eq!(serials, (serial..serial + units).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_claim_of_one_unit_is_one_owner() {
        assert_eq!(Held { serial: 70_000, units: 1, bucket: BUCKETS - 1 }.owners().count(), 1);
        assert_eq!(size_of::<Owner>(), 4);
    }
}
