//! What the answers say that cannot be found out afterwards, kept while the run goes on: the half of the verification
//! that must not wait until the end. It touches nothing that belongs to one batch, except for a refusal: of a million
//! batches, each touch would be a miss of the processor's cache.

use stockade_protocol::claim::ClaimReply;

use crate::proof::user_limits::UserLimits;

/// One thread's record of all batches.
#[derive(Clone, Debug)]
pub struct Books {
    limits: UserLimits,
    /// By index of the batch: whether a claim was refused as sold out.
    sold_out: Vec<bool>,
    /// Grants whose answer showed a user with more units than he may hold.
    pub over_limit_answers: u64,
    /// Replays of granted claims that brought the same serial again.
    pub replays_right: u64,
    /// Answers to an already granted claim that were not its replay: another serial, a refusal, a second grant.
    pub replays_wrong: u64,
    /// Grants that are not what was asked for: one unit, in one run.
    pub grants_malformed: u64,
}

impl Books {
    /// Empty books for so many batches with these limits.
    #[must_use]
    pub fn new(limits: UserLimits, batches: usize) -> Self {
        Self {
            limits,
            sold_out: vec![false; batches],
            over_limit_answers: 0,
            replays_right: 0,
            replays_wrong: 0,
            grants_malformed: 0,
        }
    }

    /// A claim was granted for the first time; `batch` is the index of its batch, if that has to be known.
    #[inline]
    pub fn grant(&mut self, reply: &ClaimReply, batch: impl FnOnce() -> u32) {
        let limit = self.limits.of(batch);
        self.over_limit_answers += u64::from(limit.is_some_and(|limit| reply.user_units.get() > limit));
        self.grants_malformed += u64::from(reply.granted != 1 || reply.run != 1 || reply.is_split());
    }

    /// A claim on batch `index` was refused as sold out.
    pub fn sold_out(&mut self, index: u32) {
        self.sold_out[index as usize] = true;
    }

    /// Whether a claim on batch `index` was refused as sold out.
    #[must_use]
    pub fn is_sold_out(&self, index: u32) -> bool {
        self.sold_out[index as usize]
    }

    /// Adds the books of another thread.
    pub fn absorb(&mut self, other: &Books) {
        self.sold_out.iter_mut().zip(&other.sold_out).for_each(|(mine, theirs)| *mine |= theirs);
        self.over_limit_answers += other.over_limit_answers;
        self.replays_right += other.replays_right;
        self.replays_wrong += other.replays_wrong;
        self.grants_malformed += other.grants_malformed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_threads_saw_adds_up() {
        let (mut first, mut second) = (Books::new(UserLimits::Same(1), 3), Books::new(UserLimits::Same(1), 3));
        let mut above = ClaimReply::granted(1, 7, 1);
        above.user_units = 2.into();
        first.grant(&above, || 0);
        second.grant(&above, || 1);
        second.grant(&ClaimReply::granted(2, 7, 2), || 1);
        first.sold_out(0);
        second.sold_out(2);
        first.absorb(&second);
        assert_eq!((first.over_limit_answers, first.grants_malformed), (2, 1));
        assert_eq!([0, 1, 2].map(|index| first.is_sold_out(index)), [true, false, true]);
    }
}
