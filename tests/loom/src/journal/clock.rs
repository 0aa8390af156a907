//! A clock that is read within the epoch: no burst of a later epoch is earlier than one of an epoch before.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use super::Epochs;
use crate::explore::Bound::Exhaustive;
use crate::explore::outcomes;

/// The time, as two bursts read it while the committer closes an epoch. The clock itself goes from 1 to 2 somewhere in
/// between, and only the first burst is sure to see that; the second one must follow it if its epoch is later.
fn two_bursts(read_within: bool) -> ((u64, u64), (u64, u64)) {
    let epochs = Arc::new(Epochs::new(2, 1));
    // The latest time of any burst: what a clock that never goes back is made of.
    let latest = Arc::new(AtomicU64::new(1));
    let now = |latest: &AtomicU64, clock: u64| latest.fetch_max(clock, Ordering::AcqRel).max(clock);
    let enter = move |epochs: &Epochs, latest: &AtomicU64, core: usize, clock: u64| {
        if read_within {
            epochs.enter(core, || now(latest, clock))
        } else {
            let time = now(latest, clock);
            (epochs.enter(core, || ()).0, time)
        }
    };
    let (other_epochs, other_latest) = (Arc::clone(&epochs), Arc::clone(&latest));
    let other = thread::spawn(move || {
        let burst = enter(&other_epochs, &other_latest, 1, 1);
        other_epochs.leave(1);
        burst
    });
    let (closing, closer) = (Arc::clone(&epochs), thread::spawn);
    let committer = closer(move || closing.close());
    let first = enter(&epochs, &latest, 0, 2);
    epochs.leave(0);
    let _closed = committer.join().expect("a panic ends the whole model");
    (first, other.join().expect("a panic ends the whole model"))
}

fn is_in_order(((first_epoch, first), (second_epoch, second)): ((u64, u64), (u64, u64))) -> bool {
    (first_epoch <= second_epoch || first >= second) && (second_epoch <= first_epoch || second >= first)
}

#[test]
fn a_later_epoch_is_never_earlier() {
    let seen = outcomes(Exhaustive, || two_bursts(true));
    assert!(seen.iter().all(|bursts| is_in_order(*bursts)), "{seen:?}");
    assert!(seen.contains(&((1, 2), (2, 2))) && seen.contains(&((1, 2), (1, 1))), "both sides are reached: {seen:?}");
}

#[test]
fn a_clock_that_is_read_before_entering_is_found_out() {
    let seen = outcomes(Exhaustive, || two_bursts(false));
    assert!(seen.iter().any(|bursts| !is_in_order(*bursts)), "{seen:?}");
}
