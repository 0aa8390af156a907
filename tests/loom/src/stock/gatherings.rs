//! Claims for several units, all or none, that must be gathered from several buckets: against draws, against each
//! other.

use super::scene::{Call, race_pool};
use crate::explore::Bound::{Exhaustive, Preemptions};
use crate::explore::{assert_exactly, outcomes};

#[test]
fn one_of_both_gets_what_it_asked_for() {
    let seen = outcomes(Exhaustive, || race_pool(2, 2, &[&[Call::all(0, 2)], &[Call::one(1)]]));
    assert_exactly(&seen, [vec![vec![2], vec![0]], vec![vec![0], vec![1]]]);
}

#[test]
fn a_gathering_that_comes_short_refuses_nobody_else() {
    let seen = outcomes(Exhaustive, || race_pool(3, 3, &[&[Call::all(0, 3)], &[Call::one(1), Call::one(2)]]));
    assert_exactly(&seen, [vec![vec![3], vec![0, 0]], vec![vec![0], vec![1, 1]]]);
}

#[test]
fn a_gathering_that_comes_short_refuses_neither_of_two() {
    let seen = outcomes(Preemptions(4), || race_pool(3, 3, &[&[Call::all(0, 3)], &[Call::one(1)], &[Call::one(2)]]));
    assert_exactly(&seen, [vec![vec![3], vec![0], vec![0]], vec![vec![0], vec![1], vec![1]]]);
}

#[test]
fn one_of_two_gatherings_gets_all() {
    let seen = outcomes(Exhaustive, || race_pool(2, 2, &[&[Call::all(0, 2)], &[Call::all(1, 2)]]));
    assert_exactly(&seen, [vec![vec![2], vec![0]], vec![vec![0], vec![2]]]);
}

#[test]
fn two_gatherings_do_not_starve_each_other() {
    let seen = outcomes(Exhaustive, || race_pool(3, 3, &[&[Call::all(0, 3)], &[Call::all(1, 2)]]));
    assert_exactly(&seen, [vec![vec![3], vec![0]], vec![vec![0], vec![2]]]);
}

#[test]
fn two_gatherings_and_a_draw_share_exactly() {
    let seen = outcomes(Preemptions(3), || race_pool(3, 3, &[&[Call::all(0, 2)], &[Call::all(1, 2)], &[Call::one(2)]]));
    assert_exactly(&seen, [vec![vec![2], vec![0], vec![1]], vec![vec![0], vec![2], vec![1]]]);
}

#[test]
fn a_gathering_and_one_that_takes_what_there_is() {
    let seen = outcomes(Exhaustive, || race_pool(2, 3, &[&[Call::all(0, 3)], &[Call::up_to(1, 2)]]));
    assert_exactly(&seen, [vec![vec![3], vec![0]], vec![vec![0], vec![2]]]);
}

#[test]
fn a_gathering_draws_on_what_another_gave_back() {
    let seen = outcomes(Preemptions(4), || {
        race_pool(2, 2, &[&[Call::all(0, 2), Call::up_to(0, 2)], &[Call::one(1), Call::one(1)]])
    });
    assert_exactly(&seen, [vec![vec![2, 0], vec![0, 0]], vec![vec![0, 0], vec![1, 1]], vec![vec![0, 1], vec![1, 0]]]);
}
