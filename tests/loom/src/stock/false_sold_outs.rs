//! The false sold-outs of a naive scan, each on the naive version, which must fall for it, and on the pool, which must
//! not. A third way is a certificate with one counter: a scan that begins within a bracket and ends within it.

use super::naive::Naive;
use super::scene::{Answers, Call, race};
use super::{Pool, Run};
use crate::explore::Bound::Exhaustive;
use crate::explore::{assert_exactly, outcomes};

const NOTHING: Run = Run { first: 0, count: 0 };
const FIRST: Run = Run { first: 0, count: 1 };
const SECOND: Run = Run { first: 1, count: 1 };
const BOTH: Run = Run { first: 0, count: 2 };

/// A unit comes to a place that was read already, then another goes from a place that is read later.
const ADDED: &[&[Call]] = &[&[Call::add(1, 1, 1), Call::one(0)], &[Call::one(1)]];

/// Units move from a place that is read last to one that was read already.
const MOVED: &[&[Call]] = &[&[Call::one(0)], &[Call::one(0)]];

/// A claim for two holds one unit, finds no second one, and gives it back.
const GIVEN_BACK: &[&[Call]] = &[&[Call::all(0, 2)], &[Call::one(1), Call::one(1)]];

#[test]
#[should_panic(expected = "false sold-out")]
fn naive_an_added_unit_is_overlooked() {
    outcomes(Exhaustive, || race(Naive::new(&[FIRST, NOTHING], &[]), &[FIRST], ADDED));
}

#[test]
fn an_added_unit_is_found() {
    let seen = outcomes(Exhaustive, || race(Pool::new(2, [FIRST]), &[FIRST], ADDED));
    assert_exactly(&seen, [vec![vec![1, 1], vec![1]]]);
}

#[test]
#[should_panic(expected = "false sold-out")]
fn naive_a_moving_unit_is_overlooked() {
    outcomes(Exhaustive, || race(Naive::new(&[NOTHING], &[BOTH]), &[BOTH], MOVED));
}

#[test]
fn a_moving_unit_is_found() {
    let seen = outcomes(Exhaustive, || race(all_spare(1, BOTH), &[BOTH], MOVED));
    assert_exactly(&seen, [vec![vec![1], vec![1]]]);
}

#[test]
#[should_panic(expected = "false sold-out")]
fn naive_a_unit_that_is_given_back_is_overlooked() {
    outcomes(Exhaustive, || race(Naive::new(&[FIRST, SECOND], &[]), &[BOTH], GIVEN_BACK));
}

#[test]
fn a_unit_that_is_given_back_is_found() {
    let seen = outcomes(Exhaustive, || race(Pool::new(2, [BOTH]), &[BOTH], GIVEN_BACK));
    assert_exactly(&seen, [vec![vec![2], vec![0, 0]], vec![vec![0], vec![1, 1]]]);
}

/// A pool over `cores` empty buckets whose units are all spare.
pub(super) fn all_spare(cores: usize, run: Run) -> Pool {
    let pool = Pool::new(cores, []);
    pool.add(run);
    pool
}

/// So that the models above have the shape that they speak of.
#[test]
fn the_pools_begin_as_the_naive_versions() {
    let answers: fn() -> Answers = || race(all_spare(2, BOTH), &[BOTH], &[&[Call::one(1)]]);
    assert_exactly(&outcomes(Exhaustive, answers), [vec![vec![1]]]);
}
