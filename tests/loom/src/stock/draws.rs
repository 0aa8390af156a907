//! Draws of single units and of what there is, without inflows: every unit is granted, once.

use super::scene::{Call, race_pool};
use crate::explore::Bound::{Exhaustive, Preemptions};
use crate::explore::{assert_exactly, outcomes};

#[test]
fn two_cores_draw_the_last_unit() {
    let seen = outcomes(Exhaustive, || race_pool(2, 1, &[&[Call::one(0)], &[Call::one(1)]]));
    assert_exactly(&seen, [vec![vec![1], vec![0]], vec![vec![0], vec![1]]]);
}

#[test]
fn two_threads_draw_the_last_unit_of_one_bucket() {
    let seen = outcomes(Exhaustive, || race_pool(1, 1, &[&[Call::one(0)], &[Call::one(0)]]));
    assert_exactly(&seen, [vec![vec![1], vec![0]], vec![vec![0], vec![1]]]);
}

#[test]
fn three_cores_draw_the_last_unit() {
    let seen = outcomes(Preemptions(4), || race_pool(3, 1, &[&[Call::one(0)], &[Call::one(1)], &[Call::one(2)]]));
    assert_exactly(
        &seen,
        [vec![vec![1], vec![0], vec![0]], vec![vec![0], vec![1], vec![0]], vec![vec![0], vec![0], vec![1]]],
    );
}

#[test]
fn a_core_walks_while_the_others_draw_their_own() {
    let seen = outcomes(Exhaustive, || race_pool(2, 2, &[&[Call::one(0), Call::one(0)], &[Call::one(1)]]));
    assert_exactly(&seen, [vec![vec![1, 0], vec![1]], vec![vec![1, 1], vec![0]]]);
}

#[test]
fn up_to_takes_what_a_single_draw_leaves() {
    let seen = outcomes(Exhaustive, || race_pool(2, 3, &[&[Call::up_to(0, 3)], &[Call::one(1)]]));
    assert_exactly(&seen, [vec![vec![3], vec![0]], vec![vec![2], vec![1]]]);
}

#[test]
fn two_that_take_what_there_is_share_all_of_it() {
    let seen = outcomes(Exhaustive, || race_pool(2, 3, &[&[Call::up_to(0, 2)], &[Call::up_to(1, 2)]]));
    assert_exactly(&seen, [vec![vec![2], vec![1]], vec![vec![1], vec![2]]]);
}
