//! The coupons of one shard to which something happened, by serial.

use super::coupon::Coupon;
use super::index::Index;
use crate::prefetch::prefetch;

/// Coupons in the order in which something first happened to them, and an index over them. Why not a hash map of the
/// standard library: where a coupon lies must be known before it is needed, to ask for that memory ahead.
#[derive(Default)]
pub(super) struct Coupons {
    index: Index,
    coupons: Vec<(u32, Coupon)>,
}

impl Coupons {
    pub(super) fn is_empty(&self) -> bool {
        self.coupons.is_empty()
    }

    /// The coupon with this serial.
    #[inline]
    pub(super) fn get(&self, serial: u32) -> Option<&Coupon> {
        self.place(serial).map(|place| &self.coupons[place].1)
    }

    /// The same, made if there was none. `phase` as in [`Index::larger`].
    pub(super) fn get_or_default(&mut self, serial: u32, phase: u8) -> &mut Coupon {
        let place = self.place(serial).unwrap_or_else(|| self.add(serial, phase));
        &mut self.coupons[place].1
    }

    /// Asks for where the index says whether there is a coupon with this serial.
    #[inline]
    pub(super) fn prefetch_place(&self, serial: u32) {
        self.index.prefetch(hash(serial));
    }

    /// Asks for the coupon, or for where the next one goes. Best when its place is near.
    #[inline]
    pub(super) fn prefetch(&self, serial: u32) {
        let next = self.coupons.as_ptr().wrapping_add(self.coupons.len());
        let place = self.index.places(hash(serial)).next();
        prefetch(place.and_then(|place| self.coupons.get(place as usize)).map_or(next, std::ptr::from_ref), 1);
    }

    #[inline]
    fn place(&self, serial: u32) -> Option<usize> {
        let mut places = self.index.places(hash(serial)).map(|place| place as usize);
        places.find(|place| self.coupons[*place].0 == serial)
    }

    fn add(&mut self, serial: u32, phase: u8) -> usize {
        let place = self.coupons.len();
        if !self.index.has_room(place) {
            let mut larger = self.index.larger(phase);
            (0..).zip(&self.coupons).for_each(|(place, (serial, _))| larger.insert(hash(*serial), place));
            self.index = larger;
        }
        self.index.insert(hash(serial), u32::try_from(place).expect("fewer coupons than serials"));
        self.coupons.push((serial, Coupon::default()));
        place
    }
}

/// The server chooses serials, so nobody can make them collide: a multiplication is enough (Fibonacci hashing, Knuth,
/// *The Art of Computer Programming* 3, §6.4).
#[inline]
fn hash(serial: u32) -> u64 {
    u64::from(serial).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::super::coupon::{Action, CouponState};
    use super::*;

    #[test]
    fn each_serial_has_its_own_coupon_and_keeps_it_while_the_index_grows() {
        let mut coupons = Coupons::default();
        assert!(coupons.is_empty() && coupons.get(0).is_none());
        // Neighbours, and serials far apart.
        let serials = (0..1_000).chain((0..1_000).map(|index| u32::MAX - index * 4_096)).collect::<Vec<_>>();
        for serial in &serials {
            coupons.prefetch(*serial);
            coupons.get_or_default(*serial, 128).apply(Action::Lock, u64::from(*serial), None, None);
            coupons.prefetch_place(*serial);
        }
        for serial in &serials {
            assert_eq!(coupons.get(*serial).map(|coupon| coupon.state), Some(CouponState::Locked((*serial).into())));
            coupons.get_or_default(*serial, 128).apply(Action::Redeem, u64::from(*serial), None, None);
            assert_eq!(coupons.get(*serial).map(|coupon| coupon.state), Some(CouponState::Redeemed((*serial).into())));
        }
        assert!(coupons.get(1_000).is_none() && coupons.coupons.len() == serials.len());
    }

    #[test]
    fn two_serials_that_a_small_index_cannot_tell_apart_have_two_coupons() {
        let (first, second) = (11_043_111, 2_899_875_181);
        let mut coupons = Coupons::default();
        coupons.get_or_default(first, 0).apply(Action::Lock, 1, None, None);
        assert_eq!(coupons.index.places(hash(second)).collect::<Vec<_>>(), [0], "the index takes one for the other");
        assert!(coupons.get(second).is_none());
        coupons.get_or_default(second, 0).apply(Action::Void, 2, None, None);
        let states = [first, second].map(|serial| coupons.get(serial).map(|coupon| coupon.state));
        assert_eq!(states, [Some(CouponState::Locked(1)), Some(CouponState::Voided)]);
    }
}
