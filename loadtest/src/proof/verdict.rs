//! What the verification found: numbers that must all be zero, and for each batch how it adds up.

use serde::Serialize;
use stockade_protocol::batch::State;

use crate::limits::BATCHES_LISTED_MAX;
use crate::proof::books::Books;
use crate::wire::batches::Shown;

/// Lost grants that the report names; it counts all.
const FINDINGS_MAX: usize = 10;

/// How many of the grants were looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Every one.
    #[default]
    Complete,
    /// An even sample.
    Sampled,
}

impl Mode {
    /// The word for it in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Complete => "complete",
            Mode::Sampled => "sampled",
        }
    }
}

/// The result. It passed when every number that its documentation marks with † is zero.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    /// Whether nothing was wrong.
    pub passed: bool,
    /// Whether every grant was looked up, or a sample.
    pub mode: Mode,
    /// Claims granted, by their answers and by the look-ups of those without one.
    pub granted: u64,
    /// Grants looked up.
    pub looked_up: u64,
    /// † Units granted beyond a batch's total, or taken beyond what a day has.
    pub oversold: u64,
    /// † Units that are neither left nor held by a claim we know of, and units left in a batch that answered
    /// `SOLD_OUT`.
    pub undersold: u64,
    /// † Acknowledged grants that the server does not know any more, or knows differently.
    pub lost: u64,
    /// † Grants whose serial another claim has.
    pub duplicate_serials: u64,
    /// † Users who hold more than their batch allows, counted from the grants (a user once per batch).
    pub over_limit: u64,
    /// † Grants whose own answer showed a user above the limit.
    pub over_limit_answers: u64,
    /// Replays that brought the original serial again.
    pub replays_verified: u64,
    /// † Answers to a granted claim that were not its replay.
    pub replay_mismatches: u64,
    /// † Difference between the grants that we know of and those that the server counted.
    pub counter_mismatch: u64,
    /// † Batches whose total is not granted + held + voided + remaining, or that have less granted than before.
    pub unbalanced_batches: u64,
    /// † Batches that were ended and are not closed, or whose numbers changed by closing them.
    pub changed_by_closing: u64,
    /// † Grants of something else than one unit.
    pub malformed_grants: u64,
    /// Claims without an answer that a look-up found granted.
    pub resolved_granted: u64,
    /// Claims without an answer that a look-up found not granted.
    pub resolved_refused: u64,
    /// † Claims and grants whose look-up got no answer, and pages that never came.
    pub unresolved: u64,
    /// † Answers that contradict what was asked for or answered before: to confirmations, changes of coupons, pages.
    pub wrong_answers: u64,
    /// Reservations that were not confirmed, and coupons that were locked and not redeemed.
    pub abandoned: u64,
    /// Coupons redeemed, by the answers.
    pub redeemed: u64,
    /// How many of them were shown again; of all that were, none may be otherwise (`lost`).
    pub redeemed_shown: u64,
    /// Some of the lost grants.
    pub findings: Vec<Finding>,
    /// Batches that were added up.
    pub batch_count: u64,
    /// All of them, up to a bound; of more, the first ones, but for those at the end that had to make room for batches
    /// that do not add up.
    pub batches: Vec<BatchVerdict>,
    /// How many of the listed ones, from the first on, may be one that adds up.
    #[serde(skip)]
    replaceable: usize,
}

/// A grant that was acknowledged and is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Batch of the claim.
    pub batch: u64,
    /// Its user.
    pub user: u64,
    /// Its request id.
    pub request: u64,
    /// The serial that its answer named.
    pub acknowledged_serial: u32,
    /// What the look-up says.
    pub found: String,
}

/// How one batch adds up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchVerdict {
    /// Its id.
    pub id: u64,
    /// Its state at the end.
    pub state: &'static str,
    /// Units in all.
    pub total: u32,
    /// Units that had been granted before the run.
    pub granted_before: u32,
    /// Units granted to claims of this run, as we know.
    pub granted_known: u64,
    /// Units granted in all, as the server counts.
    pub granted: u32,
    /// Units left, as the server counts.
    pub remaining: u32,
    /// Units reserved, as the server counts.
    pub held: u32,
    /// Units voided, as the server counts.
    pub voided: u32,
    /// Units granted beyond the total, or taken beyond what a day has.
    pub oversold: u64,
    /// Units that are neither left nor known to be held, or left although `SOLD_OUT` was answered.
    pub undersold: u64,
    /// Difference between the server's count and ours.
    pub counter_mismatch: u64,
    /// Whether total = granted + held + voided + remaining.
    pub is_balanced: bool,
}

impl BatchVerdict {
    /// Adds up a batch that was `before` and is `after`. `known` claims of the run were granted, `beyond` of them with
    /// a serial that the batch cannot have; `sold_out` says whether one was refused as sold out.
    #[must_use]
    pub fn new(before: &Shown, after: &Shown, known: u64, beyond: u64, sold_out: bool) -> Self {
        let total = u64::from(after.total);
        let held = u64::from(before.granted) + known;
        let elsewhere = u64::from(after.remaining) + u64::from(after.held) + u64::from(after.voided);
        let taken = total.saturating_sub(elsewhere);
        let today = if after.per_day == 0 { 0 } else { u64::from(after.day_units.saturating_sub(after.per_day)) };
        // Units that were added meanwhile make an earlier SOLD_OUT true.
        let left_in_vain = if sold_out && before.total == after.total { u64::from(after.remaining) } else { 0 };
        Self {
            id: after.id,
            state: after.state.map_or("unknown", State::name),
            total: after.total,
            granted_before: before.granted,
            granted_known: known,
            granted: after.granted,
            remaining: after.remaining,
            held: after.held,
            voided: after.voided,
            oversold: [held, after.granted.into()]
                .map(|granted| granted.saturating_sub(total))
                .into_iter()
                .fold(beyond.max(today), u64::max),
            undersold: taken.saturating_sub(held) + left_in_vain,
            counter_mismatch: held.abs_diff(after.granted.into()),
            is_balanced: total == after.accounted_for() && after.granted >= before.granted,
        }
    }
}

impl BatchVerdict {
    /// Whether nothing is wrong with it.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.is_balanced && self.oversold == 0 && self.undersold == 0 && self.counter_mismatch == 0
    }
}

impl Verification {
    pub(crate) fn add(&mut self, verdict: BatchVerdict) {
        self.oversold += verdict.oversold;
        self.undersold += verdict.undersold;
        self.counter_mismatch += verdict.counter_mismatch;
        self.unbalanced_batches += u64::from(!verdict.is_balanced);
        self.batch_count += 1;
        self.list(verdict);
    }

    /// Lists a batch, in the place of one that adds up if there is no room and it does not.
    fn list(&mut self, verdict: BatchVerdict) {
        if self.batches.len() < BATCHES_LISTED_MAX {
            self.batches.push(verdict);
            self.replaceable = self.batches.len();
        } else if !verdict.adds_up() {
            let right = self.batches[..self.replaceable].iter().rposition(BatchVerdict::adds_up);
            self.replaceable = right.unwrap_or(0);
            if let Some(place) = right {
                self.batches[place] = verdict;
            }
        }
    }

    /// Enters what was found out while the run went on.
    pub(crate) fn take_books(&mut self, books: &Books) {
        self.over_limit_answers = books.over_limit_answers;
        self.replays_verified = books.replays_right;
        self.replay_mismatches = books.replays_wrong;
        self.malformed_grants = books.grants_malformed;
        self.wrong_answers = books.wrong_answers;
    }

    pub(crate) fn note(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    /// What must be zero, by name.
    #[must_use]
    pub fn faults(&self) -> [(&'static str, u64); 13] {
        [
            ("oversold", self.oversold),
            ("undersold", self.undersold),
            ("lost", self.lost),
            ("duplicate serials", self.duplicate_serials),
            ("users over limit", self.over_limit),
            ("answers over limit", self.over_limit_answers),
            ("replay mismatches", self.replay_mismatches),
            ("counter mismatch", self.counter_mismatch),
            ("unbalanced batches", self.unbalanced_batches),
            ("changed by closing", self.changed_by_closing),
            ("malformed grants", self.malformed_grants),
            ("wrong answers", self.wrong_answers),
            ("unresolved", self.unresolved),
        ]
    }

    pub(crate) fn conclude(&mut self) {
        self.passed = self.faults().iter().all(|(_, count)| *count == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(total: u32, granted: u32, remaining: u32) -> Shown {
        Shown { id: 1, state: Some(State::Active), total, granted, remaining, per_user: 1, ..Shown::default() }
    }

    fn verdict(after: Shown, known: u64, beyond: u64, sold_out: bool) -> (u64, u64, u64, bool) {
        let verdict = BatchVerdict::new(&shown(100, 10, 90), &after, known, beyond, sold_out);
        (verdict.oversold, verdict.undersold, verdict.counter_mismatch, verdict.is_balanced)
    }

    #[test]
    fn a_batch_adds_up_or_says_by_how_much_it_does_not() {
        assert_eq!(verdict(shown(100, 30, 70), 20, 0, false), (0, 0, 0, true));
        assert_eq!(verdict(shown(100, 100, 0), 90, 0, true), (0, 0, 0, true));
        assert_eq!(verdict(shown(100, 100, 0), 95, 0, true), (5, 0, 5, true), "more answers than units");
        assert_eq!(verdict(shown(100, 105, 0), 95, 0, true), (5, 0, 0, false), "the server says so itself");
        assert_eq!(verdict(shown(100, 30, 70), 20, 3, false), (3, 0, 0, true), "serials that cannot be");
        assert_eq!(verdict(shown(100, 33, 67), 20, 0, false), (0, 3, 3, true), "granted to nobody");
        assert_eq!(verdict(shown(100, 97, 3), 87, 0, true), (0, 3, 0, true), "sold out with units left");
        assert_eq!(verdict(shown(103, 100, 3), 90, 0, true), (0, 0, 0, true), "units were added");
        assert_eq!(verdict(shown(100, 30, 69), 20, 0, false), (0, 1, 0, false));
        let held = Shown { held: 4, voided: 1, ..shown(100, 30, 65) };
        assert_eq!(verdict(held, 20, 0, false), (0, 0, 0, true), "reserved and voided units are somewhere");
        assert_eq!(verdict(Shown { voided: 0, ..held }, 20, 0, false), (0, 1, 0, false));
        let today = Shown { per_day: 25, day_units: 27, ..shown(100, 30, 70) };
        assert_eq!(verdict(today, 20, 0, false), (2, 0, 0, true), "more than a day has");
    }

    #[test]
    fn of_many_batches_the_wrong_ones_are_listed_and_all_are_counted() {
        let mut verification = Verification::default();
        let listed = BATCHES_LISTED_MAX as u64;
        let mut add = |id, remaining| {
            let (before, after) = (shown(100, 0, 100), Shown { id, ..shown(100, 100 - remaining, remaining) });
            verification.add(BatchVerdict::new(&before, &after, 0, 0, false));
        };
        (0..listed + 10).for_each(|id| add(id, 100));
        (0..listed + 20).for_each(|id| add(listed + 10 + id, 99));
        assert_eq!((verification.batch_count, verification.counter_mismatch), (2 * listed + 30, listed + 20));
        assert_eq!(verification.batches.len(), BATCHES_LISTED_MAX);
        assert!(verification.batches.iter().all(|batch| !batch.adds_up()), "{:?}", verification.batches);
    }
}
