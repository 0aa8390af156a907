//! How many units of a batch one user may hold.

use std::sync::Arc;

use crate::wire::batches::Shown;

/// The limit of every batch, 0 = unlimited. Batches that the run created have the same one: then no claim has to look
/// its batch up among a million.
#[derive(Clone, Debug)]
pub enum UserLimits {
    /// All batches have this one.
    Same(u32),
    /// By index of the batch.
    Each(Arc<[u32]>),
}

impl UserLimits {
    /// The limits of `batches`, at least one.
    #[must_use]
    pub fn new(batches: &[Shown]) -> Self {
        Self::told_by(batches, |batch| batch.per_user)
    }

    /// How much of `batches` one user may take on one day.
    #[must_use]
    pub fn of_a_day(batches: &[Shown]) -> Self {
        Self::told_by(batches, |batch| batch.per_user_day)
    }

    fn told_by(batches: &[Shown], limit: fn(&Shown) -> u32) -> Self {
        let first = batches.first().map_or(0, limit);
        if batches.iter().all(|batch| limit(batch) == first) {
            UserLimits::Same(first)
        } else {
            UserLimits::Each(batches.iter().map(limit).collect())
        }
    }

    /// The limit of the batch whose index `batch` says, if it has to be known; `None` = unlimited.
    #[inline]
    pub fn of(&self, batch: impl FnOnce() -> u32) -> Option<u32> {
        let limit = match self {
            UserLimits::Same(limit) => *limit,
            UserLimits::Each(limits) => limits[batch() as usize],
        };
        Some(limit).filter(|limit| *limit != 0)
    }

    /// Whether no batch has one.
    #[must_use]
    pub fn are_none(&self) -> bool {
        match self {
            UserLimits::Same(limit) => *limit == 0,
            UserLimits::Each(limits) => limits.iter().all(|limit| *limit == 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_user: &[u32]) -> UserLimits {
        let shown = |per_user: &u32| Shown { per_user: *per_user, ..Shown::default() };
        UserLimits::new(&per_user.iter().map(shown).collect::<Vec<_>>())
    }

    #[test]
    fn a_batch_is_looked_up_only_where_limits_differ() {
        let never = || unreachable!("all have the same");
        assert_eq!((limits(&[2, 2, 2]).of(never), limits(&[0, 0]).of(never)), (Some(2), None));
        let differing = limits(&[1, 0, 3]);
        assert_eq!([0, 1, 2].map(|batch| differing.of(|| batch)), [Some(1), None, Some(3)]);
        assert_eq!([limits(&[0, 0]).are_none(), differing.are_none(), limits(&[1]).are_none()], [true, false, false]);
    }
}
