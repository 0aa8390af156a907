//! The power goes while several clients claim, retry, and operate on a few hot batches. After each restart everything
//! that was answered holds, and nothing was sold twice.
//!
//! `STOCKADE_CRASH_ROUNDS` sets the number of losses of power.

use crate::support::history::{CRASHES, Tally, run};
use stockade_protocol::Status;

/// Losses of power when nothing else is asked for.
const ROUNDS: u64 = 600;

/// Every answer that a claim or a look-up can get here.
const ANSWERS: [Status; 12] = [
    Status::Granted,
    Status::BatchUnknown,
    Status::QuantityInvalid,
    Status::RequestConflict,
    Status::RequestUnknown,
    Status::BatchDraft,
    Status::NotStarted,
    Status::Paused,
    Status::Ended,
    Status::Closed,
    Status::LimitReached,
    Status::SoldOut,
];

#[test]
fn nothing_answered_is_lost_and_nothing_is_sold_twice() {
    let rounds = std::env::var("STOCKADE_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let mut tally = Tally::default();
    for seed in 0..rounds.div_ceil(CRASHES) {
        let violations = run(seed, |_, may_leave| may_leave, &mut tally);
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    }
    if rounds >= ROUNDS {
        // Otherwise nothing was tried.
        let missing = ANSWERS.iter().filter(|status| !tally.sent.contains_key(status)).collect::<Vec<_>>();
        assert!(missing.is_empty(), "nobody was told {missing:?}: {tally:?}");
        let stakes = [tally.losses, tally.lucky, tally.split, tally.unanswered, tally.checkpoints, tally.condensed];
        let least = stakes.into_iter().min();
        assert!(least >= Some(ROUNDS / 20), "too little was at stake: {tally:?}");
    }
}
