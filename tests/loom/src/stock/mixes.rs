//! Three threads with a bit of everything. That each outcome has a sequential history which explains it, and that units
//! and serials are conserved, is checked by [`race`](super::scene::race); here stand outcomes that must be reached.

use super::scene::{Answers, Call, race_pool};
use crate::explore::Bound::Preemptions;
use crate::explore::outcomes;

fn assert_reaches<const N: usize>(model: impl Fn() -> Answers + Send + Sync + 'static, expected: &[Answers; N]) {
    let seen = outcomes(Preemptions(2), model);
    expected.iter().for_each(|outcome| assert!(seen.contains(outcome), "{outcome:?} is not among {seen:?}"));
}

#[test]
fn an_addition_between_a_gathering_and_draws() {
    let model =
        || race_pool(2, 1, &[&[Call::all(0, 2)], &[Call::one(1), Call::one(1)], &[Call::add(0, 1, 1), Call::one(0)]]);
    assert_reaches(
        model,
        &[
            vec![vec![2], vec![0, 0], vec![1, 0]],
            vec![vec![0], vec![1, 1], vec![1, 0]],
            vec![vec![0], vec![1, 0], vec![1, 1]],
        ],
    );
}

#[test]
fn a_gathering_against_a_taker_of_all_and_an_addition() {
    let model = || race_pool(2, 2, &[&[Call::all(0, 3), Call::one(0)], &[Call::up_to(1, 3)], &[Call::add(0, 2, 2)]]);
    assert_reaches(
        model,
        &[
            vec![vec![3, 1], vec![0], vec![2]],
            vec![vec![3, 0], vec![1], vec![2]],
            vec![vec![0, 1], vec![3], vec![2]],
            vec![vec![0, 1], vec![1], vec![2]],
        ],
    );
}

#[test]
fn two_gatherings_and_an_addition() {
    let model = || race_pool(2, 2, &[&[Call::all(0, 3)], &[Call::all(1, 2)], &[Call::add(0, 2, 1), Call::one(0)]]);
    assert_reaches(model, &[vec![vec![3], vec![0], vec![1, 0]], vec![vec![0], vec![2], vec![1, 1]]]);
}

#[test]
fn takers_of_all_and_a_refill() {
    let model = || race_pool(2, 1, &[&[Call::up_to(0, 2)], &[Call::up_to(1, 2)], &[Call::add(0, 1, 2), Call::one(1)]]);
    assert_reaches(
        model,
        &[
            vec![vec![2], vec![1], vec![2, 0]],
            vec![vec![1], vec![2], vec![2, 0]],
            vec![vec![0], vec![2], vec![2, 1]],
            vec![vec![1], vec![0], vec![2, 1]],
        ],
    );
}
