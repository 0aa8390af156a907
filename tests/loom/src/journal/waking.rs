//! Waiting for durability: a core that asked is woken.

use std::sync::Arc;

use loom::sync::Notify;
use loom::thread;

use super::waiter::Waiter;
use super::{Epochs, Wake};
use crate::explore::Bound::Exhaustive;
use crate::explore::{assert_exactly, outcomes};
use crate::types::Epoch;

struct Bell(Arc<Notify>);

impl Wake for Bell {
    fn wake(&self) {
        self.0.notify();
    }
}

/// Waits for `epoch` as a core does: asks, and sleeps unless it is durable already.
fn wait(waiter: &Waiter, epochs: &Epochs, bell: &Notify, epoch: Epoch) {
    while !waiter.wait(epoch, epochs) {
        bell.wait();
    }
}

/// Looks first and asks then.
fn wait_wrong(waiter: &Waiter, epochs: &Epochs, bell: &Notify, epoch: Epoch) {
    while epochs.durable() < epoch {
        let _looked_before = waiter.wait(epoch, epochs);
        bell.wait();
    }
}

/// One core waits for these epochs, one after the other, while the committer makes `durable` of them durable. Returns
/// whether the core slept.
fn core_against_committer(
    epochs_to_wait_for: &[Epoch],
    durable: Epoch,
    wait: fn(&Waiter, &Epochs, &Notify, Epoch),
) -> Epoch {
    let (epochs, waiter, bell) = (Arc::new(Epochs::new(1, 1)), Arc::new(Waiter::new()), Arc::new(Notify::new()));
    waiter.set_wake(Box::new(Bell(Arc::clone(&bell))));
    let (announcing, waking) = (Arc::clone(&epochs), Arc::clone(&waiter));
    let committer = thread::spawn(move || {
        for epoch in 1..=durable {
            announcing.set_durable(epoch);
            waking.wake(epoch);
        }
    });
    epochs_to_wait_for.iter().for_each(|epoch| wait(&waiter, &epochs, &bell, *epoch));
    let seen = epochs.durable();
    committer.join().expect("a panic ends the whole model");
    seen
}

#[test]
fn a_core_that_waits_is_woken() {
    let seen = outcomes(Exhaustive, || core_against_committer(&[1], 1, wait));
    assert_exactly(&seen, [1]);
}

#[test]
fn a_core_that_waits_for_a_later_epoch_is_woken() {
    let seen = outcomes(Exhaustive, || core_against_committer(&[2], 2, wait));
    assert_exactly(&seen, [2]);
}

#[test]
fn a_core_that_waits_again_is_woken_again() {
    let seen = outcomes(Exhaustive, || core_against_committer(&[1, 2], 3, wait));
    assert_exactly(&seen, [2, 3]);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_core_that_looks_before_it_asks_may_sleep_for_ever() {
    outcomes(Exhaustive, || core_against_committer(&[1], 1, wait_wrong));
}
