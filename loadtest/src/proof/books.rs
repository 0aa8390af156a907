//! What the answers say that cannot be found out afterwards, kept while the run goes on: the half of the verification
//! that must not wait until the end. It touches nothing that belongs to one batch, except for a refusal: of a million
//! batches, each touch would be a miss of the processor's cache.

use stockade_protocol::claim::ClaimReply;

use crate::proof::user_limits::UserLimits;

/// One thread's record of all batches.
#[derive(Clone, Debug)]
pub struct Books {
    limits: UserLimits,
    day_limits: UserLimits,
    /// By index of the batch: whether a claim was refused as sold out.
    sold_out: Vec<bool>,
    /// Grants whose answer showed a user with more units than he may hold, or may take on a day.
    pub over_limit_answers: u64,
    /// Replays of granted claims that brought the same serial again.
    pub replays_right: u64,
    /// Answers to an already granted claim that were not its replay: another serial, a refusal, a second grant.
    pub replays_wrong: u64,
    /// Grants that are not what was asked for: one unit, in one run.
    pub grants_malformed: u64,
    /// Answers that said yes to another thing than was asked for: a confirmation with another serial, a coupon in
    /// another state, a wallet's page without coupons that the user has, a second answer.
    pub wrong_answers: u64,
}

impl Books {
    /// Empty books for so many batches with these limits.
    #[must_use]
    pub fn new(limits: UserLimits, batches: usize) -> Self {
        Self {
            limits,
            day_limits: UserLimits::Same(0),
            sold_out: vec![false; batches],
            over_limit_answers: 0,
            replays_right: 0,
            replays_wrong: 0,
            grants_malformed: 0,
            wrong_answers: 0,
        }
    }

    /// The same, of batches with these limits of a day.
    #[must_use]
    pub fn with_day_limits(self, day_limits: UserLimits) -> Self {
        Self { day_limits, ..self }
    }

    /// A claim was granted for the first time; `batch` is the index of its batch, if that has to be known.
    #[inline]
    pub fn grant(&mut self, reply: &ClaimReply, batch: impl Fn() -> u32) {
        // A user with so many units that they do not fit the answer is shown with fewer: that accuses nobody.
        let exceeds = |units: u16, limit: Option<u32>| limit.is_some_and(|limit| u32::from(units) > limit);
        let is_over = exceeds(reply.user_units.get(), self.limits.of(&batch))
            || exceeds(reply.day_units.get(), self.day_limits.of(&batch));
        self.over_limit_answers += u64::from(is_over);
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
        self.wrong_answers += other.wrong_answers;
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

    #[test]
    fn a_day_has_a_limit_of_its_own() {
        let mut books = Books::new(UserLimits::Same(0), 1).with_day_limits(UserLimits::Same(2));
        let mut reply = ClaimReply::granted(1, 7, 1);
        for (today, over) in [(2, 0), (3, 1)] {
            (reply.user_units, reply.day_units) = (9.into(), today.into());
            books.grant(&reply, || 0);
            assert_eq!(books.over_limit_answers, over);
        }
    }
}
