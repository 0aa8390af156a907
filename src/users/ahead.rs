//! Memory that a request will need is asked for ahead. Nothing here decides anything: what is not near yet, or behind a
//! lock that somebody holds, is left out.

use super::index::home;
use super::slot::Phase;
use super::table::{ClaimRef, HashedUser, Users, lane};
use crate::prefetch::prefetch;

use std::sync::atomic::Ordering;

/// Words of the index that a look-up of a new user reads, rounded up to whole cache lines.
const WORDS_AHEAD: usize = 32;

/// Claims that are looked at, or written, at once.
pub(super) const SLOTS_AHEAD: usize = 3;

impl Users {
    /// Asks the processor for the lock of a user's shard, and for where its memory lies.
    #[inline]
    pub fn prefetch_lane(&self, HashedUser { hash, .. }: HashedUser) {
        let Some(lanes) = self.lanes.get() else { return };
        prefetch(lane(lanes, hash), 1);
    }

    /// Asks for the memory that a look at a user, and a grant to them, will need. Best when the lane is near.
    #[inline]
    pub fn prefetch(&self, HashedUser { hash, .. }: HashedUser) {
        let Some(lanes) = self.lanes.get() else { return };
        let lane = lane(lanes, hash);
        let (words, length) = (lane.words.load(Ordering::Relaxed), lane.length.load(Ordering::Relaxed));
        if length > 0 {
            prefetch(words.wrapping_add(home(hash, length)), WORDS_AHEAD);
        }
        prefetch(lane.claims.load(Ordering::Relaxed), SLOTS_AHEAD);
    }

    /// Asks for the claims that a look at a user will find, and for where the coupon with a serial is to be found.
    /// Worth its lock only where such are expected; best when what [`Users::prefetch`] asks for is near.
    #[inline]
    pub fn prefetch_claims(&self, HashedUser { hash, .. }: HashedUser, serial: Option<u32>) {
        let Some(lanes) = self.lanes.get() else { return };
        if let Some(shard) = lane(lanes, hash).shard.try_lock() {
            shard.index().places(hash).for_each(|place| prefetch(shard.claims().get(place), 1));
            if let (Some(serial), Some(rare)) = (serial, &shard.rare) {
                rare.coupons.prefetch_place(serial);
            }
        }
    }

    /// Asks for what is known of a user's coupon. Best when its place is near.
    #[inline]
    pub fn prefetch_coupon(&self, HashedUser { hash, .. }: HashedUser, serial: u32) {
        let Some(lanes) = self.lanes.get() else { return };
        if let Some(shard) = lane(lanes, hash).shard.try_lock()
            && let Some(rare) = &shard.rare
        {
            rare.coupons.prefetch(serial);
        }
    }

    /// Asks for a claim.
    pub fn prefetch_at(&self, at: ClaimRef) {
        let Some(lane) = self.lanes.get().and_then(|lanes| lanes.get(usize::from(at.lane))) else { return };
        if let Some(shard) = lane.shard.try_lock().filter(|shard| !shard.is_closed()) {
            prefetch(shard.claims().get(at.place), 1);
        }
    }

    /// Asks for what a look at the user of a claim reads, and for what is known of the claim while it is reserved. Best
    /// when the claim is near.
    pub fn prefetch_user_at(&self, at: ClaimRef) {
        let Some(lane) = self.lanes.get().and_then(|lanes| lanes.get(usize::from(at.lane))) else { return };
        if let Some(shard) = lane.shard.try_lock().filter(|shard| !shard.is_closed()) {
            let slot = shard.claims().get(at.place);
            shard.index().prefetch(self.hashed(slot.user).hash);
            if slot.phase() == Phase::Reserved {
                prefetch(shard.rare().holds.get(slot.place), 1);
            }
        }
    }
}
