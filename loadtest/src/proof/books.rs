//! What the answers say that a batch gave away, kept while the run goes on: the half of the verification that must not
//! wait until the end.

use stockade_protocol::claim::ClaimReply;

use crate::proof::serials::SerialSet;

/// One thread's record of all batches.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// By index of the batch.
    pub batches: Vec<BatchBook>,
    /// Replays of granted claims that brought the same serial again.
    pub replays_right: u64,
    /// Answers to an already granted claim that were not its replay: another serial, a refusal, a second grant.
    pub replays_wrong: u64,
    /// Grants that are not what was asked for: one unit, in one run.
    pub grants_malformed: u64,
}

/// One thread's record of one batch.
#[derive(Clone, Debug, Default)]
pub struct BatchBook {
    /// Claims granted; each counts once however often it was answered.
    pub granted: u64,
    /// Serials of these grants.
    pub serials: SerialSet,
    /// Grants whose serial another claim has.
    pub duplicates: u64,
    /// Units that one user may hold; 0 = unlimited.
    pub per_user: u32,
    /// Grants whose answer showed a user with more units than that.
    pub over_limit_answers: u64,
    /// Whether a claim was refused as sold out.
    pub sold_out: bool,
}

impl Books {
    /// Empty books for batches with these limits per user (0 = unlimited).
    #[must_use]
    pub fn new(per_user: &[u32]) -> Self {
        let batches = per_user.iter().map(|limit| BatchBook { per_user: *limit, ..BatchBook::default() });
        Self { batches: batches.collect(), ..Self::default() }
    }

    /// A claim on batch `batch_index` was granted for the first time.
    #[inline]
    pub fn grant(&mut self, batch_index: u32, reply: &ClaimReply) {
        let book = &mut self.batches[batch_index as usize];
        book.granted += 1;
        book.duplicates += u64::from(!book.serials.insert(reply.serial.get()));
        book.over_limit_answers += u64::from(book.per_user != 0 && reply.user_units.get() > book.per_user);
        self.grants_malformed += u64::from(reply.granted != 1 || reply.run != 1 || reply.is_split());
    }

    /// Adds the books of another thread: serials that both have are duplicates.
    pub fn absorb(&mut self, other: Books) {
        for (mine, theirs) in self.batches.iter_mut().zip(other.batches) {
            mine.granted += theirs.granted;
            mine.duplicates += theirs.duplicates + mine.serials.absorb(theirs.serials);
            mine.over_limit_answers += theirs.over_limit_answers;
            mine.sold_out |= theirs.sold_out;
        }
        self.replays_right += other.replays_right;
        self.replays_wrong += other.replays_wrong;
        self.grants_malformed += other.grants_malformed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_that_two_threads_saw_is_a_duplicate() {
        let (mut first, mut second) = (Books::new(&[1, 0]), Books::new(&[1, 0]));
        for serial in [1, 2, 3] {
            first.grant(0, &ClaimReply::granted(1, serial, 1));
            second.grant(0, &ClaimReply::granted(1, serial + 2, 1));
            second.grant(1, &ClaimReply::granted(1, serial, 1));
        }
        second.batches[1].sold_out = true;
        first.absorb(second);
        let counts =
            first.batches.iter().map(|book| (book.granted, book.duplicates, book.sold_out)).collect::<Vec<_>>();
        assert_eq!(counts, [(6, 1, false), (3, 0, true)], "serials of different batches have nothing in common");
    }
}
