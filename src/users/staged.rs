//! Claims of a restart, taken in without a look and looked at shard by shard when all are there.
//!
//! A journal names users in no order. Looked up one by one as they come, each waits for memory, and the index grows and
//! is built again many times. Put aside first, the claims of one shard are then looked at together: its index is made
//! once, in its final size, and stays in the processor's cache meanwhile. (Ten million claims on two processors, 22
//! November 2026: see docs/performance.md.)

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
}

/// Which epochs brought the claims of a shard that were put aside; none = it has no such claims.
#[derive(Default)]
pub(super) struct Staged {
    /// From which claim on which epoch.
    epochs: Vec<(usize, Epoch)>,
}

impl Staged {
    /// Claim number `claim` comes from `epoch`.
    #[inline]
    pub(super) fn note(&mut self, claim: usize, epoch: Epoch) {
        if self.epochs.last().is_none_or(|(_, last)| *last != epoch) {
            self.epochs.push((claim, epoch));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// The epoch that brought the claim with this number.
    pub(super) fn epoch(&self, claim: usize) -> Epoch {
        let after = self.epochs.partition_point(|(first, _)| *first <= claim);
        after.checked_sub(1).map_or(0, |at| self.epochs[at].1)
    }
}
