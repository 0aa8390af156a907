//! Entering, leaving, closing: the committer never collects while a burst is inside, and every record is collected with
//! the epoch that its burst was in.

use std::sync::Arc;

use loom::thread;

use super::desk::Desk;
use crate::explore::Bound::{Exhaustive, Preemptions};
use crate::explore::{Bound, outcomes};
use crate::types::Epoch;

/// `cores` threads with so many bursts each, against `rounds` of the committer. Returns the epochs of the bursts.
fn bursts_against_rounds(cores: usize, bursts: usize, rounds: usize) -> Vec<Vec<Epoch>> {
    let desk = Arc::new(Desk::new(cores));
    let burst = |desk: &Desk, core: usize| {
        let epoch = desk.epochs.enter(core, || ()).0;
        desk.hand_in(core, epoch);
        desk.epochs.leave(core);
        epoch
    };
    let threads = (0..cores).map(|core| {
        let desk = Arc::clone(&desk);
        thread::spawn(move || (0..bursts).map(|_| burst(&desk, core)).collect::<Vec<_>>())
    });
    let threads = threads.collect::<Vec<_>>();
    let mut collected = (0..rounds).map(|_| desk.commit()).sum::<u64>();
    let epochs = threads.into_iter().map(|thread| thread.join().expect("a panic ends the whole model"));
    let epochs = epochs.collect::<Vec<_>>();
    collected += desk.commit() + desk.commit();
    assert_eq!(collected, (cores * bursts) as u64, "records were lost, or collected twice");
    epochs
}

/// Explores and asserts that bursts came into the first and into the last possible epoch.
fn explore(bound: Bound, cores: usize, bursts: usize, rounds: usize) {
    let seen = outcomes(bound, move || bursts_against_rounds(cores, bursts, rounds));
    let epochs = seen.iter().flatten().flatten();
    assert!(epochs.clone().any(|epoch| *epoch == 1) && epochs.max() == Some(&(rounds as Epoch + 1)));
}

#[test]
fn one_burst_against_two_rounds() {
    explore(Exhaustive, 1, 1, 2);
}

#[test]
fn three_bursts_against_two_rounds() {
    explore(Preemptions(4), 1, 3, 2);
}

#[test]
fn two_bursts_against_three_rounds() {
    explore(Preemptions(4), 1, 2, 3);
}

#[test]
fn two_cores_against_two_rounds() {
    explore(Preemptions(3), 2, 1, 2);
}
