//! The committer's sleep: every cue is answered by a commit, and nothing is left when it ends.

use std::sync::Arc;

use loom::sync::Notify;
use loom::thread;

use super::cue::Cue;
use super::desk::Desk;
use crate::explore::Bound::{Exhaustive, Preemptions};
use crate::explore::{assert_exactly, outcomes};
use crate::types::Epoch;

/// Each core gives its cues; the last of them is answered before the committer is told to stop. Returns the epochs that
/// the committer closed.
fn cues(cues_of_cores: &[&[Epoch]]) -> Epoch {
    let cue = Arc::new(Cue::new(0));
    let newest = *cues_of_cores.iter().copied().flatten().max().expect("a model with a cue");
    let done = Arc::new(Notify::new());
    let (waiting, answering) = (Arc::clone(&cue), Arc::clone(&done));
    let committer = thread::spawn(move || {
        let mut closed = 0;
        while waiting.wait(closed) {
            closed += 1;
            if closed == newest {
                answering.notify();
            }
        }
        closed
    });
    let others = cues_of_cores[1..].iter().map(|epochs| {
        let (cue, epochs) = (Arc::clone(&cue), epochs.to_vec());
        thread::spawn(move || epochs.into_iter().for_each(|epoch| cue.give(epoch)))
    });
    let others = others.collect::<Vec<_>>();
    cues_of_cores[0].iter().for_each(|epoch| cue.give(*epoch));
    done.wait();
    others.into_iter().for_each(|other| other.join().expect("a panic ends the whole model"));
    cue.stop(committer.thread());
    committer.join().expect("a panic ends the whole model")
}

#[test]
fn a_cue_is_answered() {
    assert_exactly(&outcomes(Exhaustive, || cues(&[&[1]])), [1]);
}

#[test]
fn cues_one_after_the_other_are_answered() {
    assert_exactly(&outcomes(Exhaustive, || cues(&[&[1, 2]])), [2]);
}

#[test]
fn cues_of_two_cores_are_answered() {
    assert_exactly(&outcomes(Preemptions(3), || cues(&[&[1], &[2]])), [2]);
}

#[test]
fn late_cues_for_an_epoch_that_is_closed_do_no_harm() {
    assert_exactly(&outcomes(Preemptions(3), || cues(&[&[2], &[1]])), [2]);
}

/// What was handed in before the stop is committed before the end.
#[test]
fn nothing_is_left_at_the_stop() {
    let model = || {
        let (desk, cue) = (Arc::new(Desk::new(1)), Arc::new(Cue::new(0)));
        let (committing, waiting) = (Arc::clone(&desk), Arc::clone(&cue));
        let committer = thread::spawn(move || {
            let mut closed = 0;
            while waiting.wait(closed) {
                committing.commit();
                closed += 1;
            }
        });
        let epoch = desk.epochs.enter(0, || ()).0;
        desk.hand_in(0, epoch);
        desk.epochs.leave(0);
        cue.give(epoch);
        cue.stop(committer.thread());
        committer.join().expect("a panic ends the whole model");
        desk.stored()
    };
    assert_exactly(&outcomes(Exhaustive, model), [1]);
}
