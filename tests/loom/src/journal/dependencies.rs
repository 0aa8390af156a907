//! What an answer waits for: a refusal may leave only when every take that it saw is stored. The stock is the real
//! pool.

use std::sync::Arc;

use loom::thread;

use super::Epochs;
use super::desk::Desk;
use crate::explore::Bound::{Exhaustive, Preemptions};
use crate::explore::{assert_exactly, outcomes};
use crate::stock::{Mode, Pool, Run};
use crate::types::Epoch;

/// When the one who takes announces it, and when the one who looks reads what to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The take is announced before it; the epoch is read after the look.
    Right,
    /// The take is announced after it.
    MarkAfterTake,
    /// The epoch is read before the look.
    NewestBeforeLook,
}

/// Draws a unit for a burst in `epoch`.
fn draw(epochs: &Epochs, epoch: Epoch, pool: &Pool, core: usize, order: Order) -> bool {
    let mark = || epochs.mark(epoch);
    if order == Order::MarkAfterTake {
        let drawn = pool.draw(core, 1, Mode::AllOrNothing, || ()).is_some();
        mark();
        return drawn;
    }
    pool.draw(core, 1, Mode::AllOrNothing, mark).is_some()
}

/// Two cores want the last unit, while the committer closes `rounds` epochs. Returns whether each got it, and whether
/// the one who looked had to wait for nothing.
fn last_unit(order: Order, rounds: usize) -> (bool, bool, bool) {
    let desk = Arc::new(Desk::new(2));
    let pool = Arc::new(Pool::new(2, [Run::new(0, 1)]));

    let (taking, taken_from) = (Arc::clone(&desk), Arc::clone(&pool));
    let taker = thread::spawn(move || {
        let epoch = taking.epochs.enter(0, || ()).0;
        let drawn = draw(&taking.epochs, epoch, &taken_from, 0, order);
        if drawn {
            taking.hand_in(0, epoch);
        }
        taking.epochs.leave(0);
        (drawn, epoch)
    });
    let committing = Arc::clone(&desk);
    let committer = thread::spawn(move || (0..rounds).for_each(|_| _ = committing.commit()));

    let epoch = desk.epochs.enter(1, || ()).0;
    let early = desk.epochs.newest();
    let drawn = draw(&desk.epochs, epoch, &pool, 1, order);
    if drawn {
        desk.hand_in(1, epoch);
    }
    let newest = if order == Order::NewestBeforeLook { early } else { desk.epochs.newest() };
    desk.epochs.leave(1);
    let leaves = desk.epochs.durable() >= newest;
    if leaves {
        assert_eq!(desk.stored(), 1, "an answer left too early: what it depends on is not stored");
    }

    committer.join().expect("a panic ends the whole model");
    let (taken, taken_in) = taker.join().expect("a panic ends the whole model");
    assert!(taken != drawn, "one of both gets the unit");
    let depends_on = if taken { taken_in } else { epoch };
    assert!(newest >= depends_on, "an answer leaves too early: it waits for {newest} and depends on {depends_on}");
    (taken, drawn, leaves)
}

#[test]
fn a_refusal_depends_on_the_take_that_it_saw() {
    let seen = outcomes(Exhaustive, || last_unit(Order::Right, 0));
    assert_exactly(&seen, [(true, false, false), (false, true, false)]);
}

#[test]
fn a_refusal_leaves_when_the_take_that_it_saw_is_stored() {
    let seen = outcomes(Preemptions(3), || last_unit(Order::Right, 2));
    assert_exactly(&seen, [(true, false, false), (false, true, false), (true, false, true), (false, true, true)]);
}

#[test]
#[should_panic(expected = "too early")]
fn a_take_that_is_announced_afterwards_is_overlooked() {
    outcomes(Preemptions(3), || last_unit(Order::MarkAfterTake, 1));
}

#[test]
#[should_panic(expected = "too early")]
fn an_epoch_that_is_read_before_the_look_does_not_cover_it() {
    outcomes(Preemptions(3), || last_unit(Order::NewestBeforeLook, 1));
}
