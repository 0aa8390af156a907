//! Three threads with a bit of everything. Not the set of outcomes is the point but that each has a sequential history
//! that explains it, and that units and serials are conserved; [`race`](super::scene::race) checks that.

use std::collections::BTreeSet;

use super::scene::{Answers, Call, race_pool};
use crate::explore::Bound::Preemptions;
use crate::explore::outcomes;

/// Explores and asserts that the models reached refusals as well as full grants.
fn explore(model: impl Fn() -> Answers + Send + Sync + 'static) {
    let granted = |answers: &Answers| answers.iter().flatten().sum::<u32>();
    let seen = outcomes(Preemptions(2), model);
    assert!(seen.len() > 1, "one outcome: {seen:?}");
    assert!(seen.iter().map(granted).collect::<BTreeSet<_>>().len() > 1, "always as much: {seen:?}");
}

#[test]
fn an_addition_between_a_gathering_and_draws() {
    explore(|| {
        race_pool(2, 1, &[&[Call::all(0, 2)], &[Call::one(1), Call::one(1)], &[Call::add(0, 1, 1), Call::one(0)]])
    });
}

#[test]
fn a_gathering_against_a_taker_of_all_and_an_addition() {
    explore(|| race_pool(2, 2, &[&[Call::all(0, 3), Call::one(0)], &[Call::up_to(1, 3)], &[Call::add(0, 2, 2)]]));
}

#[test]
fn two_gatherings_and_an_addition() {
    explore(|| race_pool(2, 2, &[&[Call::all(0, 3)], &[Call::all(1, 2)], &[Call::add(0, 2, 1), Call::one(0)]]));
}

#[test]
fn takers_of_all_and_a_refill() {
    explore(|| race_pool(2, 1, &[&[Call::up_to(0, 2)], &[Call::up_to(1, 2)], &[Call::add(0, 1, 2), Call::one(1)]]));
}
