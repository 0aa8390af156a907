//! Claims of a restart, taken in without a look and looked at shard by shard when all are there.
//!
//! A journal names users in no order. Looked up one by one as they come, each waits for memory, and the index grows and
//! is built again many times. Put aside first, the claims of one shard are then looked at together: its index is made
//! once, in its final size, and stays in the processor's cache meanwhile. (Ten million claims on two processors, 22
//! November 2026: see docs/performance.md.) What became of the claims follows in the order of the journal.

use super::redeem::CouponChange;
use crate::types::{Epoch, RequestId, UserId};

/// What a claim that was put aside breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The request was granted before.
    Repeated {
        /// Of whom.
        user: UserId,
        /// Which.
        request: RequestId,
    },
    /// The user holds more than the limit.
    OverLimit {
        /// Who.
        user: UserId,
        /// How much, this claim included.
        units: u32,
    },
    /// Something happens to a claim or a coupon that cannot happen to it.
    Impossible {
        /// Of whom.
        user: UserId,
        /// The request, or the serial.
        what: u64,
        /// What happens.
        step: &'static str,
    },
}

/// What became of a claim.
#[derive(Clone, Copy, Debug)]
pub enum Move {
    /// The reservation was confirmed.
    Confirm,
    /// It was cancelled. Its units came back under other serials, or could not.
    Cancel {
        /// They could not.
        stranded: bool,
    },
    /// Its time passed; the same.
    Lapse {
        /// They could not.
        stranded: bool,
    },
    /// It lives longer.
    Extend {
        /// Until then, in milliseconds of the running clock.
        due_ms: u64,
        /// The time that was asked for.
        ttl_s: u16,
    },
    /// It was cancelled before it came.
    Mark,
    /// Something happened to a coupon of it.
    Coupon(CouponChange),
}

/// A move that was put aside. The request is 0 where a coupon is meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct StagedMove {
    pub(super) user: UserId,
    pub(super) request: RequestId,
    pub(super) epoch: Epoch,
    pub(super) moved: Move,
}

/// Which epochs brought the claims of a shard that were put aside; none = it has no such claims.
#[derive(Default)]
pub(super) struct Staged {
    /// From which claim on which epoch.
    epochs: Vec<(usize, Epoch)>,
    pub(super) moves: Vec<StagedMove>,
}

impl Staged {
    /// Claim number `claim` comes from `epoch`.
    #[inline]
    pub(super) fn note(&mut self, claim: usize, epoch: Epoch) {
        if self.epochs.last().is_none_or(|(_, last)| *last != epoch) {
            self.epochs.push((claim, epoch));
        }
    }

    /// Something became of a claim.
    pub(super) fn note_move(&mut self, user: UserId, request: RequestId, moved: Move, epoch: Epoch) {
        self.moves.push(StagedMove { user, request, epoch, moved });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.epochs.is_empty() && self.moves.is_empty()
    }

    /// The epoch that brought the claim with this number.
    pub(super) fn epoch(&self, claim: usize) -> Epoch {
        let after = self.epochs.partition_point(|(first, _)| *first <= claim);
        after.checked_sub(1).map_or(0, |at| self.epochs[at].1)
    }
}
