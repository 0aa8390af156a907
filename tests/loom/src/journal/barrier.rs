//! The barrier of a pause: once it is answered, no burst that found the gate open is still at work.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::desk::Desk;
use crate::explore::Bound::Preemptions;
use crate::explore::{assert_exactly, outcomes};

/// What the one who closes the gate does about bursts that are under way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Barrier {
    /// Waits for them.
    AfterGate,
    /// Waits for those that began before something else.
    BeforeGate,
    /// Waits for its own epoch only.
    None,
}

/// A pause on core 0 against a claim on core 1, while the committer closes two epochs. Returns whether the pause was
/// answered and whether the claim was granted.
fn pause(barrier: Barrier) -> (bool, bool) {
    let desk = Arc::new(Desk::new(2));
    let open = Arc::new(AtomicBool::new(true));
    let answered = Arc::new(AtomicBool::new(false));

    let (claiming, gate, pause_answered) = (Arc::clone(&desk), Arc::clone(&open), Arc::clone(&answered));
    let claim = thread::spawn(move || {
        let epoch = claiming.epochs.enter(1, || ()).0;
        let granted = gate.load(Ordering::Acquire);
        if granted {
            claiming.epochs.mark(epoch);
            assert!(!pause_answered.load(Ordering::Relaxed), "a claim was granted after the pause was answered");
            claiming.hand_in(1, epoch);
        }
        claiming.epochs.leave(1);
        granted
    });
    let committing = Arc::clone(&desk);
    let committer = thread::spawn(move || (0..2).for_each(|_| _ = committing.commit()));

    let epoch = desk.epochs.enter(0, || ()).0;
    desk.epochs.mark(epoch);
    if barrier == Barrier::BeforeGate {
        let _published_later = desk.epochs.barrier();
    }
    open.store(false, Ordering::Release);
    desk.hand_in(0, epoch);
    if barrier == Barrier::AfterGate {
        let _published_later = desk.epochs.barrier();
    }
    let newest = desk.epochs.newest();
    desk.epochs.leave(0);
    let leaves = desk.epochs.durable() >= newest;
    answered.store(leaves, Ordering::Relaxed);

    committer.join().expect("a panic ends the whole model");
    (leaves, claim.join().expect("a panic ends the whole model"))
}

#[test]
fn no_claim_is_granted_after_the_answer_to_a_pause() {
    let seen = outcomes(Preemptions(3), || pause(Barrier::AfterGate));
    assert_exactly(&seen, [(false, false), (false, true), (true, false), (true, true)]);
}

#[test]
#[should_panic(expected = "after the pause was answered")]
fn without_a_barrier_a_burst_goes_on() {
    outcomes(Preemptions(3), || pause(Barrier::None));
}

#[test]
#[should_panic(expected = "after the pause was answered")]
fn a_barrier_before_the_gate_is_too_early() {
    outcomes(Preemptions(3), || pause(Barrier::BeforeGate));
}
