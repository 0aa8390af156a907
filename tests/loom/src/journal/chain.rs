//! The whole way of an answer: a burst is decided, its epoch is wanted, committed and announced, its core is woken.
//! Nobody sleeps for ever, and nobody is answered before what the answer depends on is stored.

use std::sync::Arc;

use loom::sync::Notify;
use loom::thread;

use super::Wake;
use super::cue::Cue;
use super::desk::Desk;
use super::waiter::Waiter;
use crate::explore::Bound::{Exhaustive, Preemptions};
use crate::explore::{assert_exactly, outcomes};
use crate::stock::{Mode, Pool, Run};
use crate::types::Epoch;

struct Chain {
    desk: Desk,
    cue: Cue,
    waiters: Vec<Waiter>,
    bells: Vec<Arc<Notify>>,
}

struct Bell(Arc<Notify>);

impl Wake for Bell {
    fn wake(&self) {
        self.0.notify();
    }
}

impl Chain {
    fn new(cores: usize) -> Arc<Self> {
        let bells = (0..cores).map(|_| Arc::new(Notify::new())).collect::<Vec<_>>();
        let waiter = |bell: &Arc<Notify>| {
            let waiter = Waiter::new();
            waiter.set_wake(Box::new(Bell(Arc::clone(bell))));
            waiter
        };
        let waiters = bells.iter().map(waiter).collect();
        Arc::new(Self { desk: Desk::new(cores), cue: Cue::new(0), waiters, bells })
    }

    /// The committer's life.
    fn commit(&self) {
        let mut closed = 0;
        while self.cue.wait(closed) {
            self.desk.commit();
            closed += 1;
            self.waiters.iter().for_each(|waiter| waiter.wake(closed));
        }
    }

    fn wait(&self, core: usize, epoch: Epoch) {
        while !self.waiters[core].wait(epoch, &self.desk.epochs) {
            self.bells[core].wait();
        }
    }

    /// A claim for one unit, to its answer. What answers is stored by then.
    fn claim(&self, core: usize, pool: &Pool) -> bool {
        let epochs = &self.desk.epochs;
        let epoch = epochs.enter(core, || ()).0;
        let mut marked = false;
        let mark = || {
            epochs.mark(epoch);
            marked = true;
        };
        let drawn = pool.draw(core, 1, Mode::AllOrNothing, mark).is_some();
        if drawn {
            self.desk.hand_in(core, epoch);
        }
        let newest = epochs.newest();
        epochs.leave(core);
        if marked {
            self.cue.give(epoch);
        }
        self.wait(core, newest);
        assert_eq!(self.desk.stored(), 1, "an answer before what it depends on was stored");
        drawn
    }

    /// A change that forbids, to its answer.
    fn forbid(&self, core: usize) {
        let epochs = &self.desk.epochs;
        let epoch = epochs.enter(core, || ()).0;
        epochs.mark(epoch);
        self.desk.hand_in(core, epoch);
        let wanted = epochs.barrier();
        let newest = epochs.newest();
        epochs.leave(core);
        self.cue.give(wanted);
        self.wait(core, newest);
        assert!(self.desk.stored() >= 1, "an answer before its record was stored");
    }
}

#[test]
fn a_claim_is_answered() {
    let model = || {
        let (chain, pool) = (Chain::new(1), Pool::new(1, [Run::new(0, 1)]));
        let committing = Arc::clone(&chain);
        let committer = thread::spawn(move || committing.commit());
        let answers = [chain.claim(0, &pool), chain.claim(0, &pool)];
        chain.cue.stop(committer.thread());
        committer.join().expect("a panic ends the whole model");
        answers
    };
    assert_exactly(&outcomes(Exhaustive, model), [[true, false]]);
}

#[test]
fn two_claims_for_one_unit_are_answered() {
    let model = || {
        let (chain, pool) = (Chain::new(2), Arc::new(Pool::new(2, [Run::new(0, 1)])));
        let (committing, claiming, from) = (Arc::clone(&chain), Arc::clone(&chain), Arc::clone(&pool));
        let committer = thread::spawn(move || committing.commit());
        let other = thread::spawn(move || claiming.claim(1, &from));
        let answers = [chain.claim(0, &pool), other.join().expect("a panic ends the whole model")];
        chain.cue.stop(committer.thread());
        committer.join().expect("a panic ends the whole model");
        answers
    };
    assert_exactly(&outcomes(Preemptions(2), model), [[true, false], [false, true]]);
}

#[test]
fn a_pause_is_answered() {
    let model = || {
        let chain = Chain::new(2);
        let (committing, pausing) = (Arc::clone(&chain), Arc::clone(&chain));
        let committer = thread::spawn(move || committing.commit());
        let other = thread::spawn(move || pausing.forbid(1));
        chain.forbid(0);
        other.join().expect("a panic ends the whole model");
        chain.cue.stop(committer.thread());
        committer.join().expect("a panic ends the whole model");
        chain.desk.stored()
    };
    assert_exactly(&outcomes(Preemptions(2), model), [2]);
}
