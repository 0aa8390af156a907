//! Units that flow in, and units that move from the spare runs into a bucket, while others draw and refuse.

use std::sync::Arc;

use loom::thread;

use super::false_sold_outs::all_spare;
use super::scene::{Call, race, race_pool};
use super::{Mode, Pool, Run};
use crate::explore::Bound::{Exhaustive, Preemptions};
use crate::explore::{assert_exactly, outcomes};

const THREE: Run = Run { first: 0, count: 3 };

#[test]
fn an_added_unit_is_granted_or_still_there() {
    let seen = outcomes(Exhaustive, || race_pool(2, 0, &[&[Call::add(0, 0, 1)], &[Call::one(1)]]));
    assert_exactly(&seen, [vec![vec![1], vec![0]], vec![vec![1], vec![1]]]);
}

#[test]
fn two_that_draw_share_an_addition() {
    let seen = outcomes(Preemptions(3), || race_pool(2, 0, &[&[Call::add(0, 0, 1)], &[Call::one(0)], &[Call::one(1)]]));
    assert_exactly(
        &seen,
        [vec![vec![1], vec![0], vec![0]], vec![vec![1], vec![1], vec![0]], vec![vec![1], vec![0], vec![1]]],
    );
}

#[test]
fn an_addition_before_each_draw_leaves_no_time_without_a_unit() {
    let seen = outcomes(Preemptions(2), || {
        race_pool(2, 1, &[&[Call::add(0, 1, 1), Call::one(0)], &[Call::add(1, 2, 1), Call::one(1)], &[Call::one(1)]])
    });
    assert_exactly(&seen, [vec![vec![1, 1], vec![1, 1], vec![1]]]);
}

#[test]
fn spare_units_refill_two_buckets_at_once() {
    let seen = outcomes(Exhaustive, || race(all_spare(2, THREE), &[THREE], &[&[Call::one(0)], &[Call::one(1)]]));
    assert_exactly(&seen, [vec![vec![1], vec![1]]]);
}

#[test]
fn spare_units_refill_three_buckets_at_once() {
    let seen = outcomes(Preemptions(2), || {
        race(all_spare(3, THREE), &[THREE], &[&[Call::one(0)], &[Call::one(1)], &[Call::one(2)]])
    });
    assert_exactly(&seen, [vec![vec![1], vec![1], vec![1]]]);
}

#[test]
fn a_refill_while_another_walks_into_the_bucket() {
    const PROGRAMS: &[&[Call]] = &[&[Call::one(0)], &[Call::one(1)], &[Call::up_to(1, 2)]];
    let seen = outcomes(Preemptions(2), || race(all_spare(2, THREE), &[THREE], PROGRAMS));
    assert_exactly(
        &seen,
        [vec![vec![1], vec![1], vec![1]], vec![vec![1], vec![0], vec![2]], vec![vec![0], vec![1], vec![2]]],
    );
}

#[test]
fn a_gathering_takes_spare_units_while_another_refills() {
    let seen = outcomes(Exhaustive, || race(all_spare(2, THREE), &[THREE], &[&[Call::all(0, 3)], &[Call::one(1)]]));
    assert_exactly(&seen, [vec![vec![3], vec![0]], vec![vec![0], vec![1]]]);
}

/// Who adds, sees nothing taken and tells so, must not be contradicted by one who took and saw nothing added.
#[test]
fn a_count_and_a_refusal_agree_on_one_order() {
    let model = || {
        let pool = Arc::new(Pool::new(2, [Run::new(0, 1)]));
        let drawing = Arc::clone(&pool);
        let draws =
            thread::spawn(move || [0, 1].map(|core| drawing.draw(core, 1, Mode::AllOrNothing, || ()).is_some()));
        pool.add(Run::new(1, 1));
        let counted = pool.units();
        (counted, draws.join().expect("a panic ends the whole model"))
    };
    let seen = outcomes(Exhaustive, model);
    assert_exactly(&seen, [(0, [true, true]), (1, [true, true]), (1, [true, false]), (2, [true, true])]);
}

#[test]
fn a_count_never_misses_units_that_a_gathering_holds() {
    let model = || {
        let pool = Arc::new(Pool::new(2, [Run::new(0, 2)]));
        let (gathering, counting) = (Arc::clone(&pool), Arc::clone(&pool));
        let gathered = thread::spawn(move || gathering.draw(0, 2, Mode::AllOrNothing, || ()).is_some());
        let counted = thread::spawn(move || counting.units());
        let drawn = pool.draw(1, 1, Mode::AllOrNothing, || ()).is_some();
        let joined = "a panic ends the whole model";
        (gathered.join().expect(joined), drawn, counted.join().expect(joined))
    };
    let seen = outcomes(Preemptions(4), model);
    assert_exactly(&seen, [(true, false, 2), (true, false, 0), (false, true, 2), (false, true, 1)]);
}

/// The same with four threads: one adds, one draws, one counts both, and one is refused for want of both.
#[test]
fn a_count_and_a_refusal_of_others_agree_on_one_order() {
    let model = || {
        let pool = Arc::new(Pool::new(2, [Run::new(0, 1)]));
        let (adding, drawing, counting) = (Arc::clone(&pool), Arc::clone(&pool), Arc::clone(&pool));
        let adds = thread::spawn(move || adding.add(Run::new(1, 1)));
        let draws = thread::spawn(move || drawing.draw(0, 1, Mode::AllOrNothing, || ()).is_some());
        let counts = thread::spawn(move || counting.units());
        let granted = pool.draw(1, 1, Mode::AllOrNothing, || ()).is_some();
        let joined = "a panic ends the whole model";
        adds.join().expect(joined);
        (draws.join().expect(joined), counts.join().expect(joined), granted)
    };
    let seen = outcomes(Preemptions(2), model);
    assert!(!seen.contains(&(true, 2, false)), "added before the draw for one, after it for the other");
    assert!(seen.contains(&(true, 2, true)) && seen.contains(&(true, 0, false)), "both sides are reached: {seen:?}");
}
